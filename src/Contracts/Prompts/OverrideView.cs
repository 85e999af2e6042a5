namespace PersonaActors.Contracts.Prompts;

/// <summary>What a user wants otherwise with one personality. One that says nothing is not kept.</summary>
/// <param name="Version">The user's version at its last change.</param>
[GenerateSerializer, Immutable, Alias("override-view")]
public sealed record OverrideView(
    [property: Id(0)] Guid PersonalityId,
    [property: Id(1)] Guid? PersonaId,
    [property: Id(2)] Guid? LlmConfigId,
    [property: Id(3)] SettingsTier Settings,
    [property: Id(4)] DateTimeOffset UpdatedAt,
    [property: Id(5)] long Version)
{
    public bool SaysNothing() => PersonaId is null && LlmConfigId is null && Settings.IsEmpty;
}

/// <summary>What is put in an override's place: a slot that isn't named is empty. Its settings stay.</summary>
[GenerateSerializer, Immutable, Alias("override-slots")]
public sealed record OverrideSlots([property: Id(0)] Guid? PersonaId, [property: Id(1)] Guid? LlmConfigId);
