namespace PersonaActors.Contracts.Events;

/// <summary>Types of events to which the service itself reacts, or after which somebody may have lost a stream; a personality's stand with its contract.</summary>
public static class EventTypes
{
    /// <summary>On the stream of no tenant: the tenant's own went with it.</summary>
    public const string TenantDeleted = "tenant.deleted";

    public const string UserDeleted = "user.deleted";

    /// <summary>As updated, of whether the user is active: an inactive one's connections end.</summary>
    public const string UserAccessChanged = "user.access-changed";

    public const string PersonaDeleted = "persona.deleted";

    public const string UserPersonaUpdated = "user-persona.updated";

    public const string UserPersonaDeleted = "user-persona.deleted";

    public const string KeyRevoked = "key.revoked";
}
