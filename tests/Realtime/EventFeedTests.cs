using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Grains.Events;
using PersonaActors.Storage.Events;

namespace PersonaActors.Tests.Realtime;

/// <summary>From a grain's announcement to whoever reacts: by type, in order, and never in the grain's way.</summary>
public sealed class EventFeedTests
{
    private readonly List<string> _heard = [];
    private readonly ServiceCollection _services = new();

    private static StreamEvent Event(string type, long seq) =>
        new("user:u", "e", seq, Guid.NewGuid(), type, DateTimeOffset.UnixEpoch, JsonText.EmptyObject);

    private EventFeed Feed()
    {
        _services.AddSingleton(_heard);
        return new EventFeed(_services.BuildServiceProvider(), NullLogger<EventFeed>.Instance);
    }

    private Task Heard(params string[] what) => Eventually.True($"{string.Join(", ", what)} was heard", () =>
    {
        lock (_heard)
        {
            return Task.FromResult(_heard.SequenceEqual(what));
        }
    });

    private static void Note(List<string> heard, string what)
    {
        lock (heard)
        {
            heard.Add(what);
        }
    }

    [Fact]
    public async Task Who_reacts_to_a_type_gets_its_events_in_order_whatever_becomes_of_another_reaction()
    {
        _services.React<List<string>>("a", static (_, _) => throw new InvalidOperationException("a reaction of the test"));
        _services.React<List<string>>("a", static (heard, announced) => Note(heard, $"a{announced.Event.Seq}"));
        _services.ReactToAll<List<string>>(static (heard, announced) => Note(heard, $"any{announced.Event.Seq}"));
        using var feed = Feed();
        feed.Announce(null, [Event("a", 1), Event("b", 2)]);
        Assert.Empty(_heard);
        await feed.StartAsync(CancellationToken.None);
        feed.Announce(null, [Event("a", 3)]);
        await Heard("a1", "any1", "any2", "a3", "any3");
        await feed.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task What_no_longer_fits_is_a_wake_up_lost_after_the_others_were_heard()
    {
        _services.React<List<string>>("last", static (heard, _) => Note(heard, "last"));
        _services.ReactToLoss<List<string>>(static heard => Note(heard, "lost"));
        using var feed = Feed();
        feed.Announce(null, [.. Enumerable.Range(1, EventFeed.Capacity - 1).Select(seq => Event("a", seq)), Event("last", EventFeed.Capacity), Event("last", EventFeed.Capacity + 1)]);
        await feed.StartAsync(CancellationToken.None);
        await Heard("last", "lost");
        await feed.StopAsync(CancellationToken.None);
    }

    [Fact]
    public void Hints_go_to_those_who_react_to_hints()
    {
        _services.ReactToHints<List<string>>(static (heard, hint) => Note(heard, $"{hint.Stream} {hint.Seq}"));
        using var feed = Feed();
        feed.Hint(new EventHint(null, "user:u", 7));
        Assert.Equal(["user:u 7"], _heard);
    }
}
