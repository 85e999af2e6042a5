using Npgsql;

namespace PersonaActors.Tests.Security;

/// <summary>Catalogues and personalities kept apart by PostgreSQL itself: everything here runs as the app login, with no code of ours between.</summary>
public sealed class CatalogueIsolationTests(CatalogueIsolationTests.Stocked stocked) : IClassFixture<CatalogueIsolationTests.Stocked>
{
    private readonly Room _room = stocked.Room;

    /// <summary>Two tenants, each with something in every table; in the first, things of Ada's and Bob's.</summary>
    public sealed class Stocked : IAsyncLifetime
    {
        public Room Room { get; } = new OwnRoom();

        public Guid Other { get; private set; }

        public Person Ada { get; private set; } = null!;

        public Person Bob { get; private set; } = null!;

        public Guid AdasPersonality { get; private set; }

        public async Task InitializeAsync()
        {
            await Room.InitializeAsync();
            (Other, var otherAdmin) = await Room.NewTenant();
            Ada = await Room.NewPerson("ada");
            Bob = await Room.NewPerson("bob");
            foreach (var admin in (ApiClient[])[Room.Admin, otherAdmin])
            {
                (await admin.Post("/v1/system-prompts", new { name = "p", content = "c" })).Should(HttpStatusCode.Created);
                var config = (await admin.Post("/v1/llm-configs", new { name = "global", model = "m" })).Should(HttpStatusCode.Created);
                (await admin.Post("/v1/focus-modes", new { modeName = "ours", systemPrompt = "s" })).Should(HttpStatusCode.Created);
                (await admin.Post("/v1/personalities", new { name = "x", slug = "admins-own", characterInfo = "", personalityTraits = "" })).Should(HttpStatusCode.Created);
                (await admin.Put("/v1/personalities/admins-own/default-llm-config", new { llmConfigId = config.Id })).Should(HttpStatusCode.OK);
                (await admin.Put("/v1/personalities/admins-own/aliases/boss", null)).Should(HttpStatusCode.OK);
            }

            var eve = await otherAdmin.Register("eve");
            (await otherAdmin.Put($"/v1/personalities/admins-own/owners/{eve}", new { role = "owner" })).Should(HttpStatusCode.OK);
            foreach (var person in (Person[])[Ada, Bob])
            {
                var made = (await person.Client.Post("/v1/personalities", new { name = "x", slug = $"of-{person.Id:N}", characterInfo = "", personalityTraits = "" })).Should(HttpStatusCode.Created);
                (await person.Client.Put($"/v1/personalities/of-{person.Id:N}/aliases/mine?personal=true", null)).Should(HttpStatusCode.OK);
                AdasPersonality = person == Ada ? made.Id : AdasPersonality;
            }

            await Room.AsApp(Room.Tenant, null, "tenant", async connection =>
            {
                foreach (var person in (Person[])[Ada, Bob])
                {
                    await using var insert = new NpgsqlCommand(
                        "INSERT INTO llm_configs (tenant_id, id, owner_id, name, created_at, updated_at) VALUES ($1, $2, $3, 'own', now(), now())", connection);
                    insert.Parameters.Add(new NpgsqlParameter { Value = Room.Tenant });
                    insert.Parameters.Add(new NpgsqlParameter { Value = Guid.NewGuid() });
                    insert.Parameters.Add(new NpgsqlParameter { Value = person.Id });
                    await insert.ExecuteNonQueryAsync();
                }

                await using var keep = new NpgsqlCommand("COMMIT", connection);
                return await keep.ExecuteNonQueryAsync();
            });
        }

        public Task DisposeAsync() => Room.DisposeAsync();
    }

    public static TheoryData<string> Tables =>
        ["catalogues", "system_prompts", "llm_configs", "focus_modes", "personalities", "personality_owners", "personality_default_configs", "personality_aliases"];

    [Theory]
    [MemberData(nameof(Tables))]
    public async Task Without_settings_nothing_is_seen_changed_or_deleted(string table)
    {
        Assert.Equal(0, await _room.RowsAsApp(null, null, null, $"SELECT count(*) FROM {table}"));
        Assert.Equal(0, await _room.RowsAsApp(null, null, null, $"UPDATE {table} SET tenant_id = tenant_id"));
        Assert.Equal(0, await _room.RowsAsApp(null, null, null, $"DELETE FROM {table}"));
        Assert.Equal(0, await _room.RowsAsApp(null, stocked.Ada.Id, null, $"SELECT count(*) FROM {table}"));
        Assert.Equal(0, await _room.RowsAsApp(null, null, "tenant", $"SELECT count(*) FROM {table} WHERE tenant_id IS NOT NULL"));
    }

