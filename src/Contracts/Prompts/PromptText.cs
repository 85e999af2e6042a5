using System.Buffers;

namespace PersonaActors.Contracts.Prompts;

/// <summary>Part of an array that nobody changes.</summary>
[GenerateSerializer, Immutable, Alias("stretch")]
public readonly record struct Stretch([property: Id(0)] byte[] Of, [property: Id(1)] int Start, [property: Id(2)] int Length)
{
    public ReadOnlySpan<byte> Span => Of.AsSpan(Start, Length);
}

/// <summary>
/// UTF-8, ready to be sent, as stretches one behind the other: what many prompts have in common lies in memory once, and is
/// copied only into each answer's socket.
/// </summary>
[GenerateSerializer, Immutable, Alias("prompt-text")]
public sealed record PromptText([property: Id(0)] Stretch[] Stretches, [property: Id(1)] int Length)
{
    public void WriteTo(IBufferWriter<byte> output)
    {
        var room = output.GetSpan();
        var used = 0;
        foreach (var stretch in Stretches)
        {
            for (var left = stretch.Span; !left.IsEmpty;)
            {
                if (used == room.Length)
                {
                    output.Advance(used);
                    room = output.GetSpan();
                    used = 0;
                }

                var some = Math.Min(left.Length, room.Length - used);
                left[..some].CopyTo(room[used..]);
                used += some;
                left = left[some..];
            }
        }

        output.Advance(used);
    }

    public byte[] ToArray()
    {
        var all = new byte[Length];
        var at = 0;
        foreach (var stretch in Stretches)
        {
            stretch.Span.CopyTo(all.AsSpan(at));
            at += stretch.Length;
        }

        return all;
    }
}
