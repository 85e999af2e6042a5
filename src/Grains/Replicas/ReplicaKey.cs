using PersonaActors.Contracts.Conversations;

namespace PersonaActors.Grains.Replicas;

/// <summary>Whose view it is.</summary>
public enum ReplicaKind : byte
{
    User,
    Persona,
    Personality,
    UserPersona,
    Tenant,
    Catalogue,

    /// <summary>Which focus session a person began last.</summary>
    Sessions,
    Session,

    /// <summary>Nobody asks for it.</summary>
    Companion,

    Mindscape,
    Mapper,
    Channel,

    /// <summary>Nobody asks for it.</summary>
    Job,
}

/// <summary>The name of a replica: a kind, and the key of the grain that owns it.</summary>
/// <param name="Owner">The user to whom the thing belongs, where its key says so.</param>
/// <param name="Name">Of what goes by a name instead of an id.</param>
[GenerateSerializer, Immutable, Alias("replica-key")]
public sealed record ReplicaKey(
    [property: Id(0)] ReplicaKind Kind, [property: Id(1)] Guid Tenant, [property: Id(2)] Guid Owner, [property: Id(3)] Guid Id, [property: Id(4)] string? Name = null)
{
    public ReplicaKey(ReplicaKind kind, ChannelKey key) : this(kind, key.Tenant, Guid.Empty, Guid.Empty, key.Id)
    {
    }

    public ReplicaKey(ReplicaKind kind, TenantScopedKey key) : this(kind, key.Tenant, Guid.Empty, key.Id)
    {
    }

    public ReplicaKey(ReplicaKind kind, OwnedKey key) : this(kind, key.Tenant, key.Owner, key.Id)
    {
    }

    public ReplicaKey(ReplicaKind kind, TenantKey key) : this(kind, key.Tenant, Guid.Empty, Guid.Empty)
    {
    }
}
