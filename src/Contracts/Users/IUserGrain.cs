using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.Users;

/// <summary>One person of a tenant. Key: <see cref="TenantScopedKey"/>. The only writer of the user, its identities and its
/// default persona; makes and deletes its personas.</summary>
[Alias("user")]
public interface IUserGrain : IGrainWithStringKey
{
    /// <summary>
    /// Makes the user with its default persona, or, if it exists, gives a placeholder its real name.
    /// Refused with <see cref="UserRefusals.IdentityTaken"/> if one of the identities belongs to another user: the caller looks again.
    /// </summary>
    [Alias("register")]
    Task<Outcome<UserView>> Register(Command command, UserRegistration registration);

    /// <summary>
    /// A user whom nobody registered yet is registered as a placeholder, for a service or with auth off; others are refused.
    /// </summary>
    /// <param name="command">The command that uses it; it is not answered here.</param>
    [Alias("register-on-first-use")]
    Task<Refusal?> RegisterOnFirstUse(Command command);

    [Alias("get"), AlwaysInterleave]
    Task<Read<UserView>?> Get();

    [Alias("update")]
    Task<Outcome<UserView>> Update(Command command, UserChange change);

    [Alias("attach-identity")]
    Task<Outcome<UserView>> AttachIdentity(Command command, UserIdentity identity);

    [Alias("detach-identity")]
    Task<Outcome<UserView>> DetachIdentity(Command command, UserIdentity identity);

    [Alias("create-persona")]
    Task<Outcome<PersonaView>> CreatePersona(Command command, PersonaDraft draft);

    /// <summary>Overrides that use it fall back. The default one stays: another has to become the default first.</summary>
    [Alias("delete-persona")]
    Task<Outcome<Nothing>> DeletePersona(Command command, Guid persona);

    [Alias("set-default-persona")]
    Task<Outcome<UserView>> SetDefaultPersona(Command command, Guid persona);

    /// <summary>The user's tier of behaviour settings.</summary>
    [Alias("change-settings")]
    Task<Outcome<UserView>> ChangeSettings(Command command, SettingsChange change);

    /// <param name="llmConfig">A global config or one of the user's own; none to have no default.</param>
    [Alias("set-default-llm-config")]
    Task<Outcome<UserView>> SetDefaultLlmConfig(Command command, Guid? llmConfig);

    [Alias("get-override"), AlwaysInterleave]
    Task<Read<OverrideView>?> GetOverride(Guid personality);

    [Alias("set-override")]
    Task<Outcome<OverrideView>> SetOverride(Command command, Guid personality, OverrideSlots slots);

    /// <summary>The tier of user and personality.</summary>
    [Alias("change-override-settings")]
    Task<Outcome<OverrideView>> ChangeOverrideSettings(Command command, Guid personality, SettingsChange change);

    [Alias("delete-override")]
    Task<Outcome<Nothing>> DeleteOverride(Command command, Guid personality);

    /// <summary>One of the user's own LLM configs.</summary>
    [Alias("get-llm-config"), AlwaysInterleave]
    Task<Read<LlmConfigView>?> GetLlmConfig(Guid id);

    /// <summary>The catalogue has given the user one of the tenant's LLM configs: the rows say more than memory does.</summary>
    [Alias("reload")]
    Task Reload();

    [Alias("create-llm-config")]
    Task<Outcome<LlmConfigView>> CreateLlmConfig(Command command, LlmConfigDraft draft);

    [Alias("update-llm-config")]
    Task<Outcome<LlmConfigView>> UpdateLlmConfig(Command command, Guid id, LlmConfigChange change);

    /// <summary>Overrides that use it fall back, and so does the user's default; refused while a personality has it as its default.</summary>
    [Alias("delete-llm-config")]
    Task<Outcome<Nothing>> DeleteLlmConfig(Command command, Guid id);

    [Alias("delete")]
    Task<Outcome<Nothing>> Delete(Command command);

    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<UserSide>> Grant(SiloAddress holder);

    /// <summary>Notes of the user. What is noted already stays as it is: it may be brought again.</summary>
    [Alias("add-memories")]
    Task<Outcome<AddedMemories>> AddMemories(Command command, Items<NewUserMemory> given);

    [Alias("update-memory")]
    Task<Outcome<UserMemoryView>> UpdateMemory(Command command, Guid id, UserMemoryChange change);

    [Alias("delete-memory")]
    Task<Outcome<Nothing>> DeleteMemory(Command command, Guid id);
}

[GenerateSerializer, Immutable, Alias("user-registration")]
public sealed record UserRegistration(
    [property: Id(0)] string Username,
    [property: Id(1)] string? DisplayName,
    [property: Id(2)] string? Bio,
    [property: Id(3)] Items<UserIdentity> Identities,
    [property: Id(4)] bool IsPlaceholder);

[GenerateSerializer, Immutable, Alias("user-change")]
public sealed record UserChange(
    [property: Id(0)] Patch<string> Username,
    [property: Id(1)] Patch<string> TimeZone,
    [property: Id(2)] Patch<bool?> IsFree,
    [property: Id(3)] Patch<bool?> IsActive);

public static class UserRefusals
{
    public const string NotFound = "user_not_found";
    public const string IdentityTaken = "identity_taken";
    public const string IdentityConflict = "identity_conflict";

    public static readonly Refusal Inactive = Refusal.Forbidden("user_inactive", "The user is not active.");
}
