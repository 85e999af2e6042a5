using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>From a mindscape, a mapper and this moment to what an agent is given, in the founding document's names.</summary>
public static class PersonaRules
{
    private const int UsualFocus = 60;
    private const int UsualRecovery = 15;

    public static IEnumerable<string> Missing(MapperConfig mapper, TraitFacts traits) => mapper.RequiredTraits.Where(path => traits.Find(path) is null);

    private static readonly string[] CorePaths = ["work.", "productivity.", "communication", "learning", "current_state."];

    /// <summary>Whether a trait is one of those that personas tell whatever their mapper's rules look at.</summary>
    public static bool IsOfCore(string path) => Array.Exists(CorePaths, core => path.StartsWith(core, StringComparison.Ordinal));

    /// <summary>What changes slowly.</summary>
    public static JsonText Core(TraitFacts traits, long version)
    {
        var focus = (int)Math.Round(traits.Number(TraitExtraction.FocusDuration) ?? UsualFocus);
        return ToText(new JsonObject
        {
            ["work_style"] = new JsonObject
            {
                ["energy_patterns"] = Node(traits.Find(TraitExtraction.EnergyPatterns)) ?? new JsonObject(),
                ["focus_duration"] = Node(traits.Find(TraitExtraction.FocusDuration)),
                ["peak_hours"] = Node(traits.Find(TraitExtraction.PeakHours)) ?? new JsonArray(),
                ["task_switching_cost"] = traits.Word(TraitExtraction.TaskSwitchingCost) ?? "medium",
                ["meeting_recovery"] = Node(traits.Find(TraitExtraction.MeetingRecovery)),
                ["focus_blocks"] = new JsonObject
                {
                    ["default"] = focus,
                    ["deep_work"] = (int)Math.Round(traits.Number($"{TraitExtraction.FocusDuration}.p90") ?? focus),
                    ["light_work"] = Math.Max(15, focus / 2),
                },
            },
            ["productivity_style"] = new JsonObject
            {
                ["flow_state_triggers"] = Node(traits.Find("productivity.flow_state.triggers")) ?? new JsonArray(),
                ["best_task_types"] = Node(traits.Find("productivity.flow_state.best_task_types")) ?? new JsonArray(),
                ["productive_environments"] = Node(traits.Find("productivity.environments")) ?? new JsonArray(),
            },
            ["core_preferences"] = new JsonObject
            {
                ["communication"] = Node(traits.Find("communication")) ?? new JsonObject(),
                ["learning_style"] = Node(traits.Find("learning")) ?? new JsonObject(),
            },
            ["preferences"] = new JsonObject
            {
                ["meeting_buffer_time"] = (int)Math.Round(traits.Number(TraitExtraction.MeetingRecovery) ?? UsualRecovery),
                ["break_frequency"] = focus,
            },
            ["generated_from_mindscape_version"] = version,
        });
    }

    /// <summary>What holds now.</summary>
    /// <param name="session">The person's live focus session, if there is one.</param>
    public static JsonText Overlay(RuleInput input, IReadOnlyList<Suggested> suggestions, FocusSessionView? session)
    {
        var traits = input.Traits;
        var (at, _) = input.Clock();
        var hour = at.Hour + (at.Minute / 60.0);
        var isPeak = traits.Slots(TraitExtraction.PeakHours).Any(slot => slot.From <= hour && hour < slot.To);
        var energy = traits.Word(TraitExtraction.EnergyLevel);
        var state = new JsonObject
        {
            ["energy_level"] = Node(traits.Find(TraitExtraction.EnergyLevel)) ?? "unknown",
            // Who is in the middle of focusing has none to give away; in a break they have.
            ["focus_available"] = session is { State: FocusState.Active or FocusState.Paused } ? false : session is not null || traits.Find("current_state.focus_available") is not { ValueKind: JsonValueKind.False },
            ["is_peak_time"] = isPeak,
            ["recommended_task_type"] = energy == "low" ? "light_work" : isPeak || energy == "high" ? "deep_work" : "regular_work",
            ["recent_activity"] = Node(traits.Find("current_state.recent_activity")) ?? new JsonArray(),
            ["context"] = Node(input.Context),
        };
        if (session is not null)
        {
            state["focus_session"] = new JsonObject
            {
                ["id"] = session.Id,
                ["state"] = JsonSerializer.SerializeToNode(session.State, Wire.Json),
                ["mode"] = JsonSerializer.SerializeToNode(session.Mode, Wire.Json),
                ["since"] = session.Since,
            };
        }

        return ToText(new JsonObject
        {
            ["current_state"] = state,
            ["suggestions"] = new JsonArray([.. suggestions.Select(suggestion => ToJson(suggestion, input.Now))]),
            ["active_patterns"] = new JsonObject
            {
                ["time_of_day"] = Node(TraitFacts.Below(input.Context, "time_of_day")) ?? RuleEngine.PeriodOf(at),
                ["day_of_week"] = Node(TraitFacts.Below(input.Context, "day_of_week")) ?? at.DayOfWeek.ToString().ToLowerInvariant(),
                ["workload"] = Node(traits.Find("current_state.workload")) ?? "normal",
            },
        });
    }

