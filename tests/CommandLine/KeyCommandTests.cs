using static PersonaActors.Tests.CommandLine.Terminal;

namespace PersonaActors.Tests.CommandLine;

/// <summary>Keys, as an operator makes and ends them.</summary>
public sealed class KeyCommandTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.Create();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_key_made_on_the_command_line_opens_a_serving_node_and_revoked_there_closes_it()
    {
        await using var node = await Node.Start(_database);
        var made = Json(await RunProcess("", Logins(_database), "keys", "create", "--operator", "--name", "ops", "--json"));
        using var operators = node.Client((string)made["key"]!);
        var tenant = (await operators.Post("/v1/tenants", new { name = "acme" })).Should(HttpStatusCode.Created);
        var service = Json(await RunOn(_database, "keys", "create", "--tenant", "acme", "--kind", "service", "--name", "bot", "--json"));
        using var bot = node.Client((string)service["key"]!);
        (await bot.Post("/v1/users", new { username = "ada" })).Should(HttpStatusCode.Created);

        var listed = Json(await RunOn(_database, "keys", "list", "--tenant", tenant.Id.ToString(), "--json"))["keys"]!.AsArray();
        var id = (string)Assert.Single(listed)!["id"]!;
        Assert.Equal(0, (await RunOn(_database, "keys", "revoke", id)).Code);
        await Eventually.True("the serving node knows of the revocation", async () =>
            (await bot.Get("/v1/users")).Status == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_key_is_revoked_where_its_id_follows_a_switch()
    {
        await RunOn(_database, "keys", "create", "--operator", "--name", "ops");
        var id = (string)Assert.Single(Json(await RunOn(_database, "keys", "list", "--json"))["keys"]!.AsArray())!["id"]!;
        Assert.Equal(id, (string)Json(await RunOn(_database, "keys", "revoke", "--json", id))["revoked"]!);
        Assert.Equal(id, (string)Json(await RunOn(_database, "keys", "revoke", "--json", id))["revoked"]!);
        var unknown = await RunOn(_database, "keys", "revoke", Guid.NewGuid().ToString());
        Assert.Equal(1, unknown.Code);
        Assert.Contains("There is no key", unknown.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_keys_are_listed_where_no_tenant_is_named()
    {
        var tenant = (Guid)Json(await RunOn(_database, "seed", "--json"))["tenant"]!;
        await RunOn(_database, "keys", "create", "--operator", "--name", "ops");
        await RunOn(_database, "keys", "create", "--tenant", "demo", "--kind", "service", "--name", "bot");
        Assert.Equal(["/ops", "demo/bot", "demo/demo"], await Listed());
        Assert.Equal(["/ops"], await Listed("--operator"));
        Assert.Equal(["demo/bot", "demo/demo"], await Listed("--tenant", "demo"));
        Assert.Equal(["demo/bot", "demo/demo"], await Listed("--tenant", tenant.ToString()));
        await IsMisuse(Logins(_database), "no tenant 'nobody'", "keys", "list", "--tenant", "nobody");
        await IsMisuse(Logins(_database), "no tenant '00000000-0000-0000-0000-000000000001'", "keys", "list", "--tenant", "00000000-0000-0000-0000-000000000001");

        async Task<string[]> Listed(params string[] whose)
        {
            var keys = Json(await RunOn(_database, ["keys", "list", "--json", .. whose]))["keys"]!.AsArray();
            return [.. keys.Select(key => $"{key!["tenantName"]}/{key["name"]}").Order(StringComparer.Ordinal)];
        }
    }

    [Fact]
    public async Task A_key_that_contradicts_itself_is_not_made()
    {
        await RunOn(_database, "seed");
        await IsRefused("--operator", "--operator", "--tenant", "alpha", "--kind", "service", "--name", "x");
        await IsRefused("--operator", "--operator", "--tenant", "alpha", "--name", "x");
        await IsRefused("--operator", "--operator", "--kind", "service", "--name", "x");
        await IsRefused("--operator", "--operator", "--user", "565bdb63-124b-4692-a039-846fddceff90", "--name", "x");
        await IsRefused("--operator", "--operator", "--delegate", "--name", "x");
        await IsRefused("--operator", "--kind", "service", "--name", "x");
        await IsRefused("acts as its user", "--tenant", "demo", "--kind", "user", "--user", "565bdb63-124b-4692-a039-846fddceff90", "--delegate", "--name", "x");
        await IsRefused("--kind", "--tenant", "demo", "--name", "x");
        await IsRefused("user", "--tenant", "demo", "--kind", "user", "--name", "x");
        await IsRefused("'name'", "--operator", "--name", "a\u001b[2Jb");
        await IsRefused("'name'", "--operator", "--name", "a\nb");
        Assert.Single(Json(await RunOn(_database, "keys", "list", "--json"))["keys"]!.AsArray());

        Task IsRefused(string says, params string[] arguments) => IsMisuse(Logins(_database), says, ["keys", "create", .. arguments]);
    }
}
