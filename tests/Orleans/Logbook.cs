using System.Collections.Concurrent;

namespace PersonaActors.Tests.Orleans;

/// <summary>
/// What the test grains were seen doing, by key. Grains and tests share a process, so a test can see what no call would tell it.
/// </summary>
public sealed class Logbook
{
    private static readonly ConcurrentDictionary<string, Logbook> Books = new();

    private readonly ConcurrentQueue<string> _entries = new();
    private int _alive;
    private int _mostAlive;
    private int _activations;
    private int _inside;
    private int _mostInside;

    public static Logbook Of(string key) => Books.GetOrAdd(key, _ => new());

    public int Activations => _activations;

    public int MostAliveAtOnce => _mostAlive;

    public int MostThreadsInside => _mostInside;

    public IReadOnlyCollection<string> Entries => _entries;

    /// <summary>What one of the two waits for from the other.</summary>
    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed by a grain to let a waiting test go on.</summary>
    public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Write(string entry) => _entries.Enqueue(entry);

    public void Activated()
    {
        Interlocked.Increment(ref _activations);
        Max(ref _mostAlive, Interlocked.Increment(ref _alive));
    }

    public void Deactivated() => Interlocked.Decrement(ref _alive);

    /// <summary>Runs what takes a moment, and sees whether another thread is in the same grain meanwhile.</summary>
    public void Work()
    {
        Max(ref _mostInside, Interlocked.Increment(ref _inside));
        Thread.SpinWait(200);
        Interlocked.Decrement(ref _inside);
    }

    private static void Max(ref int most, int value)
    {
        for (var seen = most; value > seen;)
        {
            var before = Interlocked.CompareExchange(ref most, value, seen);
            if (before == seen) return;
            seen = before;
        }
    }
}
