using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace PersonaActors.Bench;

/// <summary>
/// The same prompts from three silos, processes of their own on this machine, each asked for all pairs alike: their sum against
/// one of them that is asked alone. Grains are spread over all three; what is held of them everywhere makes that no matter.
/// </summary>
internal static class ResolveOnSilos
{
    private const int Users = 10_000;
    private const int Personalities = 200;
    private const int Silos = 3;
    private const int ConnectionsEach = 21;
    private const int Rounds = 21;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LeadIn = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(0.6);

    internal static async Task<Result[]> RunAsync()
    {
        await using var node = await BenchNode.Start();
        var world = await World.Make(node, Users, Personalities);
        var key = await node.ServiceKey();
        // The silos that are measured are alike; this process only asks.
        await node.Services.GetRequiredService<IHost>().StopAsync();
        var silos = new List<NodeProcess>();
        try
        {
            for (var i = 0; i < Silos; i++)
            {
                silos.Add(await NodeProcess.Start(node.On, NodeProcess.FreePort(), isSilo: true));
            }

            foreach (var silo in silos)
            {
                await HttpLoad.Each(silo.Address, ConnectionsEach, Users, i => Encoding.ASCII.GetBytes(world.Head(i, i % Personalities, key) + "\r\n"));
            }

            var pairs = world.Pairs(Users, Personalities, key);
            // As many who ask, whether of one or of all: what they cost is the same.
            async Task<double> Ask(Func<int, NodeProcess> of, TimeSpan leadIn, TimeSpan time) => (await Task.WhenAll(
                Enumerable.Range(0, Silos).Select(i => HttpLoad.PerSecond(of(i).Address, ConnectionsEach, leadIn, time, 200, pairs)))).Sum();
            await Ask(i => silos[i], TimeSpan.Zero, WarmUp);
            await Ask(_ => silos[0], TimeSpan.Zero, WarmUp);
            var rounds = new List<(double All, double One)>();
            for (var round = 0; round < Rounds; round++)
            {
                rounds.Add((await Ask(i => silos[i], LeadIn, Measured), await Ask(_ => silos[round % Silos], LeadIn, Measured)));
            }

            var (all, one) = rounds.OrderBy(round => round.All / round.One).ElementAt(Rounds / 2);
            return [new Result($"resolve on {Silos} silos, together, against one of them alone", Result.PerSecond(all), Result.PerSecond(one), all / one, 0.85)];
        }
        finally
        {
            silos.ForEach(silo => silo.Dispose());
        }
    }
}
