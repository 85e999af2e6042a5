using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Presence;

namespace PersonaActors.Tests.Realtime;

/// <summary>What happens when time passes, on a clock that the test moves.</summary>
public sealed class ClockTests(ClockTests.Place at) : IClassFixture<ClockTests.Place>
{
    /// <summary>With real clients.</summary>
    public sealed class Place : ClockedRoom
    {
        public GrainCalls Calls { get; } = new();

        public NodeClients Clients { get; private set; } = null!;

        public ApiClient Service { get; private set; } = null!;

        protected override void Add(IServiceCollection services) => services.AddSingleton<IIncomingGrainCallFilter>(Calls);

        public override async Task InitializeAsync()
        {
            await base.InitializeAsync();
            Clients = await NodeClients.Start();
            Service = Node.Client(await Node.ServiceKey());
        }

        public override async Task DisposeAsync()
        {
            Service.Dispose();
            await Clients.DisposeAsync();
            await base.DisposeAsync();
        }
    }

    [Fact]
    public async Task Were_every_hint_lost_an_event_comes_within_ten_seconds()
    {
        var user = await at.Service.Register("Unannounced");
        var client = await at.Clients.Raw(at.Node.Address, await at.Node.ServiceKey());
        await client.Subscribe($"user:{user}");

        await new StreamWriter(at.Node).Write(user, announced: false);
        at.Clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(3, (long)(await client.Event())["seq"]!);
    }

    [Fact]
    public async Task A_token_that_runs_out_is_announced_and_a_new_one_keeps_the_connection()
    {
        var user = await at.Service.Register("Ada");
        var client = await at.Clients.Raw(at.Node.Address, await Token(user, 5));
        await client.Subscribe($"user:{user}");

        at.Clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(60, (int)(await client.Next("tokenExpiring"))!);
        Assert.Equal("token_invalid", (string)(await client.Invoke("Refresh", "pt_wrong"))!["refused"]!["code"]!);
        Assert.Equal("token_invalid", (string)(await client.Invoke("Refresh", await Token(await at.Service.Register("Eve"), 5)))!["refused"]!["code"]!);
        Assert.Null((await client.Invoke("Refresh", await Token(user, 10)))!["refused"]);

        at.Clock.Advance(TimeSpan.FromMinutes(5));
        await new StreamWriter(at.Node).Write(user);
        Assert.Equal(3, (long)(await client.Event())["seq"]!);

        at.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Contains("token_expired", (string)(await client.Next("closed"))!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_online_is_told_with_coming_and_leaving_fifteen_seconds_after_the_connection()
    {
        var user = await at.Service.Register("Ada");
        var watcher = await at.Clients.Raw(at.Node.Address, await at.Node.ServiceKey());
        var answer = await watcher.Subscribe($"presence:user:{user}");
        Assert.True((bool)answer["derived"]!, answer.ToJsonString());
        Assert.Equal("stream_not_found", (string)(await watcher.Subscribe($"presence:user:{Guid.NewGuid()}"))["refused"]!["code"]!);

        var ada = await at.Clients.Raw(at.Node.Address, await at.Node.UserKey(user));
        var came = await watcher.Event();
        Assert.Equal(user.ToString(), (string)came["data"]!["last"]!["joined"]!);
        Assert.Equal(user.ToString(), (string)came["data"]!["online"]![0]!["user"]!);

        // Back within the fifteen seconds: nobody has left.
        await ada.Cut();
        await ada.Next("closed");
        var again = await at.Clients.Raw(at.Node.Address, await at.Node.UserKey(user));
        // A gateway that says nothing for as long would have nobody any more.
        for (var half = 0; half < 2; half++)
        {
            at.Calls.Forget();
            at.Clock.Advance(TimeSpan.FromSeconds(8));
            await Eventually.True("the gateway has told again who is here", () => Task.FromResult(at.Calls.Seen.Contains("PresenceGrain.Tell")));
        }

        await again.Cut();
        await again.Next("closed");
        var place = at.Node.Services.GetRequiredService<IGrainFactory>().GetGrain<IPresenceGrain>(new PlaceKey(at.Node.Demo, $"user:{user}").ToKey());
        await Eventually.True("the node saw the cut", async () =>
        {
            // Were the first word of it lost, the next renewal tells.
            at.Clock.Advance(TimeSpan.FromMilliseconds(100));
            return (await place.Who()).Online is [{ Connections: 0 }];
        });
        at.Clock.Advance(TimeSpan.FromSeconds(15));

        var left = await watcher.Event();
        Assert.Equal(user.ToString(), (string)left["data"]!["last"]!["left"]!);
        Assert.Empty(left["data"]!["online"]!.AsArray());
        Assert.Equal((string)left["epoch"]!, (string)(await watcher.Subscribe($"presence:user:{user}"))["epoch"]!);
    }

    private async Task<string> Token(Guid user, int minutes) =>
        (string)(await at.Service.Post("/v1/tokens", new { user, minutes })).Should(HttpStatusCode.Created).Json["token"]!;
}
