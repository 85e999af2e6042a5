using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Gateway;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Realtime;

/// <summary>Two gateways on one database, as in a cluster, and clients at each.</summary>
public sealed class TwoGatewaysTests
{
    private readonly FakeClock _clock = new();

    [Fact]
    public async Task Clients_of_one_gateway_see_those_of_another_come_and_after_its_end_leave()
    {
        await using var database = await TestDatabase.Create();
        await using var elsewhere = await TestDatabase.Create();
        await using var clients = await NodeClients.Start();
        await using var watching = await Node.Start(database, _clock, with: Shared);
        using var service = watching.Client(await watching.ServiceKey());
        var user = await service.Register("Ada");
        var watcher = await clients.Raw(watching.Address, await watching.ServiceKey());
        await watcher.Subscribe($"presence:user:{user}");

        // The embedded edition lets one node onto a database; this one takes its lock on another.
        await using (var dying = await Node.Start(database, _clock, with: services =>
        {
            Shared(services);
            services.AddSingleton(provider => new NodeLock(elsewhere.App, _clock, provider.GetRequiredService<ILogger<NodeLock>>(), provider.GetRequiredService<IHostApplicationLifetime>()));
        }))
        {
            await clients.Raw(dying.Address, await dying.UserKey(user));
            var came = await NextEvent();
            Assert.Equal(user.ToString(), (string)came["data"]!["last"]!["joined"]!);
            Assert.Equal(1, (int)came["data"]!["online"]![0]!["connections"]!);
        }

        var left = await NextEvent();
        Assert.Equal(user.ToString(), (string)left["data"]!["last"]!["left"]!);
        Assert.Empty(left["data"]!["online"]!.AsArray());

        async Task<JsonObject> NextEvent()
        {
            var next = watcher.Event();
            await Eventually.True("the watcher is told", () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(400));
                return Task.FromResult(next.IsCompleted);
            }, TimeSpan.FromSeconds(30));
            return await next;
        }
    }

    private static void Shared(IServiceCollection services) => services.AddSingleton(provider => new GatewayOptions { SharesDatabase = true });
}
