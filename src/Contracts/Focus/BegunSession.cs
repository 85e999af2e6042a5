namespace PersonaActors.Contracts.Focus;

/// <summary>The session that a person began last, if it may still be live: whether it is, it says itself.</summary>
[GenerateSerializer, Immutable, Alias("begun-session")]
public sealed record BegunSession([property: Id(0)] Guid? Session);
