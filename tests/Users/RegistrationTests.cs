namespace PersonaActors.Tests.Users;

public sealed class RegistrationTests : IAsyncLifetime
{
    // A tenant for each test: they count what is there.
    private readonly Room _room = new();

    private ApiClient Service => _room.Service;

    public Task InitializeAsync() => _room.InitializeAsync();

    public Task DisposeAsync() => _room.DisposeAsync();

    [Fact]
    public async Task A_thousand_concurrent_registrations_of_five_hundred_identities_make_five_hundred_users_and_personas()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => Service.Post("/v1/users", new
        {
            username = $"user {i % 500}",
            identities = new[] { new { provider = "test", subject = $"person-{i % 500}" } },
        })));

        Assert.All(answers, answer => Assert.True(answer.Status is HttpStatusCode.Created or HttpStatusCode.OK, answer.Text));
        Assert.Equal(500, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.Equal(500, answers.Select(answer => answer.Id).Distinct().Count());
        Assert.Equal(500L, await Count("users"));
        Assert.Equal(500L, await Count("personas", "EXISTS (SELECT FROM user_default_personas d WHERE d.persona_id = id AND d.user_id = owner_id)"));
        Assert.Equal(500L, await Count("personas"));
        Assert.Equal(500L, await Count("events", "type = 'user.registered'"));
    }

    [Fact]
    public async Task A_later_registration_gives_a_placeholder_its_real_name_and_changes_nothing_else()
    {
        var identities = new[] { new { provider = "discord", subject = "123456789012345678" } };
        var first = await Service.Post("/v1/users", new { username = "User 123456789012345678", identities });
        first.Should(HttpStatusCode.Created);
        var renamed = (await Service.Post("/v1/users", new { username = "ada", identities })).Should(HttpStatusCode.OK);
        Assert.Equal(first.Id, renamed.Id);
        Assert.Equal("ada", (string?)renamed.Json["username"]);
        var again = (await Service.Post("/v1/users", new { username = "someone else", identities })).Should(HttpStatusCode.OK);
        Assert.Equal("ada", (string?)again.Json["username"]);
    }

    [Fact]
    public async Task A_placeholders_real_name_is_its_default_personas_too_where_nobody_chose_another()
    {
        var one = new[] { new { provider = "discord", subject = "123456789012345678" } };
        var user = (await Service.Post("/v1/users", new { username = "User 123456789012345678", identities = one })).Should(HttpStatusCode.Created).Id;
        (await Service.Post("/v1/users", new { username = "ada", displayName = "Ada", bio = "I paint.", identities = one })).Should(HttpStatusCode.OK);
        var persona = Assert.Single((await Service.Get($"/v1/personas?user={user}")).Should(HttpStatusCode.OK).Json["items"]!.AsArray())!;
        Assert.Equal(("ada", "Ada", "I paint."), ((string)persona["name"]!, (string)persona["preferredName"]!, (string)persona["content"]!));

        var two = new[] { new { provider = "discord", subject = "123456789012345679" } };
        user = (await Service.Post("/v1/users", new { username = "User 123456789012345679", identities = two })).Should(HttpStatusCode.Created).Id;
        var chosen = (string)(await Service.Get($"/v1/users/{user}")).Json["defaultPersonaId"]!;
        (await Service.Patch($"/v1/personas/{chosen}", new { preferredName = "Bo", content = "I sail." })).Should(HttpStatusCode.OK);
        // The name is taken by another of the user's personas; what can be, is given all the same.
        (await Service.Post($"/v1/personas?user={user}", new { name = "BOB" })).Should(HttpStatusCode.Created);
        (await Service.Post("/v1/users", new { username = "bob", displayName = "Bob", bio = "?", identities = two })).Should(HttpStatusCode.OK);
        var kept = (await Service.Get($"/v1/personas/{chosen}")).Json;
        Assert.Equal(("User 123456789012345679", "Bo", "I sail."), ((string)kept["name"]!, (string)kept["preferredName"]!, (string)kept["content"]!));
        Assert.Equal("bob", (string)(await Service.Get($"/v1/users/{user}")).Json["username"]!);
    }

    [Fact]
    public async Task Identities_of_two_users_are_a_conflict()
    {
        await Service.Register("a", "one");
        await Service.Register("b", "two");
        var both = await Service.Post("/v1/users", new
        {
            username = "c",
            identities = new[] { new { provider = "test", subject = "one" }, new { provider = "test", subject = "two" } },
        });
        both.ShouldRefuse(HttpStatusCode.Conflict, "identity_conflict");
    }

    [Fact]
    public async Task The_default_persona_is_the_person_who_registers()
    {
        async Task<(string, string, string)> Default(string subject, string? displayName, string? bio)
        {
            var user = (await Service.Post("/v1/users", new { username = "ada", displayName, bio, identities = new[] { new { provider = "test", subject } } })).Should(HttpStatusCode.Created);
            var persona = (await Service.Get($"/v1/personas/{(string)user.Json["defaultPersonaId"]!}")).Should(HttpStatusCode.OK).Json;
            return ((string)persona["name"]!, (string)persona["preferredName"]!, (string)persona["content"]!);
        }

        Assert.Equal(("ada", "Ada", "I paint."), await Default("one", "Ada", "I paint."));
        Assert.Equal(("ada", "ada", ""), await Default("two", null, null));
    }

    [Fact]
    public async Task An_identity_is_attached_by_saying_so_and_never_by_registering()
    {
        var ada = await Service.Register("ada", "one");
        var bob = await Service.Register("bob", "two");
        var known = (await Service.Post("/v1/users", new
        {
            username = "ada",
            identities = new[] { new { provider = "test", subject = "one" }, new { provider = "test", subject = "new" } },
        })).Should(HttpStatusCode.OK);
        Assert.Equal(ada, known.Id);
        Assert.Single(known.Json["identities"]!.AsArray());
        (await Service.Get("/v1/users/by-identity/test/new")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");

        (await Service.Put($"/v1/users/{ada}/identities", new { provider = "test", subject = "two" })).ShouldRefuse(HttpStatusCode.Conflict, "identity_conflict");
        Assert.Equal(bob, (await Service.Get("/v1/users/by-identity/test/two")).Should(HttpStatusCode.OK).Id);
        (await Service.Put($"/v1/users/{ada}/identities", new { provider = "test", subject = "new" })).Should(HttpStatusCode.OK);
        Assert.Equal(ada, (await Service.Get("/v1/users/by-identity/test/new")).Should(HttpStatusCode.OK).Id);
    }

    private Task<long> Count(string table, string where = "true") =>
        Sql.Ask<long>(_room.Database.Superuser, $"SELECT count(*) FROM {table} WHERE tenant_id = '{_room.Tenant}' AND {where}");
}
