using Npgsql;

namespace PersonaActors.Tests.Security;

/// <summary>Tenants and users kept apart by PostgreSQL itself: everything here runs as the app login, with no code of ours between.</summary>
public sealed class IsolationTests(IsolationTests.TwoTenants two) : IClassFixture<IsolationTests.TwoTenants>
{
    private readonly TestDatabase _database = two.Database;
    private readonly Node _node = two.Node;
    private readonly Guid _other = two.Other;
    private readonly Guid _ada = two.Ada;
    private readonly Guid _bob = two.Bob;
    private readonly Guid _eve = two.Eve;

    /// <summary>Ada and Bob in the demo tenant, Eve in another.</summary>
    public sealed class TwoTenants : IAsyncLifetime
    {
        public TestDatabase Database { get; private set; } = null!;

        public Node Node { get; private set; } = null!;

        public Guid Other { get; private set; }

        public Guid Ada { get; private set; }

        public Guid Bob { get; private set; }

        public Guid Eve { get; private set; }

        public async Task InitializeAsync()
        {
            Database = await TestDatabase.Create();
            Node = await Node.Start(Database);
            using var operators = Node.Client(await Node.OperatorKey());
            Other = (await operators.Post("/v1/tenants", new { name = "other" })).Should(System.Net.HttpStatusCode.Created).Id;
            using var service = Node.Client(await Node.ServiceKey());
            using var elsewhere = Node.Client(await Node.ServiceKey(Other));
            Ada = await service.Register("ada");
            Bob = await service.Register("bob");
            Eve = await elsewhere.Register("eve");
        }

        public async Task DisposeAsync()
        {
            await Node.DisposeAsync();
            await Database.DisposeAsync();
        }
    }

    private static readonly string[] OwnedTables = ["users", "user_identities", "personas", "user_default_personas"];

    public static TheoryData<string> Owned => [.. OwnedTables];

    public static TheoryData<string> All => [.. OwnedTables, "tenants", "api_keys", "streams", "events", "command_log", "outbox_tasks"];

    [Theory]
    [MemberData(nameof(All))]
    public async Task Without_settings_nothing_of_a_tenant_is_seen(string table) =>
        Assert.Equal(0, await Count(null, null, null, $"SELECT count(*) FROM {table} WHERE tenant_id IS NOT NULL"));

    [Theory]
    [MemberData(nameof(All))]
    public async Task Settings_of_an_earlier_transaction_open_nothing(string table)
    {
        await using var connection = new NpgsqlConnection(_database.App);
        await connection.OpenAsync();
        await using (var earlier = new NpgsqlBatch(connection))
        {
            earlier.BatchCommands.Add(SetScope(_node.Demo, _ada, "tenant"));
            await earlier.ExecuteNonQueryAsync();
        }

        await using var command = new NpgsqlCommand($"SELECT count(*) FROM {table} WHERE tenant_id IS NOT NULL", connection);
        Assert.Equal(0L, await command.ExecuteScalarAsync());
    }

    [Theory]
    [MemberData(nameof(Owned))]
    public async Task A_user_sees_changes_and_deletes_only_what_is_theirs(string table)
    {
        var mine = $"SELECT count(*) FROM {table}";
        Assert.Equal(1, await Count(_node.Demo, _ada, null, mine));
        Assert.Equal(1, await Count(_node.Demo, _bob, null, mine));
        Assert.Equal(0, await Count(_node.Demo, _eve, null, mine));
        Assert.Equal(0, await Count(_other, _ada, null, mine));
        Assert.Equal(0, await Count(_node.Demo, null, null, mine));
        Assert.Equal(2, await Count(_node.Demo, null, "tenant", mine));

        var owner = table switch { "users" => "id", "personas" => "owner_id", _ => "user_id" };
        Assert.Equal(0, await Rows(_node.Demo, _ada, null, $"UPDATE {table} SET tenant_id = tenant_id WHERE {owner} = '{_bob}'"));
        Assert.Equal(0, await Rows(_node.Demo, _ada, "tenant", $"UPDATE {table} SET tenant_id = tenant_id WHERE {owner} = '{_eve}'"));
        Assert.Equal(0, await Rows(_node.Demo, _ada, null, $"DELETE FROM {table} WHERE {owner} = '{_bob}'"));
        Assert.Equal(0, await Rows(_node.Demo, _ada, "tenant", $"DELETE FROM {table} WHERE {owner} = '{_eve}'"));
        // Nor may a row be given away.
        await Refused(_node.Demo, _ada, null, $"UPDATE {table} SET tenant_id = '{_other}' WHERE {owner} = '{_ada}'");
    }