    [Theory]
    [MemberData(nameof(Tables))]
    public async Task Of_another_tenant_nothing_is_seen_changed_deleted_or_moved(string table)
    {
        Assert.True(await _room.RowsAsApp(stocked.Other, null, "tenant", $"SELECT count(*) FROM {table} WHERE tenant_id = '{stocked.Other}'") > 0);
        foreach (var scope in (string?[])[null, "tenant", "operator"])
        {
            Assert.Equal(0, await _room.RowsAsApp(_room.Tenant, stocked.Ada.Id, scope, $"SELECT count(*) FROM {table} WHERE tenant_id = '{stocked.Other}'"));
            Assert.Equal(0, await _room.RowsAsApp(_room.Tenant, stocked.Ada.Id, scope, $"UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = '{stocked.Other}'"));
            Assert.Equal(0, await _room.RowsAsApp(_room.Tenant, stocked.Ada.Id, scope, $"DELETE FROM {table} WHERE tenant_id = '{stocked.Other}'"));
        }

        Assert.Equal(-1, await _room.RowsAsApp(_room.Tenant, null, "tenant", $"UPDATE {table} SET tenant_id = '{stocked.Other}' WHERE tenant_id = '{_room.Tenant}'"));
    }

    [Theory]
    [InlineData("catalogues", "(tenant_id, version) VALUES ({0}, 1)")]
    [InlineData("system_prompts", "(tenant_id, id, name, content, created_at, updated_at) VALUES ({0}, gen_random_uuid(), 'n', 'c', now(), now())")]
    [InlineData("llm_configs", "(tenant_id, id, name, created_at, updated_at) VALUES ({0}, gen_random_uuid(), 'n', now(), now())")]
    [InlineData("focus_modes", "(tenant_id, id, mode_name, display_name, system_prompt, created_at, updated_at) VALUES ({0}, gen_random_uuid(), 'n', 'n', 's', now(), now())")]
    [InlineData("personalities", "(tenant_id, id, name, slug, display_name, character_info, personality_traits, created_at, updated_at) VALUES ({0}, gen_random_uuid(), 'n', 'new-slug', 'n', '', '', now(), now())")]
    [InlineData("personality_owners", "(tenant_id, personality_id, user_id, role, created_at) VALUES ({0}, {2}, {1}, 'owner', now())")]
    [InlineData("personality_default_configs", "(tenant_id, personality_id, llm_config_id, updated_at) VALUES ({0}, {2}, gen_random_uuid(), now())")]
    [InlineData("personality_aliases", "(tenant_id, alias, personality_id, created_at) VALUES ({0}, 'word', {2}, now())")]
    public async Task Nothing_is_inserted_into_another_tenant_nor_by_a_user_for_the_whole_tenant(string table, string values)
    {
        string Insert(Guid tenant) => $"INSERT INTO {table} {string.Format(null, values, $"'{tenant}'", $"'{stocked.Bob.Id}'", $"'{stocked.AdasPersonality}'")}";
        Assert.Equal(-1, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, Insert(_room.Tenant)));
        foreach (var scope in (string?[])[null, "tenant", "operator"])
        {
            Assert.Equal(-1, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, scope, Insert(stocked.Other)));
        }
    }

    [Theory]
    [MemberData(nameof(Tables))]
    public async Task A_user_changes_nothing_but_its_own_configs_and_aliases(string table)
    {
        var own = table is "llm_configs" or "personality_aliases" ? 1 : 0;
        Assert.Equal(own, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, $"UPDATE {table} SET tenant_id = tenant_id"));
        Assert.Equal(own, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, $"DELETE FROM {table}"));
    }

    [Fact]
    public async Task A_user_sees_the_global_configs_and_its_own_and_gives_none_away()
    {
        Assert.Equal(2, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, "SELECT count(*) FROM llm_configs"));
        Assert.Equal(0, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, $"SELECT count(*) FROM llm_configs WHERE owner_id = '{stocked.Ada.Id}'"));
        Assert.Equal(3, await _room.RowsAsApp(_room.Tenant, null, "tenant", "SELECT count(*) FROM llm_configs"));
        Assert.Equal(-1, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, $"UPDATE llm_configs SET owner_id = '{stocked.Ada.Id}' WHERE owner_id = '{stocked.Bob.Id}'"));
        Assert.Equal(-1, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, $"UPDATE llm_configs SET owner_id = NULL WHERE owner_id = '{stocked.Bob.Id}'"));
    }

    [Fact]
    public async Task A_user_sees_its_own_and_public_personalities_roles_and_aliases_only()
    {
        Assert.Equal(1, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, "SELECT count(*) FROM personalities"));
        Assert.Equal(0, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, $"SELECT count(*) FROM personalities WHERE id = '{stocked.AdasPersonality}'"));
        Assert.Equal(1, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, "SELECT count(*) FROM personality_owners"));
        Assert.Equal(0, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, "SELECT count(*) FROM personality_default_configs"));
        Assert.Equal(2, await _room.RowsAsApp(_room.Tenant, stocked.Bob.Id, null, "SELECT count(*) FROM personality_aliases"));
        Assert.Equal(0, await _room.RowsAsApp(_room.Tenant, null, null, "SELECT count(*) FROM personalities"));
        Assert.Equal(3, await _room.RowsAsApp(_room.Tenant, null, "tenant", "SELECT count(*) FROM personalities"));
    }

    [Fact]
    public async Task A_system_mode_is_read_by_all_and_written_by_operators_only()
    {
        const string insert = "INSERT INTO focus_modes (tenant_id, id, mode_name, display_name, system_prompt, created_at, updated_at) VALUES (NULL, gen_random_uuid(), 'x', 'x', 'x', now(), now())";
        foreach (var scope in (string?[])[null, "tenant"])
        {
            Assert.Equal(5, await _room.RowsAsApp(_room.Tenant, stocked.Ada.Id, scope, "SELECT count(*) FROM focus_modes WHERE tenant_id IS NULL"));
            Assert.Equal(0, await _room.RowsAsApp(_room.Tenant, stocked.Ada.Id, scope, "UPDATE focus_modes SET system_prompt = 'mine' WHERE tenant_id IS NULL"));
            Assert.Equal(0, await _room.RowsAsApp(_room.Tenant, stocked.Ada.Id, scope, "DELETE FROM focus_modes WHERE tenant_id IS NULL"));
            Assert.Equal(-1, await _room.RowsAsApp(_room.Tenant, stocked.Ada.Id, scope, insert));
        }

        // Nor can a tenant's mode be made a system one, nor the other way round.
        Assert.Equal(-1, await _room.RowsAsApp(_room.Tenant, null, "tenant", $"UPDATE focus_modes SET tenant_id = NULL WHERE tenant_id = '{_room.Tenant}'"));
        Assert.Equal(0, await _room.RowsAsApp(_room.Tenant, null, "tenant", $"UPDATE focus_modes SET tenant_id = '{_room.Tenant}' WHERE tenant_id IS NULL"));
        Assert.Equal(1, await _room.RowsAsApp(null, null, "operator", insert));
        Assert.Equal(5, await _room.RowsAsApp(null, null, "operator", "UPDATE focus_modes SET system_prompt = system_prompt"));
    }

    [Theory]
    [InlineData("code")]
    [InlineData("general")]
    public async Task Also_from_SQL_a_tenants_mode_does_not_take_a_system_modes_name(string name)
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => _room.RowsAsApp(_room.Tenant, null, "tenant",
            $"INSERT INTO focus_modes (tenant_id, id, mode_name, display_name, system_prompt, created_at, updated_at) VALUES ('{_room.Tenant}', gen_random_uuid(), '{name}', 'x', 'x', now(), now())"));
        Assert.Equal(PostgresErrorCodes.UniqueViolation, refused.SqlState);
        refused = await Assert.ThrowsAsync<PostgresException>(() => _room.RowsAsApp(null, null, "operator",
            "INSERT INTO focus_modes (tenant_id, id, mode_name, display_name, system_prompt, created_at, updated_at) VALUES (NULL, gen_random_uuid(), 'ours', 'x', 'x', now(), now())"));
        Assert.Equal(PostgresErrorCodes.UniqueViolation, refused.SqlState);
    }

    [Fact]
    public async Task References_carry_the_tenant()
    {
        var elsewhere = await _room.AsApp(stocked.Other, null, "tenant", async connection =>
        {
            await using var command = new NpgsqlCommand("SELECT (SELECT id FROM llm_configs LIMIT 1), (SELECT id FROM system_prompts LIMIT 1)", connection);
            await using var row = await command.ExecuteReaderAsync();
            await row.ReadAsync();
            return (Config: row.GetGuid(0), Prompt: row.GetGuid(1));
        });
        foreach (var sql in (string[])
        [
            $"UPDATE personality_default_configs SET llm_config_id = '{elsewhere.Config}' WHERE tenant_id = '{_room.Tenant}'",
            $"UPDATE personalities SET system_prompt_id = '{elsewhere.Prompt}' WHERE tenant_id = '{_room.Tenant}'",
        ])
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => _room.RowsAsApp(_room.Tenant, null, "tenant", sql));
            Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, refused.SqlState);
        }
    }
}
