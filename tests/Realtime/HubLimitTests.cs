using System.Text.Json;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Tests.Realtime;

/// <summary>What a connection may ask of the hub, and how it is told that it was too much.</summary>
public sealed class HubLimitTests(Room room) : IClassFixture<Room>
{
    private Node Node => room.Node;

    [Fact]
    public async Task Calls_of_the_hub_and_requests_are_counted_together()
    {
        var user = await room.Service.Register("Pinging");
        var key = await Node.UserKey(user);
        await using var socket = await RawSocket.Connect(Node.Address, key);
        var refused = 0;
        for (var i = 0; i < 700; i++)
        {
            await socket.Send($$"""{"type":1,"target":"Ping","invocationId":"{{i}}","arguments":[]}""");
            var answer = await socket.Until(message => (string?)message["invocationId"] == $"{i}");
            if (answer["result"]!["refused"] is { } no)
            {
                refused++;
                Assert.Equal("slow_down", (string)no["code"]!);
            }
        }

        // The connection was the first request.
        Assert.Equal(101, refused);
        var subscribed = await socket.Subscribe($"user:{user}");
        Assert.Equal("slow_down", (string)subscribed["refused"]!["code"]!);
        Assert.InRange((int)subscribed["refused"]!["retryAfter"]!, 1, 60);
        using var http = Node.Client(key);
        (await http.Get("/v1/users/me")).ShouldRefuse(HttpStatusCode.TooManyRequests, "too_many_requests");
    }

    [Fact]
    public async Task Names_that_nobody_may_see_are_refused_without_a_look_once_there_were_too_many()
    {
        var key = await Node.ServiceKey();
        await using var socket = await RawSocket.Connect(Node.Address, key);
        var codes = new List<string>();
        for (var call = 0; call < 3; call++)
        {
            var names = Enumerable.Range(0, 1000).Select(_ => new { stream = $"persona:{Guid.NewGuid()}" });
            await socket.Send(JsonSerializer.Serialize(new { type = 1, target = "Subscribe", invocationId = $"{call}", arguments = new object[] { names } }));
            codes.AddRange((await socket.Until(message => (string?)message["invocationId"] == $"{call}"))["result"]!.AsArray().Select(answer => (string)answer!["refused"]!["code"]!));
        }

        Assert.InRange(codes.Count(code => code == "stream_not_found"), CallerLimits.MissesPerMinute, CallerLimits.MissesPerMinute + 50);
        Assert.All(codes.Skip(1000), code => Assert.Equal("slow_down", code));
        using var http = Node.Client(key);
        (await http.Get($"/v1/events?stream=persona:{Guid.NewGuid()}")).ShouldRefuse(HttpStatusCode.TooManyRequests, "slow_down");
        // Others, and what isn't about streams, go on.
        (await http.Get("/v1/users?limit=1")).Should(HttpStatusCode.OK);
        var user = await room.Service.Register("Other");
        await using var other = await RawSocket.Connect(Node.Address, await Node.ServiceKey());
        Assert.Null((await other.Subscribe($"user:{user}"))["refused"]);
    }

    [Theory]
    [InlineData(300 * 1024)]
    [InlineData(0)]
    public async Task A_message_that_is_too_large_or_none_is_told_why_it_ends_the_connection(int size)
    {
        await using var socket = await RawSocket.Connect(Node.Address, await Node.ServiceKey());
        await socket.Send(size == 0 ? "no message" : $$"""{"type":1,"target":"Subscribe","arguments":[[{"stream":"{{new string('x', size)}}"}]]}""");
        var closed = await socket.Until(message => (int?)message["type"] == 7);
        Assert.StartsWith("bad_message: ", (string?)closed["error"], StringComparison.Ordinal);
        Assert.Contains("256 KiB", (string?)closed["error"], StringComparison.Ordinal);
    }
}
