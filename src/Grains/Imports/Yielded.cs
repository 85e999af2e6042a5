using System.Diagnostics;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains.Imports;

/// <summary>
/// Owners that yield while rows of theirs are committed by another: their replicas are taken back before, and they load anew
/// after. They wait a few seconds; who commits later than half of that doesn't commit.
/// </summary>
public sealed class Yielded : IAsyncDisposable
{
    private const int AtOnce = 32;

    private readonly List<IYielding> _owners = [];
    private readonly long _since = Stopwatch.GetTimestamp();

    public static async Task<Yielded> Take(IEnumerable<IAddressable> owners)
    {
        var yielded = new Yielded();
        try
        {
            foreach (var some in owners.Select(owner => owner.AsReference<IYielding>()).Chunk(AtOnce))
            {
                yielded._owners.AddRange(some);
                await Task.WhenAll(some.Select(owner => owner.Yield()));
            }

            return yielded;
        }
        catch
        {
            await yielded.DisposeAsync();
            throw;
        }
    }

    public void ThrowIfLate()
    {
        if (Stopwatch.GetElapsedTime(_since) > Owner.YieldsFor / 2)
        {
            throw new ActivationOutdatedException("The owners of the rows didn't yield in time.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var some in _owners.Chunk(AtOnce))
        {
            try
            {
                await Task.WhenAll(some.Select(owner => owner.Resume()));
            }
            catch (Exception e) when (e.MayPass())
            {
                // It has ended already, or ends by itself.
            }
        }
    }
}
