namespace PersonaActors.Contracts;

public enum ActorKind
{
    User,
    Service,
    TenantAdmin,
    Operator,
}

/// <summary>Who acts: the kind of key and, where one is named, the user it acts for.</summary>
[GenerateSerializer, Immutable, Alias("actor")]
public sealed record Actor([property: Id(0)] ActorKind Kind, [property: Id(1)] Guid? User)
{
    /// <summary>Tenant admins and operators stand above the roles that users give each other; acting for a user, they are that user.</summary>
    public bool IsAdmin => User is null && Kind is ActorKind.TenantAdmin or ActorKind.Operator;

    public bool IsOperator => User is null && Kind == ActorKind.Operator;

    /// <summary>May write what belongs to the whole tenant: admins, and services that name no user they act for.</summary>
    public bool ActsForTenant => IsAdmin || (Kind == ActorKind.Service && User is null);
}

/// <summary>
/// What makes a command repeatable: its id is stored with its answer in the command's own transaction,
/// so that a repeat (by the client, or by the gateway after a lost connection) returns the first answer.
/// </summary>
/// <param name="Id">The client's Idempotency-Key, or one that the gateway made before its first try.</param>
/// <param name="Caller">The key that called; ids of different callers never meet. Empty with auth off.</param>
/// <param name="Fingerprint">SHA-256 over method, path and body: the same id with another body is refused.</param>
/// <param name="IfMatch">The version that the caller wants to change, or none.</param>
/// <param name="IsNamed">The client gave the id and may repeat it long after: its answer is kept even where nothing was to do.</param>
[GenerateSerializer, Immutable, Alias("command")]
public sealed record Command(
    [property: Id(0)] string Id,
    [property: Id(1)] Guid Caller,
    [property: Id(2)] string Fingerprint,
    [property: Id(3)] Actor Actor,
    [property: Id(4)] long? IfMatch = null,
    [property: Id(5)] bool IsNamed = false)
{
    /// <summary>The caller wanted to change another version than there is.</summary>
    public Refusal? Stale(long version) => IfMatch is { } expected && expected != version ? Refusal.Stale(expected, version) : null;

    /// <summary>One that no request asked for: something in the service is done for a person, and its id makes a second time harmless.</summary>
    public static Command OfService(string id, Guid person) => new(id, Guid.Empty, NoFingerprint, new Actor(ActorKind.Service, person));

    /// <summary>The same of what sees by looking whether it was done already: its id is nobody else's.</summary>
    public static Command Unasked(Actor actor) => new(Guid.NewGuid().ToString("N"), Guid.Empty, NoFingerprint, actor);

    private static readonly string NoFingerprint = new('0', 64);
}
