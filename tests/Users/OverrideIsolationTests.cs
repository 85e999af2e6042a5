using Npgsql;

namespace PersonaActors.Tests.Users;

/// <summary>Overrides, default configs and users' own configs kept apart by PostgreSQL itself: all of it as the app login, with no code of ours between.</summary>
public sealed class OverrideIsolationTests(OverrideIsolationTests.TwoTenants two) : IClassFixture<OverrideIsolationTests.TwoTenants>
{
    private const string Overrides = "user_personality_configs";
    private const string Defaults = "user_default_llm_configs";

    /// <summary>Ada and Bob in one tenant, Eve in another; each with an override, a config and a default.</summary>
    public sealed class TwoTenants : Room
    {
        public Guid Other { get; private set; }

        public Guid[] Ada { get; private set; } = [];

        public Guid[] Bob { get; private set; } = [];

        public Guid[] Eve { get; private set; } = [];

        public override async Task InitializeAsync()
        {
            await base.InitializeAsync();
            Other = (await NewTenant()).Id;
            using var elsewhere = Node.Client(await Node.ServiceKey(Other));
            (Ada, Bob, Eve) = (await Make(Service, "ada"), await Make(Service, "bob"), await Make(elsewhere, "eve"));
        }

        private static async Task<Guid[]> Make(ApiClient client, string name)
        {
            var user = await client.Register(name);
            (string, string) acting = ("X-Persona-User", user.ToString());
            var personality = (await client.Post("/v1/personalities", new { name = $"Iris of {name}", characterInfo = "i", personalityTraits = "t" }, acting)).Should(HttpStatusCode.Created).Id;
            var config = (await client.Post("/v1/llm-configs", new { name = "own", model = "m" }, acting)).Should(HttpStatusCode.Created).Id;
            var persona = (await client.Post("/v1/personas", new { name = "work" }, acting)).Should(HttpStatusCode.Created).Id;
            (await client.Put($"/v1/users/{user}/overrides/{personality}", new { personaId = persona, llmConfigId = config })).Should(HttpStatusCode.OK);
            (await client.Put($"/v1/users/{user}/default-llm-config", new { llmConfigId = config })).Should(HttpStatusCode.OK);
            return [user, personality, config, persona];
        }
    }

    [Theory]
    [InlineData(Overrides)]
    [InlineData(Defaults)]
    public async Task Without_settings_and_with_those_of_an_earlier_transaction_nothing_is_seen(string table)
    {
        Assert.Equal(0, await Sql.CountAsApp(two.Database, null, null, null, $"SELECT count(*) FROM {table}"));
        Assert.Equal(0, await Sql.CountAsApp(two.Database, two.Node.Demo, null, null, $"SELECT count(*) FROM {table}"));
        await using var connection = new NpgsqlConnection(two.Database.App);
        await connection.OpenAsync();
        await using (var earlier = new NpgsqlCommand(
            $"SELECT set_config('app.current_tenant_id', '{two.Node.Demo}', true), set_config('app.user_id', '{two.Ada[0]}', true), set_config('app.scope', 'tenant', true)", connection))
        {
            await earlier.ExecuteNonQueryAsync();
        }

        await using var after = new NpgsqlCommand($"SELECT count(*) FROM {table}", connection);
        Assert.Equal(0L, await after.ExecuteScalarAsync());
    }

