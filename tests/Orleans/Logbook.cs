using System.Collections.Concurrent;

namespace PersonaActors.Tests.Engine;

/// <summary>
/// What the test grains were seen doing, by key. Grains and tests share a process in both editions, so a test can see
/// what no call would tell it.
/// </summary>
public sealed class Logbook
{
    private static readonly ConcurrentDictionary<string, Logbook> Books = new();

    private int _alive;
    private int _mostAlive;
    private int _activations;
    private int _inside;
    private int _mostInside;
    private readonly ConcurrentQueue<string> _entries = new();

    public static Logbook Of(string key) => Books.GetOrAdd(key, _ => new());

    public int Activations => _activations;

    public int Alive => _alive;

    public int MostAliveAtOnce => _mostAlive;

    public int MostThreadsInside => _mostInside;

    public IReadOnlyCollection<string> Entries => _entries;

    /// <summary>Completed by a test to let a waiting grain go on.</summary>
    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed by a grain to let a waiting test go on.</summary>
    public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<TickStatus>> _told = new();

    /// <summary>The first tick of the reminder.</summary>
    public Task<TickStatus> Told(string reminder) => Tell(reminder).Task;

    public void Remind(string reminder, TickStatus status)
    {
        Write($"reminded {reminder}");
        Tell(reminder).TrySetResult(status);
    }

    private TaskCompletionSource<TickStatus> Tell(string reminder) =>
        _told.GetOrAdd(reminder, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

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
