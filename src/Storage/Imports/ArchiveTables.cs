namespace PersonaActors.Storage.Imports;

/// <param name="Of">Which rows are in a user's archive: t is the table, $1 the tenant, $2 the user.</param>
/// <param name="IsRestored">Not what rests on what another tenant doesn't have: a channel with its others, a mapper.</param>
public sealed record ArchivedTable(string Name, string Of, bool IsRestored = true)
{
    /// <summary>Which of its rows are restored: r is the row, $1 the tenant.</summary>
    public string RestoredIf { get; init; } = "true";

    /// <summary>A column that gets another value where it is restored, as SQL.</summary>
    public (string Column, string As)? Anew { get; init; }
}

/// <summary>
/// What a user's archive holds: all rows that are theirs, and what their prompts rest on as far as they may read it, which is
/// not the inside of a character that hides it. In an order in which each refers to those before.
/// </summary>
public static class ArchiveTables
{
    private const string OwnsOrSees = """
        ((p.is_public AND p.definition_public) OR EXISTS (
          SELECT FROM personality_owners o WHERE o.tenant_id = p.tenant_id AND o.personality_id = p.id AND o.user_id = $2))
        """;

    private const string OfPersonality = $"EXISTS (SELECT FROM personalities p WHERE p.tenant_id = t.tenant_id AND p.id = t.personality_id AND {OwnsOrSees})";

    private const string ByUser = "t.user_id = $2";
    private const string ByPerson = "t.person_id = $2";

    public static readonly IReadOnlyList<ArchivedTable> All =
    [
        new("users", "t.id = $2"),
        new("user_identities", ByUser),
        new("personas", "t.owner_id = $2"),
        new("user_default_personas", ByUser),
        new("system_prompts", $"t.is_default OR EXISTS (SELECT FROM personalities p WHERE p.tenant_id = t.tenant_id AND p.system_prompt_id = t.id AND {OwnsOrSees})"),
        new("llm_configs", "t.owner_id IS NULL OR t.owner_id = $2"),
        new("focus_modes", "true") { Anew = ("id", "gen_random_uuid()") },
        new("user_default_llm_configs", ByUser),
        new("personalities", OwnsOrSees.Replace("p.", "t.", StringComparison.Ordinal)),
        new("personality_owners", $"t.user_id = $2 AND {OfPersonality}"),
        new("personality_default_configs", $"{OfPersonality} AND EXISTS (SELECT FROM llm_configs c WHERE c.tenant_id = t.tenant_id AND c.id = t.llm_config_id AND (c.owner_id IS NULL OR c.owner_id = $2))"),
        new("personality_aliases", $"(t.user_id IS NULL OR t.user_id = $2) AND {OfPersonality}"),
        new("personality_cards", "EXISTS (SELECT FROM personality_owners o WHERE o.tenant_id = t.tenant_id AND o.personality_id = t.personality_id AND o.user_id = $2)"),
        new("user_personality_configs", $"t.user_id = $2 AND {OfPersonality}"),
        new("memories", $"t.user_id = $2 AND (t.personality_id IS NULL OR {OfPersonality})"),
        new("channel_members", ByUser, IsRestored: false),
        new("conversation_history", ByUser, IsRestored: false),
        new("conversation_clears", ByUser, IsRestored: false),
        new("user_personas", ByUser),
        new("persona_usage_log", ByUser) { RestoredIf = "EXISTS (SELECT FROM user_personas p WHERE p.tenant_id = $1 AND p.id = r.persona_id)" },
        new("planned_items", ByPerson),
        new("focus_sessions", ByPerson),
        new("focus_events", ByPerson),
        new("rhythm_state", ByPerson),
        new("rhythm_daily_curve", ByPerson),
        new("personal_model", ByPerson),
        new("memory_short_term", ByPerson),
        new("companion_nudges", ByPerson),
        new("mindscapes", ByPerson),
        new("observations", ByPerson),
        new("mindscape_history", ByPerson),
        new("narratives", ByPerson),
        new("trait_narrative_links", ByPerson),
        new("generated_personas", ByPerson, IsRestored: false),
        new("persona_narrative_usage", ByPerson, IsRestored: false),
        new("feedback", ByPerson, IsRestored: false),
    ];
}
