using System.Text.Json;
using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>What may be asked of sessions and companions. Pure; each violation names its field.</summary>
public static class FocusChecks
{
    public const int MostMinutes = 1440;
    public const int MostTitle = 500;
    public const int MostContent = 16 * 1024;

    public static Refusal? Check(FocusStart start) =>
        Between("estimatedMinutes", start.EstimatedMinutes, 1, MostMinutes)
        ?? (start is { Mode: FocusMode.Countdown, EstimatedMinutes: null }
            ? Refusal.Invalid("estimatedMinutes", "A countdown needs 'estimatedMinutes' to count down from.")
            : null)
        ?? (start.Plan is { } plan ? Check(plan) : null);

    private static Refusal? Check(FocusPlan plan) =>
        Between("plan.work", plan.Work, 1, 240) ?? Between("plan.break", plan.Break, 1, 120) ?? Between("plan.longBreak", plan.LongBreak, 1, 240)
        ?? Between("plan.every", plan.Every, 1, 20) ?? Share("plan.breakRatio", plan.BreakRatio);

    public static Refusal? Check(SessionChange change) => change.Kind switch
    {
        SessionChangeKind.Break => Between("minutes", change.Minutes, 1, 240),
        SessionChangeKind.Extend => Required("minutes", change.Minutes) ?? Between("minutes", change.Minutes, 1, 240),
        SessionChangeKind.Snooze => Required("minutes", change.Minutes) ?? Between("minutes", change.Minutes, 0, MostMinutes),
        SessionChangeKind.IdleReturn => change.Idle is null ? Refusal.Invalid("answer", "'answer' is keep, discard or break.") : null,
        _ => null,
    };

    public static Refusal? Check(SessionEnd end) =>
        Share("completionScore", end.CompletionScore) ?? CheckObject("sessionQuality", end.SessionQuality);

    public static Refusal? Check(Biomarkers b) =>
        Share("biomarkers.focus", b.Focus) ?? Share("biomarkers.energy", b.Energy) ?? Share("biomarkers.stress", b.Stress)
        ?? NotNegative("biomarkers.idle_seconds", b.IdleSeconds) ?? NotNegative("biomarkers.distractions", b.Distractions)
        ?? CheckObject("biomarkers", b.All);

    public static Refusal? Check(RhythmLevels levels) =>
        Share("bodyEnergy", levels.BodyEnergy) ?? Share("mindFocus", levels.MindFocus) ?? Share("fatigueLevel", levels.FatigueLevel)
        ?? Share("stressLevel", levels.StressLevel) ?? Text.CheckOptional("emotionTone", levels.EmotionTone, 50);

    public static Refusal? Check(DailyCurve curve) =>
        curve.Energy is not { Count: DailyCurve.Slots }
            ? Refusal.Invalid("energy", $"A daily curve has {DailyCurve.Slots} slots of 15 minutes; {curve.Energy?.Count ?? 0} were given.")
            : curve.Energy.Any(e => e is not (>= 0 and <= 1)) ? Refusal.Invalid("energy", "Each slot's energy is from 0 to 1.") : Share("confidence", curve.Confidence);

    public static Refusal? Check(PlannedTask task) =>
        Text.CheckRequired("title", task.Title, MostTitle) ?? Share("energy", task.Energy) ?? Between("ease", task.Ease, 1, 5)
        ?? Between("estimateMinutes", task.EstimateMinutes, 1, MostMinutes);

    public static Refusal? Check(NewMemory memory) =>
        Text.CheckRequired("type", memory.Type, 50)
        ?? (memory.Type == CompanionGrain.SummaryType ? Refusal.Invalid("type", $"'{memory.Type}' is written by sessions only.") : null)
        ?? CheckObject("content", memory.Content)
        ?? (memory.Sentiment is { } s and not (>= -1 and <= 1) ? Refusal.Invalid("sentiment", "'sentiment' is from -1 to 1.") : null)
        ?? (memory.EmotionTags.Count > 20 ? Refusal.Invalid("emotionTags", "At most 20 tags.") : null)
        ?? memory.EmotionTags.Select(tag => Text.CheckRequired("emotionTags", tag, 50)).FirstOrDefault(r => r is not null);

    private static Refusal? CheckObject(string field, JsonText? json)
    {
        if (json is null)
        {
            return null;
        }

        if (json.Json.Length > MostContent)
        {
            return Refusal.Invalid(field, $"'{field}' has {json.Json.Length:N0} characters of JSON; at most {MostContent:N0} are allowed.");
        }

        using var document = JsonDocument.Parse(json.Json);
        // PostgreSQL's text has no NUL.
        return document.RootElement.ValueKind != JsonValueKind.Object ? Refusal.Invalid(field, $"'{field}' is a JSON object.")
            : json.Json.Contains("\\u0000", StringComparison.Ordinal) ? Refusal.Invalid(field, $"'{field}' has a character that is no text.")
            : null;
    }

    private static Refusal? Required(string field, int? value) => value is null ? Refusal.Invalid(field, $"'{field}' is required.") : null;

    private static Refusal? Between(string field, int? value, int least, int most) =>
        value is { } v && (v < least || v > most) ? Refusal.Invalid(field, $"'{field}' is {v}; it may be from {least} to {most}.") : null;

    private static Refusal? Share(string field, double? value) =>
        value is { } v && !(v is >= 0 and <= 1) ? Refusal.Invalid(field, $"'{field}' is {v}; it may be from 0 to 1.") : null;

    private static Refusal? NotNegative(string field, double? value) =>
        value is { } v && !(v >= 0 && v < 1e9) ? Refusal.Invalid(field, $"'{field}' is {v}; it may not be negative.") : null;
}
