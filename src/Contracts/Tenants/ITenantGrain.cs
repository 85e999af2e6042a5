using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.Tenants;

/// <summary>One tenant. Key: <see cref="TenantKey"/>. The only writer of the tenant, its settings and its API keys.</summary>
[Alias("tenant")]
public interface ITenantGrain : IGrainWithStringKey
{
    [Alias("create")]
    Task<Outcome<TenantView>> Create(Command command, TenantDraft draft);

    [Alias("get"), AlwaysInterleave]
    Task<Read<TenantView>?> Get();

    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<TenantView>> Grant(SiloAddress holder);

    [Alias("update")]
    Task<Outcome<TenantView>> Update(Command command, TenantChange change);

    [Alias("change-settings")]
    Task<Outcome<TenantView>> ChangeSettings(Command command, TenantSettingsChange change);

    /// <summary>Stores a key that the gateway made; the grain never sees it, only its hash.</summary>
    [Alias("add-key")]
    Task<Outcome<ApiKeyView>> AddKey(Command command, NewApiKey key);

    /// <summary>A service key in place of those that have its name: of the user whose first one it names, or the first of a new one.</summary>
    /// <param name="user">None refuses a name that is in use with <see cref="TenantRefusals.NameInUse"/>; else the key's own name counts for nothing.</param>
    [Alias("issue-key")]
    Task<Outcome<IssuedKey>> IssueKey(Command command, NewApiKey key, Guid? user);

    [Alias("rename-key")]
    Task<Outcome<ApiKeyView>> RenameKey(Command command, Guid keyId, ApiKeyChange change);

    [Alias("revoke-key")]
    Task<Outcome<ApiKeyView>> RevokeKey(Command command, Guid keyId);

    /// <summary>Deletes the tenant with all that is its. Refused with <see cref="TenantRefusals.Unconfirmed"/> unless its name is given again.</summary>
    [Alias("delete")]
    Task<Outcome<Nothing>> Delete(Command command, string? confirm);
}

public static class TenantRefusals
{
    public const string Unconfirmed = "confirmation_required";
    public const string NameInUse = "key_name_in_use";
}

/// <param name="User">The first key of that name.</param>
/// <param name="Revoked">The keys whose place it took.</param>
[GenerateSerializer, Immutable, Alias("issued-key")]
public sealed record IssuedKey([property: Id(0)] Guid User, [property: Id(1)] ApiKeyView Key, [property: Id(2)] Items<Guid> Revoked);

[GenerateSerializer, Immutable, Alias("api-key-change")]
public sealed record ApiKeyChange([property: Id(0)] Patch<string> Name);

[GenerateSerializer, Immutable, Alias("tenant-draft")]
public sealed record TenantDraft([property: Id(0)] string Name, [property: Id(1)] string DisplayName);

[GenerateSerializer, Immutable, Alias("tenant-change")]
public sealed record TenantChange(
    [property: Id(0)] Patch<string> DisplayName,
    [property: Id(1)] Patch<int?> EventRetentionDays);

/// <summary>PATCH of the tenant's settings: its tier of the cascade, and how long conversations are kept.</summary>
[GenerateSerializer, Immutable, Alias("tenant-settings-change")]
public sealed record TenantSettingsChange(
    [property: Id(0)] Patch<Setting<int>> MaxMessages,
    [property: Id(1)] Patch<Setting<int>> MaxAge,
    [property: Id(2)] Patch<Setting<int>> MemoryLimit,
    [property: Id(3)] Patch<Setting<double>> MemoryScoreThreshold,
    [property: Id(4)] Patch<Setting<bool>> FocusOverlay,
    [property: Id(5)] Patch<Setting<bool>> MindscapeOverlay,
    [property: Id(6)] Patch<int?> ConversationRetentionDays)
{
    public SettingsTier Over(SettingsTier tier) =>
        new SettingsChange(MaxMessages, MaxAge, MemoryLimit, MemoryScoreThreshold, FocusOverlay, MindscapeOverlay).Over(tier);
}

[GenerateSerializer, Immutable, Alias("new-api-key")]
public sealed record NewApiKey(
    [property: Id(0)] Guid Id,
    [property: Id(1)] ApiKeyKind Kind,
    [property: Id(2)] string Name,
    [property: Id(3)] string Prefix,
    [property: Id(4)] byte[] Hash,
    [property: Id(5)] byte[] TokenSecret,
    [property: Id(6)] Guid? UserId,
    [property: Id(7)] bool MayDelegate);