    [Theory]
    [InlineData(Overrides)]
    [InlineData(Defaults)]
    public async Task A_user_sees_changes_and_deletes_only_what_is_theirs(string table)
    {
        var (tenant, ada, bob, eve) = (two.Node.Demo, two.Ada[0], two.Bob[0], two.Eve[0]);
        var all = $"SELECT count(*) FROM {table}";
        Assert.Equal(1, await Sql.CountAsApp(two.Database, tenant, ada, null, all));
        Assert.Equal(0, await Sql.CountAsApp(two.Database, tenant, eve, null, all));
        Assert.Equal(0, await Sql.CountAsApp(two.Database, two.Other, ada, null, all));
        Assert.Equal(2, await Sql.CountAsApp(two.Database, tenant, null, "tenant", all));
        Assert.Equal(0, await Sql.RowsAsApp(two.Database, tenant, ada, null, $"UPDATE {table} SET updated_at = now() WHERE user_id = '{bob}'"));
        Assert.Equal(0, await Sql.RowsAsApp(two.Database, tenant, ada, "tenant", $"UPDATE {table} SET updated_at = now() WHERE user_id = '{eve}'"));
        Assert.Equal(0, await Sql.RowsAsApp(two.Database, tenant, ada, null, $"DELETE FROM {table} WHERE user_id = '{bob}'"));
        Assert.Equal(0, await Sql.RowsAsApp(two.Database, tenant, ada, "tenant", $"DELETE FROM {table} WHERE user_id = '{eve}'"));
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, ada, null, $"UPDATE {table} SET user_id = '{bob}'");
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, ada, null, $"UPDATE {table} SET tenant_id = '{two.Other}'");
    }

    [Fact]
    public async Task Nothing_is_inserted_for_another_user_or_tenant_nor_with_what_is_theirs()
    {
        var tenant = two.Node.Demo;
        const string insert = "INSERT INTO user_personality_configs (tenant_id, user_id, personality_id, persona_id, version, created_at, updated_at) VALUES ('{0}', '{1}', '{2}', {3}, 1, now(), now())";
        string Row(Guid of, Guid user, Guid personality, Guid persona) => string.Format(null, insert, of, user, personality, $"'{persona}'");
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, two.Ada[0], null, Row(tenant, two.Bob[0], two.Ada[1], two.Bob[3]));
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, two.Ada[0], "tenant", Row(two.Other, two.Eve[0], two.Eve[1], two.Eve[3]));
        // Foreign keys don't see row-level security, so they carry tenant and owner.
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, two.Ada[0], null, Row(tenant, two.Ada[0], two.Bob[1], two.Bob[3]), "23503");
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, two.Ada[0], null, Row(tenant, two.Ada[0], two.Eve[1], two.Ada[3]), "23503");
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, two.Ada[0], null, $"UPDATE user_default_llm_configs SET llm_config_id = '{two.Eve[2]}'", "23503");
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, two.Ada[0], null,
            $"INSERT INTO user_default_llm_configs (tenant_id, user_id, llm_config_id, updated_at) VALUES ('{tenant}', '{two.Bob[0]}', '{two.Bob[2]}', now())");
    }

    [Fact]
    public async Task A_users_own_configs_are_seen_and_written_by_that_user_only()
    {
        var (tenant, ada, bob) = (two.Node.Demo, two.Ada[0], two.Bob[0]);
        const string owned = "SELECT count(*) FROM llm_configs WHERE owner_id IS NOT NULL";
        Assert.Equal(1, await Sql.CountAsApp(two.Database, tenant, ada, null, owned));
        Assert.Equal(0, await Sql.CountAsApp(two.Database, two.Other, ada, null, owned));
        Assert.Equal(0, await Sql.RowsAsApp(two.Database, tenant, ada, null, $"UPDATE llm_configs SET model = 'x' WHERE owner_id = '{bob}'"));
        Assert.Equal(0, await Sql.RowsAsApp(two.Database, tenant, ada, null, $"DELETE FROM llm_configs WHERE owner_id = '{bob}'"));
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, ada, null, $"UPDATE llm_configs SET owner_id = '{bob}' WHERE owner_id = '{ada}'");
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, ada, null, $"UPDATE llm_configs SET owner_id = NULL WHERE owner_id = '{ada}'");
        await Sql.ShouldBeRefusedAsApp(two.Database, tenant, ada, null,
            $"INSERT INTO llm_configs (tenant_id, id, owner_id, name, created_at, updated_at) VALUES ('{tenant}', '{Guid.NewGuid()}', '{bob}', 'planted', now(), now())");
    }
}
