using PersonaActors.Contracts.Focus;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>A nudge outside sessions in its two shapes: what is said, and its row.</summary>
public static class PreventiveNudge
{
    /// <summary>What a row of companion_nudges keeps beside its columns.</summary>
    private sealed record Content(NudgeView Nudge, RhythmSnapshot Rhythm, EmotionSnapshot Emotion);

    public static NudgeView Say(Nudge nudge, DateTimeOffset now) =>
        new(Guid.CreateVersion7(now), nudge.Type, nudge.Words, nudge.Reason, nudge.Rule, now, nudge.Recovery);

    public static CompanionNudgeRow ToRow(NudgeView said, StartState seen) => new(
        said.EventId, said.At, SessionState.Word(said.Type), said.Rule, JsonText.From(new Content(said, seen.Rhythm, seen.Emotion)), null, null);

    public static NudgeView From(CompanionNudgeRow row) => row.Content.Read<Content>().Nudge with
    {
        Answer = row.Answer is { } answer ? SessionState.Parse<NudgeAnswer>(answer) : null,
    };
}
