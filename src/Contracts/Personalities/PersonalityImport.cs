namespace PersonaActors.Contracts.Personalities;

public enum CardFormat
{
    Json,
    Png,
    Charx,
}

/// <summary>What a personality was imported from.</summary>
/// <param name="Card">As it was written.</param>
/// <param name="File">The picture or archive that carried it, without it; none for plain JSON.</param>
[GenerateSerializer, Immutable, Alias("imported-card")]
public sealed record ImportedCard([property: Id(0)] JsonText Card, [property: Id(1)] CardFormat Format, [property: Id(2)] byte[]? File);
