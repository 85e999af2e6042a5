namespace PersonaActors.Contracts.Conversations;

/// <summary>A channel of a tenant, as its frontend names it.</summary>
public readonly record struct ChannelKey(Guid Tenant, string Id)
{
    public const int MaxId = 128;

    public string ToKey() => $"{Tenant:N}/{Id}";

    public static ChannelKey Parse(string key) => new(Guid.ParseExact(key.AsSpan(0, 32), "N"), key[33..]);
}

public static class ChannelKeys
{
    public static TGrain Of<TGrain>(this IGrainFactory grains, ChannelKey key) where TGrain : IGrainWithStringKey =>
        grains.GetGrain<TGrain>(key.ToKey());
}