    [Fact]
    public async Task Nothing_can_be_inserted_for_another_user_or_tenant()
    {
        const string user = "INSERT INTO users (tenant_id, id, username, created_at, updated_at) VALUES ('{0}', '{1}', 'x', now(), now())";
        await Refused(_node.Demo, _ada, null, string.Format(null, user, _node.Demo, Guid.NewGuid()));
        await Refused(_node.Demo, _ada, "tenant", string.Format(null, user, _other, _ada));
        const string persona = "INSERT INTO personas (tenant_id, id, owner_id, name, created_at, updated_at) VALUES ('{0}', '{1}', '{2}', 'x', now(), now())";
        await Refused(_node.Demo, _ada, null, string.Format(null, persona, _node.Demo, Guid.NewGuid(), _bob));
        await Refused(_node.Demo, _ada, null, string.Format(null, persona, _other, Guid.NewGuid(), _eve));
        const string identity = "INSERT INTO user_identities (tenant_id, provider, subject, user_id, created_at) VALUES ('{0}', 'test', 'mine', '{1}', now())";
        await Refused(_node.Demo, _ada, null, string.Format(null, identity, _node.Demo, _bob));
        await Refused(_node.Demo, _ada, null, $"INSERT INTO tenants (tenant_id, name, display_name, created_at, updated_at) VALUES ('{Guid.NewGuid()}', 'mine', 'x', now(), now())");
        await Refused(_node.Demo, _ada, null, "INSERT INTO api_keys (tenant_id, id, kind, name, prefix, hash, token_secret, created_at) "
            + $"VALUES ('{_node.Demo}', '{Guid.NewGuid()}', 'tenant-admin', 'x', 'pa_', sha256('x'), sha256('x'), now())");
    }

    [Fact]
    public async Task A_default_persona_is_never_somebody_elses()
    {
        // Foreign keys don't see row-level security, so they carry the owner.
        const string steal = "UPDATE user_default_personas SET persona_id = (SELECT id FROM personas WHERE owner_id = '{0}') WHERE user_id = '{1}'";
        await Refused(_node.Demo, null, "tenant", string.Format(null, steal, _bob, _ada), "23503");
    }

    [Fact]
    public async Task The_log_shows_a_user_its_own_streams_only_and_cannot_be_rewritten()
    {
        const string streams = "SELECT count(*) FROM streams WHERE stream LIKE 'user:%'";
        Assert.Equal(1, await Count(_node.Demo, _ada, null, streams));
        Assert.Equal(0, await Count(_other, _ada, null, streams));
        Assert.Equal(2, await Count(_node.Demo, null, "tenant", streams));
        const string events = "SELECT count(DISTINCT stream) FROM events WHERE stream LIKE 'user:%'";
        Assert.Equal(1, await Count(_node.Demo, _bob, null, events));
        await Refused(_node.Demo, null, "tenant", "UPDATE events SET type = 'other'");
        await Refused(_node.Demo, null, "tenant", "DELETE FROM events");
        await Refused(_node.Demo, _ada, null, $"INSERT INTO events (tenant_id, stream, seq, id, type, at, owner_id, data) VALUES ('{_other}', 'x', 1, '{Guid.NewGuid()}', 'x', now(), NULL, '{{}}')");
        await Refused(_node.Demo, _ada, null, $"INSERT INTO events (tenant_id, stream, seq, id, type, at, owner_id, data) VALUES (NULL, 'x', 1, '{Guid.NewGuid()}', 'x', now(), NULL, '{{}}')");
    }

