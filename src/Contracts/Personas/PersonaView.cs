namespace PersonaActors.Contracts.Personas;

/// <summary>A persona as GET answers it: who a user says they are.</summary>
[GenerateSerializer, Immutable, Alias("persona-view")]
public sealed record PersonaView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid OwnerId,
    [property: Id(2)] string Name,
    [property: Id(3)] string? Description,
    [property: Id(4)] string Content,
    [property: Id(5)] string? PreferredName,
    [property: Id(6)] string? Pronouns,
    [property: Id(7)] long Version,
    [property: Id(8)] DateTimeOffset CreatedAt,
    [property: Id(9)] DateTimeOffset UpdatedAt)
{
    /// <summary>As characters call them.</summary>
    public string Called() => string.IsNullOrWhiteSpace(PreferredName) ? Name : PreferredName;
}
