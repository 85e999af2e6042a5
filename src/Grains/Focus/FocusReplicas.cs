using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains.Focus;

/// <summary>The views of focus sessions, as silos hold them.</summary>
public static class FocusReplicas
{
    public static readonly ReplicaOf<BegunSession> Sessions = new(
        static (grains, key, silo) => grains.Of<IPersonSessionsGrain>(new TenantScopedKey(key.Tenant, key.Id)).Grant(silo), static _ => 256);

    public static readonly ReplicaOf<FocusSessionView> Session = new(
        static (grains, key, silo) => grains.Of<IFocusSessionGrain>(new OwnedKey(key.Tenant, key.Owner, key.Id)).Grant(silo), static _ => 2048);

    /// <summary>The session that the person began last, whether or not it has ended.</summary>
    public static FocusSessionView? Begun(Reading reading, Guid tenant, Guid user) =>
        reading.Take(Sessions, new ReplicaKey(ReplicaKind.Sessions, new TenantScopedKey(tenant, user)))?.View?.Session is { } begun
            ? reading.Take(Session, new ReplicaKey(ReplicaKind.Session, new OwnedKey(tenant, user, begun)))?.View
            : null;
}