    [Fact]
    public async Task In_a_users_scope_nothing_of_the_tenants_log_is_read_and_nothing_of_anybodys_forged()
    {
        using var ada = _node.Client(await _node.UserKey(_ada));
        var id = (await ada.Post("/v1/personalities", new { name = "x", slug = $"p{Guid.NewGuid():N}"[..20], characterInfo = "", personalityTraits = "" })).Should(System.Net.HttpStatusCode.Created).Id;
        using var admin = _node.Client(await _node.AdminKey());
        (await admin.Patch("/v1/tenant/settings", new { maxMessages = 20 })).Should(System.Net.HttpStatusCode.OK);
        const string unowned = "SELECT count(*) FROM {0} WHERE owner_id IS NULL";
        foreach (var table in (string[])["events", "streams", "command_log"])
        {
            Assert.True(await Count(_node.Demo, null, "tenant", string.Format(null, unowned, table)) > 0, table);
            Assert.Equal(0, await Count(_node.Demo, _bob, null, string.Format(null, unowned, table)));
            Assert.Equal(0, await Count(null, null, null, $"SELECT count(*) FROM {table}"));
            // What was written is neither changed nor deleted, by nobody.
            foreach (var (tenant, user, scope) in new (Guid?, Guid?, string?)[] { (_node.Demo, _ada, null), (_node.Demo, null, "tenant"), (null, null, "operator") })
            {
                await Refused(tenant, user, scope, $"UPDATE {table} SET owner_id = owner_id");
                await Refused(tenant, user, scope, $"DELETE FROM {table}");
            }
        }

        Assert.True(await Count(null, null, "operator", "SELECT count(*) FROM events WHERE type = 'key.created'") > 0);
        await Refused(_node.Demo, null, "tenant", "UPDATE outbox_tasks SET status = 'done'");
        await Refused(_node.Demo, null, "tenant", "DELETE FROM outbox_tasks");

        const string append = "SELECT append_event({0}, '{1}', {2}, gen_random_uuid(), 'x', now(), '{{}}', NULL)";
        string Text(Guid? guid) => guid is null ? "NULL" : $"'{guid}'";
        string Append(Guid? tenant, string stream, Guid? owner) => string.Format(null, append, Text(tenant), stream, Text(owner));
        await Refused(_node.Demo, _bob, null, Append(_node.Demo, $"personality:{id}", null));
        await Refused(_node.Demo, _bob, null, Append(_node.Demo, $"user:{_ada}", _ada));
        await Refused(_node.Demo, _bob, null, Append(_other, $"user:{_eve}", _bob));
        await Refused(_node.Demo, _bob, null, Append(null, "tenant:system", null));
        await Refused(_node.Demo, null, "tenant", Append(_other, $"user:{_eve}", _eve));
        await Refused(null, null, null, Append(_node.Demo, $"user:{_ada}", _ada));
        // Not by calling another's stream one's own either.
        await Refused(_node.Demo, _bob, null, Append(_node.Demo, $"personality:{id}", _bob), "PA001");
        await Refused(_node.Demo, _bob, null, Append(_node.Demo, $"user:{_ada}", _bob), "PA001");
        await Refused(_node.Demo, _bob, null, $"SELECT claim_stream('{_node.Demo}', 'user:{_ada}', '{_ada}', 1)");
        Assert.Equal(0, await Count(_node.Demo, _bob, null, $"SELECT count(c) FROM claim_stream('{_node.Demo}', 'user:{_ada}') AS c"));
        await Refused(_node.Demo, _bob, null, $"INSERT INTO streams (tenant_id, stream, owner_id, seq) VALUES ('{_node.Demo}', 'user:x', '{_bob}', 1)");
        await Refused(_node.Demo, _bob, null, $"INSERT INTO events (tenant_id, stream, seq, id, type, at, owner_id, data) VALUES ('{_node.Demo}', 'user:{_bob}', 99, gen_random_uuid(), 'x', now(), '{_bob}', '{{}}')");

        const string answer = "INSERT INTO command_log (tenant_id, caller, id, owner_id, fingerprint, answer, at) VALUES ('{0}', gen_random_uuid(), 'x', {1}, repeat('0', 64), '{{}}', now())";
        await Refused(_node.Demo, _bob, null, string.Format(null, answer, _node.Demo, Text(_ada)));
        await Refused(_node.Demo, _bob, null, string.Format(null, answer, _node.Demo, "NULL"));
        await Refused(_node.Demo, null, "tenant", string.Format(null, answer, _other, "NULL"));

        const string task = "INSERT INTO outbox_tasks (tenant_id, id, kind, payload, run_after, created_at) VALUES ('{0}', gen_random_uuid(), '{1}', '{2}', now() + interval '1 day', now())";
        await Refused(_node.Demo, _bob, null, string.Format(null, task, _node.Demo, "user.erase", $$"""{"user":"{{_ada}}"}"""));
        await Refused(_node.Demo, _bob, null, string.Format(null, task, _node.Demo, "user.erase", $$"""{"user":"{{_bob}}"}"""));
        await Refused(_node.Demo, _bob, null, string.Format(null, task, _node.Demo, "user.forget", $$"""{"user":"{{_ada}}"}"""));
        await Refused(_node.Demo, _bob, null, string.Format(null, task, _node.Demo, "stream.erase", $$"""{"stream":"personality:{{id}}","user":"{{_bob}}"}"""));
        await Refused(_node.Demo, null, "tenant", string.Format(null, task, _other, "user.erase", $$"""{"user":"{{_eve}}"}"""));
    }

