namespace PersonaActors.Tests.Realtime;

/// <summary>The hub's contract, spoken by @microsoft/signalr.</summary>
public sealed class HubTests(RealtimeFixture fixture) : IClassFixture<RealtimeFixture>
{
    private Node Node => fixture.Node;

    private NodeClients Clients => fixture.Clients;

    [Theory]
    [InlineData(null)]
    [InlineData("WebSockets")]
    [InlineData("ServerSentEvents")]
    [InlineData("LongPolling")]
    public async Task A_registered_users_change_arrives_over_every_transport(string? transport)
    {
        var user = await fixture.Service.Register("Ada");
        var client = await Clients.Raw(Node.Address, await Node.UserKey(user), transport);

        var answer = await client.Subscribe($"user:{user}");
        Assert.Equal(2, (long)answer["seq"]!);
        Assert.Equal(0, (long)answer["replayed"]!);

        (await fixture.Service.Patch($"/v1/users/{user}", new { username = "Ada Lovelace" })).Should(HttpStatusCode.OK);
        var e = await client.Event();
        Assert.Equal("user.updated", (string)e["type"]!);
        Assert.Equal(3, (long)e["seq"]!);
        Assert.Equal((string)answer["epoch"]!, (string)e["epoch"]!);
        Assert.Equal("Ada Lovelace", (string)e["data"]!["changes"]!["username"]!);
    }

    [Fact]
    public async Task A_cursor_brings_everything_behind_it_and_then_what_follows()
    {
        var user = await fixture.Service.Register("Grace");
        var read = await fixture.Service.Get($"/v1/users/{user}");
        var epoch = (string)read.Json["cursor"]!["epoch"]!;
        await fixture.Change(user, 3);
        var client = await Clients.Raw(Node.Address, await Node.ServiceKey());

        var answer = await client.Subscribe($"user:{user}", epoch, 1);
        Assert.Equal(5, (long)answer["seq"]!);
        Assert.Equal(4, (long)answer["replayed"]!);
        await fixture.Change(user, 2);

        Assert.Equal([2, 3, 4, 5, 6, 7], (await client.EventsUntil(7)).Select(e => (long)e["seq"]!));
    }

    [Theory]
    [InlineData("0123456789abcdef", 1)]
    [InlineData(null, 99)]
    public async Task A_cursor_that_the_log_cannot_serve_is_answered_with_the_state(string? epoch, long after)
    {
        var user = await fixture.Service.Register("Edsger");
        await fixture.Change(user, 1);
        var client = await Clients.Raw(Node.Address, await Node.ServiceKey());

        var answer = await client.Subscribe($"user:{user}", epoch, after);
        Assert.True((bool)answer["reset"]!);
        Assert.Equal(3, (long)answer["newest"]!);
        Assert.Equal(1, (long)answer["oldest"]!);
        Assert.Equal((string)(await fixture.Service.Get($"/v1/users/{user}")).Json["username"]!, (string)answer["state"]!["username"]!);

        await fixture.Change(user, 1);
        Assert.Equal(4, (long)(await client.Event())["seq"]!);
    }

    [Fact]
    public async Task What_one_may_not_see_is_refused_as_what_is_not_there()
    {
        var user = await fixture.Service.Register("Barbara");
        var other = await fixture.Service.Register("Eve");
        var client = await Clients.Raw(Node.Address, await Node.UserKey(other));

        var refusals = new List<string>();
        foreach (var stream in (string[])[$"user:{user}", $"user:{Guid.NewGuid()}", "user:nobody", "nothing:1", "", "user:", $"tenant:{Node.Demo}", new string('x', 5000)])
        {
            var answer = await client.Subscribe(stream);
            answer.Remove("stream");
            refusals.Add(answer.ToJsonString());
        }

        Assert.Equal("""{"refused":{"code":"stream_not_found","detail":"There is no such stream."}}""", Assert.Single(refusals.Distinct()));
        Assert.Equal(2, (long)(await client.Subscribe($"user:{other}"))["seq"]!);
    }

    [Fact]
    public async Task After_unsubscribing_nothing_comes()
    {
        var (one, two) = (await fixture.Service.Register("One"), await fixture.Service.Register("Two"));
        var client = await Clients.Raw(Node.Address, await Node.ServiceKey());
        await client.Subscribe($"user:{one}");
        await client.Subscribe($"user:{two}");

        await client.Invoke("Unsubscribe", (object)new[] { $"user:{one}" });
        await fixture.Change(one, 1);
        await fixture.Change(two, 1);

        Assert.Equal($"user:{two}", (string)(await client.Event())["stream"]!);
    }

    [Fact]
    public async Task Ping_answers_the_servers_clock()
    {
        var client = await Clients.Raw(Node.Address, await Node.ServiceKey());
        var now = DateTimeOffset.Parse((string)(await client.Invoke("Ping"))!["now"]!, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(now, Node.Time.GetUtcNow().AddMinutes(-1), Node.Time.GetUtcNow().AddMinutes(1));
    }

    [Fact]
    public async Task A_deleted_user_is_told_and_then_revoked()
    {
        var user = await fixture.Service.Register("Gone");
        var client = await Clients.Raw(Node.Address, await Node.ServiceKey());
        await client.Subscribe($"user:{user}");

        (await fixture.Service.Delete($"/v1/users/{user}")).Should(HttpStatusCode.NoContent);

        Assert.Equal("user.deleted", (string)(await client.Event())["type"]!);
        Assert.Equal($"user:{user}", (string)(await client.Next("revoked"))!);
        Assert.Equal("stream_not_found", (string)(await client.Subscribe($"user:{user}"))["refused"]!["code"]!);
    }

    [Fact]
    public async Task Revoking_a_key_ends_its_connections_at_once()
    {
        using var admin = Node.Client(await Node.AdminKey());
        var key = (await admin.Post("/v1/keys", new { kind = "service", name = "short" })).Should(HttpStatusCode.Created);
        var client = await Clients.Raw(Node.Address, (string)key.Json["key"]!);

        (await admin.Delete($"/v1/keys/{key.Id}")).Should(HttpStatusCode.NoContent);

        Assert.Contains("key_revoked", (string)(await client.Next("closed"))!, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NodeClientException>(async () => await Clients.Raw(Node.Address, (string)key.Json["key"]!));
    }

    [Fact]
    public async Task More_than_a_thousand_streams_close_the_connection_with_a_reason()
    {
        var client = await Clients.Raw(Node.Address, await Node.ServiceKey());
        var streams = Enumerable.Range(0, 1001).Select(_ => new { stream = $"user:{Guid.NewGuid()}" }).ToArray();

        await client.Invoke("Subscribe", (object)streams[..1000]);
        try
        {
            await client.Invoke("Subscribe", (object)streams);
        }
        catch (NodeClientException)
        {
            // The close may overtake the answer.
        }

        Assert.Contains("too_many_streams", (string)(await client.Next("closed"))!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_over_256_KiB_closes_the_connection()
    {
        var client = await Clients.Raw(Node.Address, await Node.ServiceKey());
        Assert.Equal("stream_not_found", (string)(await client.Subscribe(new string('x', 250_000)))["refused"]!["code"]!);

        await Assert.ThrowsAsync<NodeClientException>(() => client.Subscribe(new string('x', 300_000)));
        await client.Next("closed");
    }
}
