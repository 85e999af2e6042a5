namespace PersonaActors.Contracts;

/// <summary>What kind of no it is; the gateway translates it to one HTTP status.</summary>
public enum RefusalKind
{
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    Gone,
    Stale,
    Unprocessable,
    TooMany,
}

/// <summary>An expected no: a stable code for programs, words for people, and the field it is about.</summary>
[GenerateSerializer, Immutable, Alias("refusal")]
public sealed record Refusal(
    [property: Id(0)] RefusalKind Kind,
    [property: Id(1)] string Code,
    [property: Id(2)] string Detail,
    [property: Id(3)] string? Field = null,
    [property: Id(4)] JsonText? Extra = null)
{
    public static Refusal Invalid(string field, string detail) => new(RefusalKind.Invalid, "invalid_field", detail, field);

    public static Refusal NotFound(string what) => new(RefusalKind.NotFound, $"{what}_not_found", $"There is no such {what.Replace('_', ' ')}.");

    public static Refusal Forbidden(string code, string detail) => new(RefusalKind.Forbidden, code, detail);

    public static Refusal Conflict(string code, string detail, string? field = null) => new(RefusalKind.Conflict, code, detail, field);

    public static Refusal Stale(long expected, long actual) =>
        new(RefusalKind.Stale, "version_mismatch", $"If-Match named version {expected}, the entity is at version {actual}: read it again and repeat the change.");
}
