using System.Text.RegularExpressions;

namespace PersonaActors.Tests.Faults;

/// <summary>The sweep is divided among silos, and what a dead one had is the others'.</summary>
[Long]
public sealed partial class TwoSilosSweepTests
{
    private static readonly (string, string)[] Environment =
        [("PERSONA__AUTH", "off"), ("Logging__LogLevel__PersonaActors.Grains.Focus.FocusSweep", "Debug")];

    [Fact]
    public async Task Each_silo_wakes_its_own_part_and_the_survivor_of_a_kill_wakes_all()
    {
        await using var database = await TestDatabase.Create();
        await using var first = await ProcessNode.Start(database, null, Environment);
        await using var second = await ProcessNode.Start(database, null, Environment);
        using var client = first.Client("unused");
        var sessions = await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
            Guid.Parse((string)(await client.Post("/focus/start", new { person_id = Guid.NewGuid() })).Should(HttpStatusCode.OK).Json["session_id"]!)));
        // The sessions know better and do nothing when they are woken, so that they are woken in every sweep.
        await Sql.Run(database.Superuser, "UPDATE focus_sessions SET next_tick_at = start_time - interval '1 minute'");
        await Eventually.True("every session is woken", () => Task.FromResult(Woken(first).Union(Woken(second)).Count() == sessions.Length));

        // Both have been members of the cluster since before the first session began.
        Assert.Empty(Woken(first).Intersect(Woken(second)));
        Assert.All([first, second], node => Assert.InRange(Woken(node).Count, 1, sessions.Length - 1));

        await second.Kill();
        await Eventually.True("the survivor wakes all", () => Task.FromResult(Woken(first).Count == sessions.Length), TimeSpan.FromSeconds(30));
    }

    private static HashSet<string> Woken(ProcessNode node) => [.. WokeSession().Matches(node.Output).Select(match => match.Groups[1].Value)];

    [GeneratedRegex("Woke session ([0-9a-f-]{36})")]
    private static partial Regex WokeSession();
}
