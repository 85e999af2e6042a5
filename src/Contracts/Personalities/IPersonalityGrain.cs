using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.Personalities;

/// <summary>One AI character. Key: <see cref="TenantScopedKey"/>. The only writer of it, its owners, its aliases and its default LLM config.</summary>
[Alias("personality")]
public interface IPersonalityGrain : IGrainWithStringKey
{
    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<PersonalityView>> Grant(SiloAddress holder);

    /// <summary>What this actor may see of it: all, the card, or nothing.</summary>
    [Alias("get"), AlwaysInterleave]
    Task<Read<PersonalityView>?> Get(Actor actor);

    [Alias("create")]
    Task<Outcome<PersonalityView>> Create(Command command, PersonalityDraft draft);

    /// <summary>Makes it of what was exported elsewhere, longer than what is written here may be; one that is there already becomes that.</summary>
    /// <param name="card">The card that it came as, if it did.</param>
    [Alias("import")]
    Task<Outcome<PersonalityView>> Import(Command command, PersonalityDraft draft, ImportedCard? card);

    [Alias("update")]
    Task<Outcome<PersonalityView>> Update(Command command, PersonalityChange change);

    [Alias("delete")]
    Task<Outcome<Nothing>> Delete(Command command);

    [Alias("change-settings")]
    Task<Outcome<PersonalityView>> ChangeSettings(Command command, SettingsChange change);

    /// <param name="llmConfig">A global config or one of the actor's own; none to have no default.</param>
    [Alias("set-default-llm-config")]
    Task<Outcome<PersonalityView>> SetDefaultLlmConfig(Command command, Guid? llmConfig);

    [Alias("set-owner")]
    Task<Outcome<PersonalityOwner>> SetOwner(Command command, Guid user, PersonalityRole role);

    [Alias("remove-owner")]
    Task<Outcome<Nothing>> RemoveOwner(Command command, Guid user);

    /// <summary>After a user is gone, and with it, by cascade, its role and configs: tells so, and goes too if it owned it and nobody else owns or edits it.</summary>
    /// <param name="mayKnow">It may have been told before: then what it knows already isn't told again.</param>
    [Alias("forget")]
    Task Forget(PersonalityOwner gone, bool mayKnow);

    /// <param name="personal">Only the acting user's word for it; otherwise the whole tenant's.</param>
    [Alias("set-alias")]
    Task<Outcome<PersonalityAlias>> SetAlias(Command command, string alias, bool personal);

    [Alias("remove-alias")]
    Task<Outcome<Nothing>> RemoveAlias(Command command, string alias, bool personal);
}
