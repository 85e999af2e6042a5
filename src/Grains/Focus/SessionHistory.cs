using System.Text.Json.Nodes;
using PersonaActors.Contracts.Focus;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>Reads a session's events back: as facts for its summary, as rolling windows for its pulse.</summary>
public static class SessionHistory
{
    public static IReadOnlyList<SessionFact> Facts(IReadOnlyList<FocusEventRow> rows)
    {
        var facts = new List<SessionFact>(rows.Count);
        DateTimeOffset? paused = null;
        DateTimeOffset? idle = null;
        foreach (var row in rows)
        {
            if (row.Tick is not null && row.Rhythm?.Read<RhythmSnapshot>() is { } rhythm)
            {
                facts.Add(new SessionFact(row.At, FactKind.Tick, rhythm.Energy, rhythm.EnergySource, rhythm.StressLevel));
            }

            switch (row.Type)
            {
                case "ping":
                    var ping = Ping(row);
                    facts.Add(new SessionFact(row.At, FactKind.Ping, ping.Energy, "ping", ping.Stress, ping.Distractions));
                    break;
                case "paused":
                    paused = row.At;
                    break;
                case "resumed" or "session_end" when paused is { } from:
                    facts.Add(new SessionFact(from, FactKind.Pause, Minutes: (int)(row.At - from).TotalMinutes));
                    paused = null;
                    break;
                case "idle_started":
                    // One answer is for all that went before it.
                    idle ??= row.At;
                    break;
                case "idle_ended" when idle is { } since:
                    var over = JsonNode.Parse(row.Content.Json)!.AsObject();
                    // What the person calls work cost no focus.
                    if ((string?)over["answer"] != SessionState.Word(IdleAnswer.Keep))
                    {
                        facts.Add(new SessionFact(since, FactKind.Idle, Minutes: (int)(Number(over, "minutes") ?? 0)));
                    }

                    idle = null;
                    break;
            }
        }

        return facts;
    }

    public static FocusPulse Pulse(FocusTimeline line, IReadOnlyList<FocusEventRow> rows)
    {
        var pulse = FocusPulse.Empty;
        foreach (var row in rows)
        {
            if (row.Type == "ping")
            {
                pulse = pulse.With(Ping(row));
            }
            else if (row.Tick is not null && row.Rhythm?.Read<RhythmSnapshot>().Energy is { } energy)
            {
                pulse = pulse.With(new EnergySample(line.Counted(row.Tick, row.At), energy));
            }
        }

        return pulse;
    }

    private static PingSample Ping(FocusEventRow row)
    {
        var content = JsonNode.Parse(row.Content.Json)!.AsObject();
        return new PingSample(row.At, Number(content, "focus"), Number(content, "energy"), Number(content, "stress"),
            Number(content, "idle_seconds"), Number(content, "distractions"));
    }

    public static double? Number(JsonObject content, string key) =>
        content.TryGetPropertyValue(key, out var value) && value is JsonValue v && v.TryGetValue<double>(out var number) ? number : null;
}
