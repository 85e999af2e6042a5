using System.Numerics;
using PersonaActors.Grains.Texts;

namespace PersonaActors.Grains.Conversations;

/// <summary>
/// Which of a channel's newest messages a prompt carries. As many as it may, less up to a quarter: it begins where it began
/// before as long as that still fits, so that with most messages only its end is another, and what an upstream remembers of
/// its front still serves. Nothing is kept for that: where it may begin follows from the messages' numbers alone.
/// </summary>
public static class PromptWindow
{
    /// <param name="newest">Of one conversation, oldest first.</param>
    /// <param name="since">What was said before is too old.</param>
    /// <param name="tokens">None where nobody limits them.</param>
    public static ArraySegment<Said> Of(ArraySegment<Said> newest, int most, DateTimeOffset since, int? tokens)
    {
        var (first, left) = (newest.Count, tokens ?? int.MaxValue);
        while (first > 0 && newest.Count - first < most && newest[first - 1].Message.CreatedAt >= since
            && (left -= newest[first - 1].Message.Tokens + TokenCount.AroundMessage) >= 0)
        {
            first--;
        }

        return first == 0 ? newest : newest[Begin(newest, first)..];
    }

    /// <summary>
    /// Among the first quarter of those that fit, the one at the roundest number (the highest power of two divides it, or one
    /// that was passed over before it): it stays the roundest until it fits no more.
    /// </summary>
    private static int Begin(ArraySegment<Said> newest, int first)
    {
        var quarter = BitOperations.RoundUpToPowerOf2((uint)((newest.Count - first) / 4) + 1) / 2;
        var (begin, roundest) = (first, -1);
        for (var i = first; i < first + Math.Max(1, quarter) && i < newest.Count; i++)
        {
            var roundness = BitOperations.Log2((ulong)(newest[i - 1].Message.Number ^ newest[i].Message.Number));
            if (roundness > roundest)
            {
                (begin, roundest) = (i, roundness);
            }
        }

        return begin;
    }
}
