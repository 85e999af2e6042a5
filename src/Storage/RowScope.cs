namespace PersonaActors.Storage;

/// <summary>Whose rows a transaction may see: the settings that every row-level policy reads.</summary>
public readonly record struct RowScope(Guid? Tenant, Guid? User, string? Scope)
{
    /// <summary>What one user may see.</summary>
    public static RowScope OfUser(Guid tenant, Guid user) => new(tenant, user, null);

    /// <summary>Tenant-wide work: lists for admins, the catalogue, look-ups before the user is known.</summary>
    public static RowScope OfTenant(Guid tenant) => new(tenant, null, "tenant");

    /// <summary>Operators' work: tenants themselves and the rows of the system, which have no tenant.</summary>
    public static RowScope OfOperator(Guid? tenant = null) => new(tenant, null, "operator");
}