    public static JsonText Metadata(IReadOnlyList<RuleVerdict> rules, IReadOnlyList<Suggested> suggestions, JsonElement context, DateTimeOffset now) => ToText(new JsonObject
    {
        ["generated_at"] = now,
        ["rule_count"] = rules.Count,
        ["fired_rules"] = new JsonArray([.. rules.Where(rule => rule.Fired).Select(rule => JsonValue.Create(rule.Rule))]),
        ["suggestion_count"] = suggestions.Count,
        ["context"] = Node(context),
        ["narrative_usage"] = new JsonArray([.. suggestions.SelectMany(suggestion => suggestion.Narratives.Select(narrative => (suggestion.RuleId, narrative))).Distinct()
            .Select(used => new JsonObject { ["narrative_id"] = used.narrative.Id, ["rule_id"] = used.RuleId, ["relevance_score"] = used.narrative.Similarity })]),
    });

    /// <summary>What each rule says and why, and what would be suggested.</summary>
    public static JsonText Simulation(IReadOnlyList<RuleVerdict> rules, IReadOnlyList<string> missing, IReadOnlyList<Suggested> suggestions, DateTimeOffset now) => ToText(new JsonObject
    {
        ["missingTraits"] = new JsonArray([.. missing.Select(path => JsonValue.Create(path))]),
        ["rules"] = new JsonArray([.. rules.Select(rule => new JsonObject
        {
            ["rule"] = rule.Rule,
            ["fired"] = rule.Fired,
            ["weight"] = rule.Weight,
            ["condition"] = ToJson(rule.Condition),
        })]),
        ["suggestions"] = new JsonArray([.. suggestions.Select(suggestion => ToJson(suggestion, now))]),
    });

    private static JsonObject ToJson(Verdict verdict)
    {
        var json = new JsonObject { ["held"] = verdict.Held, ["why"] = verdict.Why };
        if (verdict.Of.Count > 0)
        {
            json["of"] = new JsonArray([.. verdict.Of.Select(ToJson)]);
        }

        return json;
    }

    private static JsonObject ToJson(Suggested suggestion, DateTimeOffset now)
    {
        var json = new JsonObject
        {
            ["id"] = Guid.CreateVersion7(now),
            ["type"] = suggestion.Type,
            ["title"] = suggestion.Title,
            ["description"] = suggestion.Description,
            ["priority"] = suggestion.Priority,
            ["metadata"] = Node(suggestion.Metadata),
            ["parameters"] = new JsonObject(suggestion.Parameters.Select(parameter => KeyValuePair.Create(parameter.Key, Node(parameter.Value)))),
            ["rule_id"] = suggestion.RuleId,
            ["weight"] = suggestion.Weight,
        };
        if (suggestion.DurationMinutes is { } duration)
        {
            json["duration_minutes"] = Node(duration);
        }

        if (suggestion.Narratives.Count > 0)
        {
            json["narrative_context"] = new JsonArray([.. suggestion.Narratives.Select(narrative => new JsonObject
            {
                ["narrative_id"] = narrative.Id,
                ["text"] = narrative.Text,
                ["similarity_score"] = narrative.Similarity,
            })]);
        }

        if (suggestion.Action is { } action)
        {
            json["action"] = Node(action);
        }

        return json;
    }

    private static JsonNode? Node(JsonElement? element) => element is { ValueKind: not JsonValueKind.Undefined } found ? JsonSerializer.SerializeToNode(found) : null;

    private static JsonText ToText(JsonObject json) => new(json.ToJsonString(Wire.Json));
}
