using System.Text.Json.Serialization;

namespace PersonaActors.Contracts.Prompts;

/// <summary>One thing that went into a prompt: what it is there, the tier it came from, and which version of which entity.</summary>
/// <param name="What">Named as in the answer: "persona", "llm.temperature", "settings.maxMessages".</param>
/// <param name="Version">Of the entity as it is now, which may also rise by what isn't in the prompt.</param>
/// <param name="Value">Of a setting, which has no version of its own.</param>
/// <param name="Says">A digest of what it puts into the prompt.</param>
[GenerateSerializer, Immutable, Alias("prompt-part")]
public sealed record PromptPart(
    [property: Id(0)] string What,
    [property: Id(1)] string? From,
    [property: Id(2)] Guid? Id,
    [property: Id(3)] long? Version,
    [property: Id(4)] JsonText? Value = null,
    [property: Id(5), JsonIgnore] Guid Says = default)
{
    /// <summary>Whether both put the same into a prompt, from the same tier.</summary>
    public bool IsSame(PromptPart other) => (What, From, Value, Says) == (other.What, other.From, other.Value, other.Says);
}

/// <summary>What a prompt is made of, without its text: enough to know when it has become another, and why.</summary>
/// <param name="IsSettled">Whether one is told when any of it moves; else it is looked at again soon.</param>
/// <param name="Persona">The persona that speaks to whom: its stream tells of changes that the user's doesn't.</param>
/// <param name="Session">The user's live focus session, where it may show.</param>
[GenerateSerializer, Immutable, Alias("prompt-trace")]
public sealed record PromptTrace(
    [property: Id(0)] string Version,
    [property: Id(1)] Guid Persona,
    [property: Id(2)] Items<PromptPart> Parts,
    [property: Id(3)] bool IsSettled = true,
    [property: Id(4)] Guid? Session = null)
{
    /// <summary>The parts that are here and weren't there, or came from elsewhere, or say something else; and those that went.</summary>
    public Items<PromptPart> ChangedSince(PromptTrace before)
    {
        var known = before.Parts.ToDictionary(part => part.What);
        var changed = Parts.Where(part => !known.TryGetValue(part.What, out var was) || !was.IsSame(part)).ToList();
        var here = Parts.Select(part => part.What).ToHashSet(StringComparer.Ordinal);
        changed.AddRange(before.Parts.Where(part => !here.Contains(part.What)).Select(part => new PromptPart(part.What, null, null, null)));
        return changed.ToItems();
    }
}
