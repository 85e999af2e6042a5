using System.Globalization;
using System.Text.Json;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>What one observation says of one trait.</summary>
public readonly record struct TraitInput(string Path, JsonText Value, double Confidence);

/// <summary>From an observation to what it says of traits. What is said in a form that isn't known says nothing.</summary>
public static class TraitExtraction
{
    public const string FocusDuration = "work.focus_duration";
    public const string PeakHours = "work.peak_hours";
    public const string EnergyPatterns = "work.energy_patterns";
    public const string TaskSwitchingCost = "work.task_switching_cost";
    public const string MeetingRecovery = "work.meeting_recovery_time";
    public const string EnergyLevel = "current_state.energy_level";

    /// <summary>In the order in which they are taken.</summary>
    public static List<TraitInput> From(string type, JsonText content)
    {
        using var document = JsonDocument.Parse(content.Json);
        var said = document.RootElement;
        var inputs = new List<TraitInput>();
        switch (type)
        {
            case "work_session":
                WorkSession(said, inputs);
                break;
            case "user_input" when Word(said, "type") == "energy_check" && Word(said, "energy_level") is { Length: > 0 } level:
                inputs.Add(Input(EnergyLevel, level, 1));
                break;
            case "user_input" when Word(said, "type") == "wizard_response" && said.TryGetProperty("responses", out var responses) && responses.ValueKind == JsonValueKind.Object:
                Wizard(responses, inputs);
                break;
            case "calendar_event" when Word(said, "type") == "meeting":
                inputs.Add(Input(MeetingRecovery, (TraitFold.Number(said, "duration_minutes") ?? 60) switch { <= 30 => 15, <= 60 => 30, _ => 45 }, .5));
                break;
        }

        Given(said, inputs);
        return inputs;
    }

    private static void WorkSession(JsonElement said, List<TraitInput> inputs)
    {
        if (TraitFold.Number(said, "duration_minutes") is > 0 and var minutes)
        {
            inputs.Add(Input(FocusDuration, minutes, .9));
        }

        if (TraitFold.Number(said, "productivity_score") is > 0 and var score)
        {
            if (score >= 4 && HourOf(Word(said, "start")) is { } hour)
            {
                inputs.Add(Input(PeakHours, (string[])[$"{hour:00}:00-{hour + 1:00}:00"], .7));
            }

            inputs.Add(Input(EnergyLevel, score >= 4 ? "high" : score >= 3 ? "medium" : "low", .6));
        }

        if (TraitFold.Number(said, "interruptions") is > 0 and var interruptions)
        {
            inputs.Add(Input(TaskSwitchingCost, interruptions >= 3 ? "high" : interruptions >= 2 ? "medium" : "low", .7));
        }
    }

    private static void Wizard(JsonElement responses, List<TraitInput> inputs)
    {
        string[]? slots = Word(responses, "most_productive") switch
        {
            "morning" => ["06:00-12:00"],
            "afternoon" => ["12:00-18:00"],
            "evening" => ["18:00-23:00"],
            "varies" => ["09:00-11:00", "14:00-16:00"],
            _ => null,
        };
        if (slots is not null)
        {
            inputs.Add(Input(EnergyPatterns, slots, .8));
            inputs.Add(Input(PeakHours, slots, .8));
        }

        int? minutes = Word(responses, "focus_duration") switch
        {
            "30min" => 30,
            "1hr" => 60,
            "2hr+" => 120,
            _ => null,
        };
        if (minutes is { } lasting)
        {
            inputs.Add(Input(FocusDuration, lasting, .9));
        }

        if (Word(responses, "flow_disruptor") is { Length: > 0 } disruptor)
        {
            inputs.Add(Input(TaskSwitchingCost, disruptor switch { "meetings" or "context-switches" => "high", "email" => "low", _ => "medium" }, .8));
        }
    }

    /// <summary>Traits that the sender names: {path: value}, or {path: {value, confidence}}.</summary>
    private static void Given(JsonElement said, List<TraitInput> inputs)
    {
        if (!said.TryGetProperty("traits", out var traits) || traits.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (var trait in traits.EnumerateObject())
        {
            var rated = trait.Value.ValueKind == JsonValueKind.Object && trait.Value.TryGetProperty("value", out _);
            var value = rated ? trait.Value.GetProperty("value") : trait.Value;
            if (trait.Name.Length > 0 && value.ValueKind != JsonValueKind.Null)
            {
                inputs.Add(new TraitInput(trait.Name, JsonText.From(value), rated && TraitFold.Number(trait.Value, "confidence") is >= 0 and <= 1 and var confidence ? confidence : .6));
            }
        }
    }

    private static TraitInput Input<T>(string path, T value, double confidence) => new(path, JsonText.From(value), confidence);

    private static string? Word(JsonElement said, string name) =>
        said.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>As the clock of whoever wrote it showed it.</summary>
    private static int? HourOf(string? time) =>
        DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at.Hour : null;
}
