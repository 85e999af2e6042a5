using PersonaActors.Grains.Replicas;

namespace PersonaActors.Tests.Replicas;

/// <summary>
/// What has to come together before some rule is needed, and by chance alone hardly ever does. Each is only a beginning: who
/// else stops or gets lost meanwhile is as it comes, and often nothing comes of it.
/// </summary>
internal sealed class Coincidences(Simulation world)
{
    /// <param name="own">An owner.</param>
    /// <param name="holder">Another silo.</param>
    /// <param name="third">Neither, if there are three.</param>
    public void Happen(SimulatedActivation own, SimulatedSilo holder, SimulatedSilo third)
    {
        world.LeftAlone = own.Key;
        world.After(TimeSpan.FromSeconds(10), null, () => world.LeftAlone = null);
        Reads(holder, own.Key, 0, 0);
        var what = world.Any<Action>([
            () => LineFades(own, holder),
            () => DropsAreLost(own, holder),
            () => HolderIsSilent(own, holder),
            () => OwnerStops(own, third),
            () => CommitIsUnderWay(own, holder, third),
            () => OwnerLeavesInHurry(own, holder, third),
            () => OwnerIsSucceeded(own, third),
        ]);
        world.After(world.Between(0.03, 0.08), null, () =>
        {
            what();
        });
    }

    /// <summary>Answers to the keepalive come later and later, then nothing comes. By when they were sent, nothing has been heard for long.</summary>
    private void LineFades(SimulatedActivation own, SimulatedSilo holder)
    {
        for (var sent = 0.0; sent < 3.2; sent += 0.1)
        {
            var takes = TimeSpan.FromSeconds(sent * 2.4);
            world.After(TimeSpan.FromSeconds(sent), null, () => world.Spoil(own.Silo, holder, new Line(0, takes, world.Now + Times.Beat)));
        }

        world.After(TimeSpan.FromSeconds(3.2), null, () => world.Spoil(own.Silo, holder, Line.Dead(world.Now + TimeSpan.FromSeconds(8))));
        Changes(own, 3.2, 4);
        Reads(holder, own.Key, 8.5, 12.5);
    }

    /// <summary>All comes through but drops, for longer than a silent silo is waited for.</summary>
    private void DropsAreLost(SimulatedActivation own, SimulatedSilo holder)
    {
        world.Spoil(own.Silo, holder, Line.Dead(world.Now + world.Between(7, 10)) with { ForDropsOnly = true });
        Changes(own, 0, 1);
        Reads(holder, own.Key, 5.5, 9);
    }

    /// <summary>A fetch is answered, and the answer takes until the line, or the holder, has been gone for longer than it is waited for and is back.</summary>
    private void HolderIsSilent(SimulatedActivation own, SimulatedSilo holder)
    {
        var silence = world.Between(7, 9);
        world.Spoil(own.Silo, holder, new Line(0, silence + world.Between(0, 1), world.Now + Times.Beat));
        world.Go(holder.Fetch(own.Key));
        world.After(world.Between(0.02, 0.03), null, () =>
        {
            world.Spoil(own.Silo, holder, Line.Dead(world.Now + silence));
            if (world.Chance(0.5))
            {
                world.Stop(holder, silence + world.Between(0, 0.5));
            }
        });
        Changes(own, 0.03, 1);
        Reads(holder, own.Key, silence.TotalSeconds, silence.TotalSeconds + 2);
    }

    /// <summary>It stops while it asks whether it belongs to the cluster, is voted dead, and wakes with the answer.</summary>
    private void OwnerStops(SimulatedActivation own, SimulatedSilo third)
    {
        var wakes = world.Between(7, 10);
        Reads(own.Silo, own.Key, 0, 0);
        world.After(TimeSpan.FromSeconds(0.02), own.Silo, () =>
        {
            world.Go(own.Silo.ReadMembership());
            world.Stop(own.Silo, wakes);
        });
        world.After(TimeSpan.FromSeconds(0.05), null, () => world.VoteDead(own.Silo));
        ChangesBySuccessor(third, own.Key, 0.1, 7);
        Reads(own.Silo, own.Key, wakes.TotalSeconds, wakes.TotalSeconds + 2);
    }

    /// <summary>The owner is voted dead while it commits, and either its commit or the answer takes long. Not all hear of it at once.</summary>
    private void CommitIsUnderWay(SimulatedActivation own, SimulatedSilo holder, SimulatedSilo third)
    {
        if (world.Chance(0.5))
        {
            world.Spoil(null, own.Silo, Line.Dead(world.Now + world.Between(1, 3)));
        }
        else
        {
            world.Spoil(own.Silo, null, new Line(0, world.Between(0.2, 5), world.Now + TimeSpan.FromSeconds(1)));
        }

        Changes(own, 0, 0);
        var voted = world.Between(0.05, 0.5);
        world.After(voted, null, () =>
        {
            world.VoteDead(own.Silo);
            third.Hears(own.Silo);
        });
        Reads(third, own.Key, voted.TotalSeconds, 6);
        Reads(third, own.Key, voted.TotalSeconds, 1);
        Reads(holder, own.Key, voted.TotalSeconds, 2);
    }

    /// <summary>Its grains take nothing back, and the holder doesn't learn that it is gone before a successor writes.</summary>
    private void OwnerLeavesInHurry(SimulatedActivation own, SimulatedSilo holder, SimulatedSilo third)
    {
        world.Spoil(null, holder, Line.Dead(world.Now + TimeSpan.FromSeconds(1.5)));
        world.Go(own.Silo.Leave(inHurry: true));
        third.Hears(own.Silo);
        ChangesBySuccessor(third, own.Key, 0, 1);
        Reads(holder, own.Key, 0, 2);
    }

    /// <summary>What a silo holds of its own has no lease that ends, and its successor can't reach it.</summary>
    private void OwnerIsSucceeded(SimulatedActivation own, SimulatedSilo third)
    {
        Reads(own.Silo, own.Key, 0, 0);
        world.After(TimeSpan.FromSeconds(0.02), own.Silo, () => world.Go(own.Silo.Deactivate(own)));
        world.After(TimeSpan.FromSeconds(0.1), null, () =>
        {
            world.Spoil(world.Locate(third, own.Key).Silo, own.Silo, Line.Dead(world.Now + world.Between(7, 9)));
            ChangesBySuccessor(third, own.Key, 0, 1);
        });
        Reads(own.Silo, own.Key, 5.5, 9);
    }

    private void Changes(SimulatedActivation own, double from, double to)
    {
        for (var i = 0; i < 5; i++)
        {
            world.After(world.Between(from, to), own.Silo, () => world.Go(own.Silo.Change(own)));
        }
    }

    private void ChangesBySuccessor(SimulatedSilo asking, ReplicaKey key, double from, double to)
    {
        for (var i = 0; i < 5; i++)
        {
            world.After(world.Between(from, to), asking, () =>
            {
                var own = world.Locate(asking, key);
                world.After(world.Between(0.03, 0.1), own.Silo, () => world.Go(own.Silo.Change(own)));
            });
        }
    }

    private void Reads(SimulatedSilo silo, ReplicaKey key, double from, double to)
    {
        for (var i = 0; i < (to > from ? 6 : 1); i++)
        {
            world.After(world.Between(from, to), silo, () => world.Go(silo.Read(key)));
        }
    }
}
