using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>The person's mood from what is known: the latest sentiment that still holds, else the tone, else neutral.</summary>
public static class EmotionRules
{
    public const string Positive = "positive";
    public const string Negative = "negative";
    public const string Neutral = "neutral";

    /// <param name="sentiment">The latest numeric sentiment among memories that haven't expired, or null.</param>
    /// <param name="tone">The rhythm's tone if it is fresh.</param>
    public static string Mood(double? sentiment, string? tone) => sentiment switch
    {
        > 0.25 => Positive,
        < -0.25 => Negative,
        not null => Neutral,
        null => FromTone(tone),
    };

    public static bool IsHeavy(string? tone) => string.Equals(tone?.Trim(), "heavy", StringComparison.OrdinalIgnoreCase);

    private static string FromTone(string? tone) => tone?.Trim().ToLowerInvariant() switch
    {
        Positive or "light" or "bright" or "warm" or "happy" or "joyful" => Positive,
        Negative or "heavy" or "sad" or "tense" or "anxious" or "angry" => Negative,
        _ => Neutral,
    };

    /// <param name="motivation">The strength of the habit, where there is one.</param>
    public static EmotionSnapshot Snapshot(string? emotion, RhythmSnapshot rhythm, double? motivation, Items<string> tags) => new(
        emotion ?? Neutral, rhythm.Energy, rhythm.StressLevel, motivation,
        rhythm.MindFocus switch { null => "unknown", >= 0.66 => "focused", < 0.33 => "scattered", _ => "steady" }, tags);
}
