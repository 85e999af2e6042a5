using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using PersonaActors.Gateway.Auth;

namespace PersonaActors.Tests.Security;

public sealed class KeyTests(ClockedRoom room) : IClassFixture<ClockedRoom>, IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = room.Clock;
    private readonly Node _node = room.Node;
    private ApiClient _admin = null!;
    private Guid _ada;

    public async Task InitializeAsync()
    {
        _admin = _node.Client(await _node.AdminKey());
        _ada = await _admin.Register("ada");
    }

    public Task DisposeAsync()
    {
        _admin.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_revoked_key_opens_nothing_from_the_answer_on_and_neither_do_its_tokens()
    {
        var made = (await _admin.Post("/v1/keys", new { kind = "service", name = "bot" })).Should(HttpStatusCode.Created);
        using var bot = _node.Client((string)made.Json["key"]!);
        (await bot.Get($"/v1/users/{_ada}")).Should(HttpStatusCode.OK);
        var token = (await bot.Post("/v1/tokens", new { user = _ada, audience = "api" })).Should(HttpStatusCode.Created);
        using var browser = _node.Client((string)token.Json["token"]!);
        (await browser.Get($"/v1/users/{_ada}")).Should(HttpStatusCode.OK);

        (await _admin.Delete($"/v1/keys/{made.Id}")).Should(HttpStatusCode.NoContent);
        (await bot.Get($"/v1/users/{_ada}")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
        (await browser.Get($"/v1/users/{_ada}")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
    }

    [Theory]
    [InlineData("a\u001b[2Jb")]
    [InlineData("a\nb")]
    [InlineData("a\u0085b")]
    public async Task A_keys_name_has_no_control_characters(string name) =>
        (await _admin.Post("/v1/keys", new { kind = "service", name })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");

    [Fact]
    public async Task A_key_is_shown_once_and_a_repeat_of_its_creation_comes_without_it()
    {
        var first = (await _admin.Post("/v1/keys", new { kind = "service", name = "bot" }, ("Idempotency-Key", "make"))).Should(HttpStatusCode.Created);
        var second = (await _admin.Post("/v1/keys", new { kind = "service", name = "bot" }, ("Idempotency-Key", "make"))).Should(HttpStatusCode.Created);
        Assert.Equal(first.Id, second.Id);
        Assert.StartsWith("pa_", (string?)first.Json["key"], StringComparison.Ordinal);
        Assert.Null((string?)second.Json["key"]);
        Assert.DoesNotContain((string)first.Json["key"]!, (await _admin.Get("/v1/keys")).Text, StringComparison.Ordinal);
        Assert.Equal($"/v1/keys/{first.Id}", first.Headers.Location!.ToString());
        var read = (await _admin.Get(first.Headers.Location!.ToString())).Should(HttpStatusCode.OK);
        Assert.Equal("bot", (string?)read.Json["name"]);
        Assert.Null((string?)read.Json["key"]);
    }

    [Fact]
    public async Task A_token_that_is_altered_in_any_part_opens_nothing()
    {
        var made = (await _admin.Post("/v1/tokens", new { user = _ada, audience = "api" })).Should(HttpStatusCode.Created);
        var token = (string)made.Json["token"]!;
        using (var whole = _node.Client(token))
        {
            (await whole.Get($"/v1/users/{_ada}")).Should(HttpStatusCode.OK);
        }

        for (var i = 3; i < token.Length; i++)
        {
            var altered = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            using var client = _node.Client(altered);
            var answer = await client.Get($"/v1/users/{_ada}");
            // The last character carries bits that decode to nothing; what decodes the same is the same token.
            Assert.True(answer.Status == HttpStatusCode.Unauthorized || i == token.Length - 1, $"altered at {i}: {answer.Text}");
        }
    }

    [Fact]
    public async Task A_token_expires_to_the_second_and_is_for_what_it_was_made_for()
    {
        var made = (await _admin.Post("/v1/tokens", new { user = _ada, minutes = 1, audience = "api" })).Should(HttpStatusCode.Created);
        using var client = _node.Client((string)made.Json["token"]!);
        var expires = (DateTimeOffset)made.Json["expiresAt"]!;
        _clock.Advance(expires - _clock.GetUtcNow() - TimeSpan.FromMilliseconds(1));
        (await client.Get($"/v1/users/{_ada}")).Should(HttpStatusCode.OK);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        (await client.Get($"/v1/users/{_ada}")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");

        var realtime = (await _admin.Post("/v1/tokens", new { user = _ada })).Should(HttpStatusCode.Created);
        using var hub = _node.Client((string)realtime.Json["token"]!);
        (await hub.Get($"/v1/users/{_ada}")).ShouldRefuse(HttpStatusCode.Forbidden, "token_audience");
    }

    [Fact]
    public async Task A_guessed_token_or_key_opens_nothing()
    {
        foreach (var guess in (string[])["pa_", "pt_", "pa_" + new string('A', 43), "pt_" + new string('A', 97), "pt_" + new string('A', 98), "nonsense", new string('x', 5000)])
        {
            using var client = _node.Client(guess);
            (await client.Get("/v1/users")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
        }
    }

    [Fact]
    public async Task A_wrong_key_costs_one_query_however_often_it_is_shown()
    {
        var lookups = 0;
        var name = room.Database.Name;
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = command =>
            {
                var tags = command.TagObjects.Select(tag => tag.Value?.ToString()).ToList();
                if (tags.Contains(name) && tags.Any(tag => tag?.Contains("find_api_key", StringComparison.Ordinal) is true))
                {
                    Interlocked.Increment(ref lookups);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        foreach (var wrong in (string[])["pa_" + new string('B', 43), Forged()])
        {
            lookups = 0;
            using var client = _node.Client(wrong);
            for (var i = 0; i < 50; i++)
            {
                (await client.Get("/v1/users")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
            }

            Assert.Equal(1, lookups);
        }
    }

    /// <summary>A token of a key that nobody has.</summary>
    private string Forged()
    {
        var forged = RandomNumberGenerator.GetBytes(73);
        BinaryPrimitives.WriteInt64LittleEndian(forged.AsSpan(33), _clock.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds());
        return "pt_" + Base64Url.EncodeToString(forged);
    }

    [Fact]
    public async Task Who_guesses_keys_is_told_to_wait_and_costs_no_query_more_while_keys_that_are_held_go_on_opening()
    {
        await using var database = await TestDatabase.Create();
        await using var node = await Node.Start(database, _clock);
        using var admin = node.Client(await node.AdminKey());
        (await admin.Get("/v1/users")).Should(HttpStatusCode.OK);
        ApiAnswer answer;
        var guesses = 0;
        do
        {
            using var client = node.Client(guesses % 2 == 0 ? "pa_" + Convert.ToHexStringLower(Guid.NewGuid().ToByteArray()) + new string('x', 11) : Forged());
            answer = await client.Get("/v1/users");
        }
        while (answer.Status == HttpStatusCode.Unauthorized && ++guesses < 100);

        answer.ShouldRefuse(HttpStatusCode.TooManyRequests, "too_many_requests");
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Equal(WrongKeys.PerMinute, guesses + 1);
        (await admin.Get("/v1/users")).Should(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_user_key_is_its_user_and_nobody_else()
    {
        var bob = await _admin.Register("bob");
        using var ada = _node.Client(await _node.UserKey(_ada));
        (await ada.Get($"/v1/users/{_ada}")).Should(HttpStatusCode.OK);
        (await ada.Get($"/v1/users/{bob}")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await ada.Patch($"/v1/users/{bob}", new { username = "mine" })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await ada.Delete($"/v1/users/{bob}")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await ada.Get($"/v1/personas?user={bob}")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await ada.Get("/v1/users", ("X-Persona-User", bob.ToString()))).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        (await ada.Post("/v1/users", new { username = "new" })).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_register");
        (await ada.Post("/v1/keys", new { kind = "service", name = "x" })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await ada.Post("/v1/tokens", new { user = bob })).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        Assert.Single((await ada.Get("/v1/users")).Should(HttpStatusCode.OK).Json["items"]!.AsArray());
    }

    [Fact]
    public async Task Ids_of_another_tenant_are_not_found()
    {
        using var operators = _node.Client(await _node.OperatorKey());
        var other = (await operators.Post("/v1/tenants", new { name = "other" })).Should(HttpStatusCode.Created).Id;
        using var elsewhere = _node.Client(await _node.AdminKey(other));
        (await elsewhere.Get($"/v1/users/{_ada}")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await elsewhere.Patch($"/v1/users/{_ada}", new { username = "mine" })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await elsewhere.Delete($"/v1/users/{_ada}")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await elsewhere.Get($"/v1/tenants/{_node.Demo}")).ShouldRefuse(HttpStatusCode.NotFound, "tenant_not_found");
        (await elsewhere.Post("/v1/tokens", new { user = _ada })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await elsewhere.Post("/v1/keys", new { kind = "user", name = "x", user = _ada })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        var keys = (await _admin.Get("/v1/keys")).Json["items"]!.AsArray();
        (await elsewhere.Get($"/v1/keys/{keys[0]!["id"]}")).ShouldRefuse(HttpStatusCode.NotFound, "key_not_found");
        (await elsewhere.Delete($"/v1/keys/{keys[0]!["id"]}")).ShouldRefuse(HttpStatusCode.NotFound, "key_not_found");
        (await operators.Get("/v1/users")).ShouldRefuse(HttpStatusCode.BadRequest, "tenant_required");
        Assert.Equal(2, (await operators.Get("/v1/tenants")).Json["items"]!.AsArray().Count);
        (await operators.Get($"/v1/users/{_ada}", ("X-Persona-Tenant", "demo"))).Should(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_users_key_ends_with_the_user()
    {
        using var ada = _node.Client(await _node.UserKey(_ada));
        (await ada.Delete($"/v1/users/{_ada}")).Should(HttpStatusCode.NoContent);
        (await ada.Get($"/v1/users/{_ada}")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
    }

    [Fact]
    public async Task A_user_key_is_limited_and_told_when_to_come_back()
    {
        using var ada = _node.Client(await _node.UserKey(_ada));
        var answers = await Task.WhenAll(Enumerable.Range(0, 601).Select(_ => ada.Get($"/v1/users/{_ada}")));
        var refused = Assert.Single(answers, answer => answer.Status != HttpStatusCode.OK);
        refused.ShouldRefuse(HttpStatusCode.TooManyRequests, "too_many_requests");
        Assert.NotNull(refused.Headers.RetryAfter);
    }

    [Fact]
    public async Task With_auth_off_everybody_is_the_demo_tenants_admin()
    {
        await using var database = await TestDatabase.Create();
        await using var node = await Node.Start(database, auth: false);
        using var anybody = node.Client();
        var user = await anybody.Register("ada");
        (await anybody.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK);
    }
}
