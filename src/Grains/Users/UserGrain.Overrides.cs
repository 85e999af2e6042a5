using Npgsql;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Settings;
using PersonaActors.Storage;
using PersonaActors.Storage.Personalities;
using PersonaActors.Storage.Users;

namespace PersonaActors.Grains.Users;

/// <summary>
/// What the user wants otherwise: with one personality, and with all. A persona, config or personality that was deleted
/// meanwhile is met by its foreign key; the fresh activation that then answers doesn't know it either.
/// </summary>
public sealed partial class UserGrain
{
    private static readonly Refusal NoOverride = Refusal.NotFound("override");

    public async Task<Outcome<UserView>> ChangeSettings(Command command, SettingsChange change)
    {
        if (Found(command) is { Refusal: { } refusal })
        {
            return refusal;
        }

        var known = _user!;
        var settings = change.Over(known.View.Settings);
        if (SettingsRules.Check(settings) is { } invalid)
        {
            return invalid;
        }

        return settings == known.View.Settings
            ? await Unchanged(command, known)
            : await Change(command, known, known.View with { Settings = settings }, known.IsPlaceholder);
    }

    public async Task<Outcome<UserView>> SetDefaultLlmConfig(Command command, Guid? llmConfig)
    {
        if (Found(command) is { Refusal: { } refusal })
        {
            return refusal;
        }

        // First: the one that is remembered as the default may be gone by now, or somebody else's.
        if (!await MayUseLlmConfig(llmConfig))
        {
            return Refusal.NotFound("llm_config");
        }

        var known = _user!;
        if (known.View.DefaultLlmConfigId == llmConfig)
        {
            return await Unchanged(command, known);
        }

        try
        {
            return await Change(command, known, known.View with { DefaultLlmConfigId = llmConfig }, known.IsPlaceholder);
        }
        catch (PostgresException e) when (e.IsForeignKey(UserStore.DefaultLlmConfigReference))
        {
            return Refusal.NotFound("llm_config");
        }
    }

    public Task<Read<OverrideView>?> GetOverride(Guid personality) => Task.FromResult(
        _user is { } user && user.Overrides.TryGetValue(personality, out var found) ? new Read<OverrideView>(found, database.Epoch, user.Seq) : null);

    public async Task<Outcome<OverrideView>> SetOverride(Command command, Guid personality, OverrideSlots slots)
    {
        if (await MayOverride(command, personality) is { } refusal)
        {
            return refusal;
        }

        if (slots.PersonaId is { } persona && await Persona(persona).Get() is null)
        {
            return Refusal.NotFound("persona");
        }

        if (!await MayUseLlmConfig(slots.LlmConfigId))
        {
            return Refusal.NotFound("llm_config");
        }

        return await PutOverride(command, personality, known => known with { PersonaId = slots.PersonaId, LlmConfigId = slots.LlmConfigId });
    }

    public async Task<Outcome<OverrideView>> ChangeOverrideSettings(Command command, Guid personality, SettingsChange change)
    {
        if (await MayOverride(command, personality) is { } refusal)
        {
            return refusal;
        }

        var settings = change.Over(_user!.Overrides.GetValueOrDefault(personality)?.Settings ?? SettingsTier.Empty);
        return SettingsRules.Check(settings) is { } invalid ? invalid : await PutOverride(command, personality, known => known with { Settings = settings });
    }

    public async Task<Outcome<Nothing>> DeleteOverride(Command command, Guid personality)
    {
        if (_user is not { } known || !known.Overrides.TryGetValue(personality, out var had))
        {
            return NoOverride;
        }

        if (command.Stale(had.Version) is { } stale)
        {
            return stale;
        }

        return await ChangeOverrides(command, known, Next(known) with { Overrides = known.Overrides.Remove(personality) },
            "override.removed", "personalityId", personality, Outcome<Nothing>.Deleted());
    }

    private async Task<Outcome<OverrideView>> PutOverride(Command command, Guid personality, Func<OverrideView, OverrideView> change)
    {
        var known = _user!;
        var had = known.Overrides.GetValueOrDefault(personality) ?? OverrideRules.Nothing(personality, known.View);
        var changed = change(had);
        if (changed == had)
        {
            return await Unchanged(command, known, had);
        }

        var next = Next(known);
        next = next with { Overrides = OverrideRules.Put(known.Overrides, changed, next.View) };
        return next.Overrides.TryGetValue(personality, out var kept)
            ? await ChangeOverrides(command, known, next, "override.changed", "override", kept, Outcome<OverrideView>.Done(kept))
            : await ChangeOverrides(command, known, next, "override.removed", "personalityId", personality,
                Outcome<OverrideView>.Done(OverrideRules.Nothing(personality, next.View)));
    }

    /// <param name="rows">What else is written, after the overrides.</param>
    private async Task<Outcome<T>> ChangeOverrides<T>(
        Command command, UserRow known, UserRow next, string type, string part, object value, Outcome<T> outcome, Action<ScopedBatch>? rows = null)
        where T : class
    {
        try
        {
            return await Change(command, known, next, type, part, value, outcome, batch =>
            {
                WriteOverrides(batch, known, next);
                rows?.Invoke(batch);
            });
        }
        catch (PostgresException e) when (e.IsForeignKey() && !e.IsForeignKey(PersonalityStore.DefaultConfigKey))
        {
            DeactivateOnIdle();
            throw new ActivationOutdatedException("What an override refers to was deleted meanwhile.", e);
        }
    }

    private void WriteOverrides(ScopedBatch batch, UserRow known, UserRow next)
    {
        foreach (var (personality, had) in known.Overrides)
        {
            if (!next.Overrides.TryGetValue(personality, out var kept))
            {
                OverrideStore.Delete(batch, _key.Tenant, _key.Id, personality);
            }
            else if (kept != had)
            {
                OverrideStore.Put(batch, _key.Tenant, _key.Id, kept);
            }
        }

        foreach (var (personality, added) in next.Overrides)
        {
            if (!known.Overrides.ContainsKey(personality))
            {
                OverrideStore.Put(batch, _key.Tenant, _key.Id, added);
            }
        }
    }

    private async Task<Refusal?> MayOverride(Command command, Guid personality)
    {
        if (_user is not { } known)
        {
            return Refusal.NotFound("user");
        }

        var version = known.Overrides.GetValueOrDefault(personality)?.Version ?? 0;
        if (command.Stale(version) is { } stale)
        {
            return stale;
        }

        var found = await GrainFactory.Of<IPersonalityGrain>(new TenantScopedKey(_key.Tenant, personality)).Get(command.Actor with { User = _key.Id });
        return found is null ? Refusal.NotFound("personality") : null;
    }

    /// <summary>The user's own or a global one. Somebody else's is as if it didn't exist.</summary>
    private async ValueTask<bool> MayUseLlmConfig(Guid? id) =>
        id is not { } config
        || _user!.LlmConfigs.Any(own => own.Id == config)
        || await GrainFactory.Of<ICatalogueGrain>(new TenantKey(_key.Tenant)).GetLlmConfig(config) is not null;
}
