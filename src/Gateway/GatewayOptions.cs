namespace PersonaActors.Gateway;

/// <summary>What the gateway is told at start. <see cref="AuthOffTenant"/> is set only with auth off, which is only on loopback.</summary>
public sealed record GatewayOptions
{
    public Guid? AuthOffTenant { get; init; }

    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Per user key; 0 means unlimited.</summary>
    public int RequestsPerMinute { get; init; } = 600;

    /// <summary>Per service, admin or operator key; 0 means unlimited.</summary>
    public int ServiceRequestsPerMinute { get; init; }
}
