using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Presence;

namespace PersonaActors.Tests.Realtime;

/// <summary>What happens when time passes, on a clock that the test moves.</summary>
public sealed class ClockTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = FakeTime.Start();
    private readonly GrainCalls _calls = new();
    private TestDatabase _database = null!;
    private Node _node = null!;
    private NodeClients _clients = null!;
    private ApiClient _service = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.Create();
        _node = await Node.Start(_database, _clock, with: services => services.AddSingleton<IIncomingGrainCallFilter>(_calls));
        _clients = await NodeClients.Start();
        _service = _node.Client(await _node.ServiceKey());
    }

    public async Task DisposeAsync()
    {
        _service.Dispose();
        await _clients.DisposeAsync();
        await _node.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Were_every_hint_lost_an_event_comes_within_ten_seconds()
    {
        var user = await _service.Register("Unannounced");
        var client = await _clients.Raw(_node.Address, await _node.ServiceKey());
        await client.Subscribe($"user:{user}");

        await new StreamWriter(_node).Write(user, announced: false);
        _clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(3, (long)(await client.Event())["seq"]!);
    }

    [Fact]
    public async Task A_token_that_runs_out_is_announced_and_a_new_one_keeps_the_connection()
    {
        var user = await _service.Register("Ada");
        var client = await _clients.Raw(_node.Address, await Token(user, 5));
        await client.Subscribe($"user:{user}");

        _clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(60, (int)(await client.Next("tokenExpiring"))!);
        Assert.Equal("token_invalid", (string)(await client.Invoke("Refresh", "pt_wrong"))!["refused"]!["code"]!);
        Assert.Equal("token_invalid", (string)(await client.Invoke("Refresh", await Token(await _service.Register("Eve"), 5)))!["refused"]!["code"]!);
        Assert.Null((await client.Invoke("Refresh", await Token(user, 10)))!["refused"]);

        _clock.Advance(TimeSpan.FromMinutes(5));
        await new StreamWriter(_node).Write(user);
        Assert.Equal(3, (long)(await client.Event())["seq"]!);

        _clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Contains("token_expired", (string)(await client.Next("closed"))!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_online_is_told_with_coming_and_leaving_fifteen_seconds_after_the_connection()
    {
        var user = await _service.Register("Ada");
        var watcher = await _clients.Raw(_node.Address, await _node.ServiceKey());
        var answer = await watcher.Subscribe($"presence:user:{user}");
        Assert.True((bool)answer["derived"]!, answer.ToJsonString());
        Assert.Equal("stream_not_found", (string)(await watcher.Subscribe($"presence:user:{Guid.NewGuid()}"))["refused"]!["code"]!);

        var ada = await _clients.Raw(_node.Address, await _node.UserKey(user));
        var came = await watcher.Event();
        Assert.Equal(user.ToString(), (string)came["data"]!["last"]!["joined"]!);
        Assert.Equal(user.ToString(), (string)came["data"]!["online"]![0]!["user"]!);

        // Back within the fifteen seconds: nobody has left.
        await ada.Cut();
        await ada.Next("closed");
        var again = await _clients.Raw(_node.Address, await _node.UserKey(user));
        // A gateway that says nothing for as long would have nobody any more.
        for (var half = 0; half < 2; half++)
        {
            _calls.Forget();
            _clock.Advance(TimeSpan.FromSeconds(8));
            await Eventually.True("the gateway has told again who is here", () => Task.FromResult(_calls.Seen.Contains("PresenceGrain.Tell")));
        }

        await again.Cut();
        await again.Next("closed");
        var place = _node.Services.GetRequiredService<IGrainFactory>().GetGrain<IPresenceGrain>(new PlaceKey(_node.Demo, $"user:{user}").ToKey());
        await Eventually.True("the node saw the cut", async () =>
        {
            // Were the first word of it lost, the next renewal tells.
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            return (await place.Who()).Online is [{ Connections: 0 }];
        });
        _clock.Advance(TimeSpan.FromSeconds(15));

        var left = await watcher.Event();
        Assert.Equal(user.ToString(), (string)left["data"]!["last"]!["left"]!);
        Assert.Empty(left["data"]!["online"]!.AsArray());
        Assert.Equal((string)left["epoch"]!, (string)(await watcher.Subscribe($"presence:user:{user}"))["epoch"]!);
    }

    private async Task<string> Token(Guid user, int minutes) =>
        (string)(await _service.Post("/v1/tokens", new { user, minutes })).Should(HttpStatusCode.Created).Json["token"]!;
}
