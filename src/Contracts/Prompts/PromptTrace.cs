namespace PersonaActors.Contracts.Prompts;

/// <summary>One thing that went into a prompt: what it is there, the tier it came from, and which version of which entity.</summary>
/// <param name="What">Named as in the answer: "persona", "llm.temperature", "settings.maxMessages".</param>
/// <param name="Value">Of a setting, which has no version of its own.</param>
[GenerateSerializer, Immutable, Alias("prompt-part")]
public sealed record PromptPart(
    [property: Id(0)] string What,
    [property: Id(1)] string? From,
    [property: Id(2)] Guid? Id,
    [property: Id(3)] long? Version,
    [property: Id(4)] JsonText? Value = null);

/// <summary>What a prompt is made of, without its text: enough to know when it has become another, and why.</summary>
/// <param name="IsSettled">Whether one is told when any of it moves; else it is looked at again soon.</param>
/// <param name="Persona">The persona that speaks to whom: its stream tells of changes that the user's doesn't.</param>
[GenerateSerializer, Immutable, Alias("prompt-trace")]
public sealed record PromptTrace(
    [property: Id(0)] string Version,
    [property: Id(1)] Guid Persona,
    [property: Id(2)] Items<PromptPart> Parts,
    [property: Id(3)] bool IsSettled = true)
{
    /// <summary>The parts that are here and weren't there, or came from elsewhere, or are of another version; and those that went.</summary>
    public Items<PromptPart> ChangedSince(PromptTrace before)
    {
        var known = before.Parts.ToDictionary(part => part.What);
        var changed = Parts.Where(part => !known.TryGetValue(part.What, out var was) || was != part).ToList();
        var here = Parts.Select(part => part.What).ToHashSet(StringComparer.Ordinal);
        changed.AddRange(before.Parts.Where(part => !here.Contains(part.What)).Select(part => new PromptPart(part.What, null, null, null)));
        return changed.ToItems();
    }
}