    [Fact]
    public async Task Keys_are_seen_by_tenant_wide_work_only_and_operators_keys_by_operators()
    {
        await _node.AdminKey();
        Assert.Equal(0, await Count(_node.Demo, _ada, null, "SELECT count(*) FROM api_keys"));
        Assert.True(await Count(_node.Demo, null, "tenant", "SELECT count(*) FROM api_keys") > 0);
        Assert.Equal(0, await Count(_node.Demo, null, "tenant", $"SELECT count(*) FROM api_keys WHERE tenant_id IS NULL OR tenant_id = '{_other}'"));
        Assert.Equal(1, await Count(null, null, "operator", "SELECT count(*) FROM api_keys"));
    }

    [Fact]
    public async Task No_login_of_ours_passes_by_row_level_security_and_every_table_forces_it()
    {
        await using var connection = new NpgsqlConnection(_database.Superuser);
        await connection.OpenAsync();
        await using var roles = new NpgsqlCommand("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'personactors%' AND (rolsuper OR rolbypassrls)", connection);
        Assert.Equal(0L, await roles.ExecuteScalarAsync());
        await using var tables = new NpgsqlCommand("""
            SELECT string_agg(c.relname, ', ') FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
            """, connection);
        Assert.Equal(DBNull.Value, await tables.ExecuteScalarAsync());
    }

    private static NpgsqlBatchCommand SetScope(Guid? tenant, Guid? user, string? scope) => new(
        "SELECT set_config('app.current_tenant_id', $1, true), set_config('app.user_id', $2, true), set_config('app.scope', $3, true)")
    {
        Parameters =
        {
            new NpgsqlParameter { Value = tenant?.ToString() ?? "" },
            new NpgsqlParameter { Value = user?.ToString() ?? "" },
            new NpgsqlParameter { Value = scope ?? "" },
        },
    };

    private async Task<T> AsApp<T>(Guid? tenant, Guid? user, string? scope, string sql, Func<NpgsqlDataReader, Task<T>> read)
    {
        await using var connection = new NpgsqlConnection(_database.App);
        await connection.OpenAsync();
        await using var batch = new NpgsqlBatch(connection);
        if ((tenant, user, scope) != (null, null, null))
        {
            batch.BatchCommands.Add(SetScope(tenant, user, scope));
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        await using var reader = await batch.ExecuteReaderAsync();
        if (batch.BatchCommands.Count == 2)
        {
            await reader.NextResultAsync();
        }

        return await read(reader);
    }

    private Task<long> Count(Guid? tenant, Guid? user, string? scope, string sql) => AsApp(tenant, user, scope, sql, async reader =>
    {
        await reader.ReadAsync();
        return reader.GetInt64(0);
    });

    private Task<int> Rows(Guid? tenant, Guid? user, string? scope, string sql) => AsApp(tenant, user, scope, sql, async reader =>
    {
        await reader.CloseAsync();
        return Math.Max(0, reader.RecordsAffected);
    });

    /// <summary>Refused by a policy or for want of a grant (42501), or as said.</summary>
    private async Task Refused(Guid? tenant, Guid? user, string? scope, string sql, string sqlState = "42501")
    {
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => Rows(tenant, user, scope, sql));
        Assert.Equal(sqlState, refusal.SqlState);
    }
}
