using Npgsql;

namespace PersonaActors.Tests.UserPersonas;

/// <summary>User personas and their usage kept apart by PostgreSQL itself: all of it as the app login, with no code of ours between.</summary>
public sealed class UserPersonaIsolationTests(Room room) : IClassFixture<Room>, IAsyncLifetime
{
    private Guid _tenant;
    private Guid _other;
    private Guid _ada;
    private Guid _bob;
    private Guid _eve;
    private Guid _private;
    private Guid _public;
    private Guid _eves;

    /// <summary>Two tenants for each test: they count what is there.</summary>
    public async Task InitializeAsync()
    {
        (_tenant, var admin) = await room.NewTenant();
        (_other, var otherAdmin) = await room.NewTenant();
        using var service = room.Node.Client(await room.Node.ServiceKey(_tenant));
        using var elsewhere = room.Node.Client(await room.Node.ServiceKey(_other));
        (_ada, _bob, _eve) = (await service.Register("ada"), await service.Register("bob"), await elsewhere.Register("eve"));
        _private = await Make(service, _ada, false);
        _public = await Make(service, _ada, true);
        _eves = await Make(elsewhere, _eve, true);
        admin.Dispose();
        otherAdmin.Dispose();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("user_personas")]
    [InlineData("persona_usage_log")]
    public async Task Without_settings_and_with_those_of_an_earlier_transaction_nothing_is_seen(string table)
    {
        Assert.Equal(0, await Sql.CountAsApp(room.Database, null, null, null, $"SELECT count(*) FROM {table}"));
        Assert.Equal(0, await Sql.CountAsApp(room.Database, _tenant, null, null, $"SELECT count(*) FROM {table}"));
        await using var connection = new NpgsqlConnection(room.Database.App);
        await connection.OpenAsync();
        await using (var earlier = new NpgsqlCommand(
            $"SELECT set_config('app.current_tenant_id', '{_tenant}', true), set_config('app.user_id', '{_ada}', true), set_config('app.scope', 'tenant', true)", connection))
        {
            await earlier.ExecuteNonQueryAsync();
        }

        await using var after = new NpgsqlCommand($"SELECT count(*) FROM {table}", connection);
        Assert.Equal(0L, await after.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_member_sees_its_own_and_what_is_public_in_its_tenant()
    {
        const string all = "SELECT count(*) FROM user_personas";
        Assert.Equal(2, await Sql.CountAsApp(room.Database, _tenant, _ada, null, all));
        Assert.Equal(1, await Sql.CountAsApp(room.Database, _tenant, _bob, null, all));
        Assert.Equal(1, await Sql.CountAsApp(room.Database, _other, _eve, null, all));
        Assert.Equal(1, await Sql.CountAsApp(room.Database, _other, _ada, null, all));
        Assert.Equal(2, await Sql.CountAsApp(room.Database, _tenant, null, "tenant", all));
        const string log = "SELECT count(*) FROM persona_usage_log";
        Assert.Equal(2, await Sql.CountAsApp(room.Database, _tenant, _ada, null, log));
        Assert.Equal(0, await Sql.CountAsApp(room.Database, _tenant, _bob, null, log));
        Assert.Equal(2, await Sql.CountAsApp(room.Database, _tenant, null, "tenant", log));
    }

    [Fact]
    public async Task Nobody_else_changes_deletes_publishes_or_takes_one()
    {
        foreach (var persona in new[] { _private, _public })
        {
            foreach (var (tenant, user, scope) in new[] { (_tenant, _bob, (string?)null), (_other, _eve, null), (_other, _ada, null), (_other, _eve, "tenant") })
            {
                Assert.Equal(0, await Sql.RowsAsApp(room.Database, tenant, user, scope, $"UPDATE user_personas SET persona_name = 'taken' WHERE id = '{persona}'"));
                Assert.Equal(0, await Sql.RowsAsApp(room.Database, tenant, user, scope, $"UPDATE user_personas SET is_public = true WHERE id = '{persona}'"));
                Assert.Equal(0, await Sql.RowsAsApp(room.Database, tenant, user, scope, $"UPDATE user_personas SET user_id = '{user}' WHERE id = '{persona}'"));
                Assert.Equal(0, await Sql.RowsAsApp(room.Database, tenant, user, scope, $"DELETE FROM user_personas WHERE id = '{persona}'"));
            }
        }

        // Nor is one given away.
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, _ada, null, $"UPDATE user_personas SET user_id = '{_bob}' WHERE id = '{_private}'");
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, _ada, null, $"UPDATE user_personas SET tenant_id = '{_other}' WHERE id = '{_private}'");
    }

    [Fact]
    public async Task Nothing_is_inserted_for_another_user_or_tenant()
    {
        const string insert = "INSERT INTO user_personas (tenant_id, id, user_id, persona_name, system_prompt, created_at, updated_at) VALUES ('{0}', '{1}', '{2}', 'x', 'x', now(), now())";
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, _ada, null, string.Format(null, insert, _tenant, Guid.NewGuid(), _bob));
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, _ada, "tenant", string.Format(null, insert, _other, Guid.NewGuid(), _eve));
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, null, "tenant", string.Format(null, insert, _tenant, Guid.NewGuid(), _eve), "23503");
    }

    [Fact]
    public async Task Uses_are_logged_for_oneself_of_what_one_may_use_and_never_rewritten()
    {
        const string insert = "INSERT INTO persona_usage_log (tenant_id, id, persona_id, user_id, created_at) VALUES ('{0}', '{1}', '{2}', '{3}', now())";
        Assert.Equal(1, await Sql.RowsAsApp(room.Database, _tenant, _bob, null, string.Format(null, insert, _tenant, Guid.NewGuid(), _public, _bob)));
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, _bob, null, string.Format(null, insert, _tenant, Guid.NewGuid(), _private, _bob));
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, _bob, null, string.Format(null, insert, _tenant, Guid.NewGuid(), _public, _ada));
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, _bob, null, string.Format(null, insert, _tenant, Guid.NewGuid(), _eves, _bob));
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, _bob, null, string.Format(null, insert, _other, Guid.NewGuid(), _eves, _bob));
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, _ada, null, "UPDATE persona_usage_log SET tokens_used = 1");
        await Sql.ShouldBeRefusedAsApp(room.Database, _tenant, _ada, null, "DELETE FROM persona_usage_log");
    }

    private static async Task<Guid> Make(ApiClient client, Guid owner, bool isPublic)
    {
        var id = (await client.Post($"/v1/user-personas?user={owner}", new { name = "a", systemPrompt = "p", isPublic })).Should(HttpStatusCode.Created).Id;
        (await client.Post($"/v1/user-personas/{id}/usage?user={owner}", new { })).Should(HttpStatusCode.Created);
        return id;
    }
}
