using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Storage.Events;

namespace PersonaActors.Tests.Gateway;

public sealed class CommandTests : IAsyncLifetime
{
    // A tenant for each test: they count what is there.
    private readonly Room _room = new();

    private ApiClient Service => _room.Service;

    public Task InitializeAsync() => _room.InitializeAsync();

    public Task DisposeAsync() => _room.DisposeAsync();

    [Fact]
    public async Task A_repeat_with_the_same_key_and_body_gets_the_first_answer_and_does_nothing()
    {
        var user = await Service.Register("ada");
        var first = (await Service.Patch($"/v1/users/{user}", new { username = "one" }, ("Idempotency-Key", "k"))).Should(HttpStatusCode.OK);
        (await Service.Patch($"/v1/users/{user}", new { username = "two" })).Should(HttpStatusCode.OK);
        var repeat = (await Service.Patch($"/v1/users/{user}", new { username = "one" }, ("Idempotency-Key", "k"))).Should(HttpStatusCode.OK);
        Assert.Equal(first.Text, repeat.Text);
        Assert.Equal("two", (string?)(await Service.Get($"/v1/users/{user}")).Json["username"]);
        (await Service.Patch($"/v1/users/{user}", new { username = "three" }, ("Idempotency-Key", "k")))
            .ShouldRefuse(HttpStatusCode.UnprocessableEntity, "idempotency_key_reused");
        (await Service.Patch($"/v1/users/{user}", new { isFree = (bool?)null }, ("Idempotency-Key", "k")))
            .ShouldRefuse(HttpStatusCode.UnprocessableEntity, "idempotency_key_reused");
    }

    [Fact]
    public async Task Repeats_that_arrive_together_are_one_command_with_one_answer()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 15).Select(_ =>
            Service.Post("/v1/users", new { username = "ada" }, ("Idempotency-Key", "together"))));
        Assert.All(answers, answer => answer.Should(HttpStatusCode.Created));
        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        Assert.Single((await Service.Get("/v1/users")).Json["items"]!.AsArray());
    }

    [Fact]
    public async Task The_same_key_of_two_callers_is_two_commands()
    {
        using var other = _room.Node.Client(await _room.Node.ServiceKey());
        var one = (await Service.Post("/v1/users", new { username = "ada" }, ("Idempotency-Key", "same"))).Should(HttpStatusCode.Created);
        var two = (await other.Post("/v1/users", new { username = "ada" }, ("Idempotency-Key", "same"))).Should(HttpStatusCode.Created);
        Assert.NotEqual(one.Id, two.Id);
    }

    [Fact]
    public async Task Of_two_conditional_changes_to_one_version_one_wins()
    {
        var user = await Service.Register("ada");
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Service.Patch($"/v1/users/{user}", new { username = $"name {i}" }, ("If-Match", "\"1\""))));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => answer.ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch"));
    }

    [Fact]
    public async Task A_row_that_another_writer_changed_is_read_again_and_the_command_repeated_once()
    {
        var user = await Service.Register("ada");
        (await Service.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK);
        // Another activation, as a cluster may briefly have: it writes past this one's memory.
        await using (var connection = new NpgsqlConnection(_room.Database.Superuser))
        {
            await connection.OpenAsync();
            await using var elsewhere = new NpgsqlCommand($"UPDATE users SET version = 2, time_zone = 'Europe/Vienna' WHERE id = '{user}'", connection);
            await elsewhere.ExecuteNonQueryAsync();
        }

        var answer = (await Service.Patch($"/v1/users/{user}", new { username = "after" })).Should(HttpStatusCode.OK);
        Assert.Equal(3, (long)answer.Json["version"]!);
        Assert.Equal("Europe/Vienna", (string?)answer.Json["timeZone"]);
        var log = await _room.Node.Services.GetRequiredService<EventLog>().After(_room.Node.Demo, StreamName.User(user), 0, CancellationToken.None);
        Assert.Single(log.Events, e => e.Type == "user.updated");
    }

    [Fact]
    public async Task State_plus_later_events_is_the_state_later()
    {
        var user = await Service.Register("ada");
        var before = (await Service.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK).Json;
        await Service.Patch($"/v1/users/{user}", new { username = "eva", timeZone = "Europe/Vienna" });
        await Service.Put($"/v1/users/{user}/identities", new { provider = "email", subject = "eva@example.org" });
        await Service.Patch($"/v1/users/{user}", new { timeZone = (string?)null, isFree = true });
        var after = (await Service.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK).Json;

        var state = before.DeepClone().AsObject();
        var page = await _room.Node.Services.GetRequiredService<EventLog>().After(_room.Node.Demo, StreamName.User(user), (long)before["cursor"]!["seq"]!, CancellationToken.None);
        foreach (var e in page.Events)
        {
            Apply(state, JsonNode.Parse(e.Data.Json)!["changes"]!.AsObject());
        }

        state["cursor"] = after["cursor"]!.DeepClone();
        Assert.True(JsonNode.DeepEquals(state, after), $"{state}\n{after}");
        Assert.Equal(page.Newest, (long)after["cursor"]!["seq"]!);
    }

    [Fact]
    public async Task Deleting_a_user_removes_all_that_is_theirs()
    {
        var user = await Service.Register("ada", "known");
        await Service.Patch($"/v1/users/{user}", new { username = "eva" }, ("Idempotency-Key", "k"));
        (await Service.Delete($"/v1/users/{user}")).Should(HttpStatusCode.NoContent);
        (await Service.Get($"/v1/users/{user}")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await Service.Get("/v1/users/test:known")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        await using var connection = new NpgsqlConnection(_room.Database.Superuser);
        await connection.OpenAsync();
        var here = $"tenant_id = '{_room.Tenant}'";
        await Eventually.True("the user's rows, events and answers are gone", async () =>
        {
            await using var command = new NpgsqlCommand($"""
                SELECT (SELECT count(*) FROM users WHERE {here}) + (SELECT count(*) FROM personas WHERE {here}) + (SELECT count(*) FROM user_identities WHERE {here})
                  + (SELECT count(*) FROM events WHERE owner_id = '{user}') + (SELECT count(*) FROM streams WHERE owner_id = '{user}')
                  + (SELECT count(*) FROM command_log WHERE owner_id = '{user}') + (SELECT count(*) FROM outbox_tasks WHERE {here})
                """, connection);
            return (long)(await command.ExecuteScalarAsync())! == 0;
        });
        Assert.NotEqual(user, await Service.Register("ada", "known"));
    }

    private static void Apply(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                case null:
                    target.Remove(name);
                    break;
                case JsonObject inner when target[name] is JsonObject nested:
                    Apply(nested, inner);
                    break;
                default:
                    target[name] = value.DeepClone();
                    break;
            }
        }
    }
}
