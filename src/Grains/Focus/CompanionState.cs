using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Focus;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>What the companion holds of an existing person; one reference, so that interleaving reads see all of one moment.</summary>
/// <param name="Zone">As it was when last looked at: good enough to plan by, not to speak by.</param>
/// <param name="Said">The newest nudges outside sessions, the newest first.</param>
public sealed record CompanionState(
    Guid Person, RhythmLevels Rhythm, DailyCurve? Curve, PersonalModel Model, TimeZoneInfo Zone, Items<NudgeView> Said, long Seq)
{
    public CompanionView View => new(
        Person, Rhythm, Curve, Model.Emotion, Model.Habit, Model.Version, Model.PreventiveNudges, Said.Count > 0 ? Said[0] : null);

    /// <summary>What the rules for nudges outside sessions look at.</summary>
    public PreventiveMoment Moment => new(Rhythm, Curve, Zone, Model.Emotion, [.. Said.Select(said => new SaidNudge(said.At, said.Rule))]);

    /// <summary>With the time at which a nudge outside sessions may be due next.</summary>
    public CompanionState Planned(DateTimeOffset now) => this with
    {
        Model = Model with { PreventiveAt = Model.PreventiveNudges ? PreventiveRules.Next(Moment, now) : null },
    };

    /// <summary>With the mood that follows from the latest sentiment that holds, or else from the rhythm's tone.</summary>
    public CompanionState Feeling(HeldSentiment? held, DateTimeOffset now)
    {
        var fresh = RhythmRules.IsFresh(Rhythm.UpdatedAt, now);
        // A tone holds to the end of its day; looked at right after, it is gone.
        var until = held is not null ? held.Until
            : fresh && Rhythm.EmotionTone is not null ? Rhythm.UpdatedAt + RhythmRules.FreshFor + TimeSpan.FromSeconds(1)
            : null;
        return this with { Model = Model with { Emotion = EmotionRules.Mood(held?.Sentiment, fresh ? Rhythm.EmotionTone : null), EmotionUntil = until } };
    }

    public CompanionState Saying(NudgeView nudge) => this with { Said = Said.Prepend(nudge).Take(PreventiveRules.Remembered).ToArray() };

    public CompanionState Answered(Guid nudge, NudgeAnswer answer) =>
        this with { Said = Said.Select(said => said.EventId == nudge ? said with { Answer = answer } : said).ToArray() };

    /// <summary>How GET's answer differs between two moments, as an event tells it.</summary>
    public static JsonObject Difference(CompanionState before, CompanionState after) => MergePatch.Difference(
        JsonSerializer.SerializeToNode(before.View, Wire.Json)!.AsObject(), JsonSerializer.SerializeToNode(after.View, Wire.Json)!.AsObject());
}
