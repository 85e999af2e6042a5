using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;

namespace PersonaActors.Tests.Realtime;

/// <summary>Appends to a user's stream as the user's grain does, and announces, or doesn't: then the hint was lost.</summary>
public sealed class StreamWriter(Node node)
{
    private readonly EventFeed _feed = node.Services.GetRequiredService<EventFeed>();

    /// <param name="committed">Called with the event's number between its commit and its announcement.</param>
    public async Task<long> Write(Guid user, string? text = null, bool announced = true, Action<long>? committed = null)
    {
        var batch = node.Database.Begin(RowScope.OfUser(node.Demo, user));
        var at = node.Time.GetUtcNow();
        batch.Append(StreamName.User(user), user, "test.written", at, JsonText.From(new { text = text ?? "" }));
        var events = await batch.Commit(static () => throw new InvalidOperationException("a commit of the test collided"));
        committed?.Invoke(events[0].Seq);
        if (announced)
        {
            _feed.Announce(node.Demo, events);
        }

        return events[0].Seq;
    }

    /// <summary>
    /// Writes until it is stopped, but never far ahead of the slowest listener: what is tried is what befalls them, not how
    /// much they can bear on a busy machine.
    /// </summary>
    /// <returns>The last number.</returns>
    public async Task<long> WriteAhead(Guid user, IReadOnlyList<NodeClient> listeners, Func<string> text, CancellationToken stop)
    {
        const int Most = 1000;
        var stream = StreamName.User(user);
        long Slowest() => listeners.Min(listener => listener.Newest(stream));
        var newest = 0L;
        while (!stop.IsCancellationRequested)
        {
            newest = await Write(user, text());
            if (newest - Slowest() > Most)
            {
                await Eventually.True("the slowest listener has half of what is ahead of it",
                    () => Task.FromResult(stop.IsCancellationRequested || newest - Slowest() < Most / 2), TimeSpan.FromSeconds(60));
            }
        }

        return newest;
    }

    public async Task Write(Guid user, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await Write(user);
        }
    }
}

/// <summary>A random schedule that can be run again: its seed is part of every failure.</summary>
public static class Seeded
{
    public static async Task Run(Func<Random, Task> schedule, int? seed = null)
    {
        var used = seed ?? Random.Shared.Next();
        try
        {
            await schedule(new Random(used));
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"with seed {used}: {e.Message}", e);
        }
    }
}
