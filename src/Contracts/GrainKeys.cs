namespace PersonaActors.Contracts;

/// <summary>Grain keys carry the tenant: whoever holds a key can load nothing of another tenant with it.</summary>
public readonly record struct TenantKey(Guid Tenant)
{
    /// <summary>What belongs to no tenant; in tables it has none.</summary>
    public static readonly TenantKey System = new(Guid.Empty);

    public string ToKey() => Tenant.ToString("N");

    public static TenantKey Parse(string key) => new(Guid.ParseExact(key, "N"));
}

/// <summary>A thing that belongs to a tenant: a user, a personality, a user persona.</summary>
public readonly record struct TenantScopedKey(Guid Tenant, Guid Id)
{
    public string ToKey() => string.Create(65, this, static (span, key) =>
    {
        key.Tenant.TryFormat(span, out _, "N");
        span[32] = '/';
        key.Id.TryFormat(span[33..], out _, "N");
    });

    public static TenantScopedKey Parse(string key) =>
        new(Guid.ParseExact(key.AsSpan(0, 32), "N"), Guid.ParseExact(key.AsSpan(33), "N"));
}

/// <summary>A thing that belongs to a user: a persona, a focus session.</summary>
public readonly record struct OwnedKey(Guid Tenant, Guid Owner, Guid Id)
{
    public string ToKey() => string.Create(98, this, static (span, key) =>
    {
        key.Tenant.TryFormat(span, out _, "N");
        span[32] = '/';
        key.Owner.TryFormat(span[33..], out _, "N");
        span[65] = '/';
        key.Id.TryFormat(span[66..], out _, "N");
    });

    public static OwnedKey Parse(string key) =>
        new(Guid.ParseExact(key.AsSpan(0, 32), "N"), Guid.ParseExact(key.AsSpan(33, 32), "N"), Guid.ParseExact(key.AsSpan(66), "N"));
}

/// <summary>Where somebody of a tenant may be: what the place is named, as its stream.</summary>
public readonly record struct PlaceKey(Guid Tenant, string Place)
{
    public string ToKey() => $"{Tenant:N}/{Place}";
}

public static class GrainFactoryKeys
{
    public static TGrain Of<TGrain>(this IGrainFactory grains, TenantKey key) where TGrain : IGrainWithStringKey =>
        grains.GetGrain<TGrain>(key.ToKey());

    public static TGrain Of<TGrain>(this IGrainFactory grains, TenantScopedKey key) where TGrain : IGrainWithStringKey =>
        grains.GetGrain<TGrain>(key.ToKey());

    public static TGrain Of<TGrain>(this IGrainFactory grains, OwnedKey key) where TGrain : IGrainWithStringKey =>
        grains.GetGrain<TGrain>(key.ToKey());
}
