namespace PersonaActors.Tests.Prompts;

/// <summary>
/// Writers change personas, defaults, overrides, characters, prompts, configs and settings at random while readers resolve. Each
/// writer is one client that waits for every answer, so what it wrote is a row of states, and a reader must see one of them: none
/// older than what was answered before it asked, none older than anybody saw before, and of each writer one state, whole. Who
/// sees a write of one writer sees all that was answered to the other before that write began.
/// </summary>
public sealed class ConsistencyTests(OwnRoom room) : IClassFixture<OwnRoom>
{
    private const int Groups = 3;

    /// <summary>Between two rounds nobody writes, and the streams must have told the last of it.</summary>
    private static readonly int Rounds = Soak.Of(3, 10);

    private static readonly int Writes = Soak.Of(40, 400);

    [Fact]
    public async Task Readers_see_what_was_written_whole_and_in_order()
    {
        var seed = Environment.TickCount;
        var groups = await Task.WhenAll(Enumerable.Range(0, Groups).Select(group => ConsistencyGroup.Make(room, seed, group)));
        for (var round = 1; round <= Rounds; round++)
        {
            await Task.WhenAll(groups.Select(group => group.Work(round, Writes)));
            await Task.WhenAll(groups.Select(group => group.Settle()));
        }

        Assert.All(groups, group => group.Dispose());
    }
}
