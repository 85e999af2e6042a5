namespace PersonaActors.Contracts.Prompts;

/// <summary>What a user wants otherwise with one personality. One that says nothing is not kept.</summary>
[GenerateSerializer, Immutable, Alias("override-view")]
public sealed record OverrideView(
    [property: Id(0)] Guid PersonalityId,
    [property: Id(1)] Guid? PersonaId,
    [property: Id(2)] Guid? LlmConfigId,
    [property: Id(3)] SettingsTier Settings,
    [property: Id(4)] DateTimeOffset UpdatedAt)
{
    public bool SaysNothing() => PersonaId is null && LlmConfigId is null && Settings.IsEmpty;
}
