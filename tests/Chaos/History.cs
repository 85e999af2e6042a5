using System.Collections.Concurrent;
using System.Diagnostics;

namespace PersonaActors.Tests.Chaos;

/// <summary>
/// What was written to one thing and read of it, by whom ever, and the one checker of it. Writes are numbered 1, 2, 3 … by one
/// writer, which goes on only when the last was acknowledged.
/// </summary>
public sealed class History(string what)
{
    private readonly ConcurrentQueue<(long Value, long Start, long End)> _reads = new();
    private readonly List<(long Start, long End)> _writes = [(0, 0)];

    public string What => what;

    public long Written => _writes.Count - 1;

    public int Reads => _reads.Count;

    public static long Now => Stopwatch.GetTimestamp();

    public void Wrote(long start, long end) => _writes.Add((start, end));

    /// <summary>A last write whose fate nobody knows: it may be read, it need not.</summary>
    public void Tried(long start) => _writes.Add((start, long.MaxValue));

    public void Read(long value, long start, long end) => _reads.Enqueue((value, start, end));

    /// <summary>Reads that don't fit any order of things in which each happens at one moment between its start and its end.</summary>
    public IEnumerable<string> Violations()
    {
        var reads = _reads.OrderBy(read => read.End).ToArray();
        var byStart = reads.OrderBy(read => read.Start);
        var (ended, highest) = (0, 0L);
        foreach (var (value, start, end) in byStart)
        {
            if (value >= _writes.Count || _writes[(int)value].Start > end)
            {
                yield return $"{what}: {value} was read before it was written";
                continue;
            }

            var acknowledged = LastAcknowledged(start);
            if (value < acknowledged)
            {
                yield return $"{what}: {value} was read {Milliseconds(start - _writes[(int)value + 1].End)} ms after {value + 1} was acknowledged ({acknowledged} was the last)";
            }

            for (; ended < reads.Length && reads[ended].End < start; ended++)
            {
                highest = Math.Max(highest, reads[ended].Value);
            }

            if (value < highest)
            {
                yield return $"{what}: {value} was read after {highest} had been";
            }
        }
    }

    private long LastAcknowledged(long before)
    {
        var (low, high) = (0, _writes.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _writes[middle].End < before ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    private static long Milliseconds(long ticks) => (long)(ticks * 1000.0 / Stopwatch.Frequency);
}

/// <summary>What one client was told of a stream: each event once, in order, without holes.</summary>
public sealed class Heard(string who)
{
    private readonly ConcurrentQueue<(long Seq, long? Value)> _events = new();

    public string Who => who;

    public long Last { get; private set; }

    public void Event(long seq, long? value)
    {
        _events.Enqueue((seq, value));
        Last = seq;
    }

    /// <param name="written">How many writes the stream has to tell of.</param>
    public IEnumerable<string> Violations(long written)
    {
        var (seq, value) = (0L, 0L);
        foreach (var told in _events)
        {
            if (seq != 0 && told.Seq != seq + 1)
            {
                yield return $"{who}: event {told.Seq} came after {seq}";
            }

            seq = told.Seq;
            if (told.Value is { } number)
            {
                if (number != value + 1)
                {
                    yield return $"{who}: write {number} was told after {value}";
                }

                value = number;
            }
        }

        if (value != written)
        {
            yield return $"{who}: of {written} writes the last that was told is {value}";
        }
    }
}
