using Npgsql;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Settings;
using PersonaActors.Storage;
using PersonaActors.Storage.Users;

namespace PersonaActors.Grains.Users;

/// <summary>What the user wants otherwise: with one personality, and with all.</summary>
internal sealed class UserOverrides(UserWriter user, IGrainFactory grains)
{
    private static readonly Refusal NoOverride = Refusal.NotFound("override");

    public async Task<Outcome<UserView>> ChangeSettings(Command command, SettingsChange change)
    {
        if (user.CheckFound(command) is { } refusal)
        {
            return refusal;
        }

        var known = user.Row!;
        var settings = change.Over(known.View.Settings);
        if (SettingsRules.Check(settings) is { } invalid)
        {
            return invalid;
        }

        return settings == known.View.Settings
            ? await user.Unchanged(command, known)
            : await user.Change(command, known, known.View with { Settings = settings }, known.IsPlaceholder);
    }

    public async Task<Outcome<UserView>> SetDefaultLlmConfig(Command command, Guid? llmConfig)
    {
        if (user.CheckFound(command) is { } refusal)
        {
            return refusal;
        }

        // First: the one that is remembered as the default may be gone by now, or somebody else's.
        if (!await MayUseLlmConfig(llmConfig))
        {
            return Refusal.NotFound("llm_config");
        }

        var known = user.Row!;
        if (known.View.DefaultLlmConfigId == llmConfig)
        {
            return await user.Unchanged(command, known);
        }

        try
        {
            return await user.Change(command, known, known.View with { DefaultLlmConfigId = llmConfig }, known.IsPlaceholder,
                (batch, now) => UserStore.SetDefaultLlmConfig(batch, user.Tenant, user.Id, llmConfig, now));
        }
        catch (PostgresException e) when (e.IsForeignKey(UserStore.DefaultLlmConfigReference))
        {
            return Refusal.NotFound("llm_config");
        }
    }

    public Read<OverrideView>? Find(Guid personality) => user.Read(user.Row?.Overrides.GetValueOrDefault(personality));

    public async Task<Outcome<OverrideView>> Set(Command command, Guid personality, OverrideSlots slots)
    {
        if (await MayOverride(command, personality) is { } refusal)
        {
            return refusal;
        }

        if (slots.PersonaId is { } persona && await grains.Of<IPersonaGrain>(new OwnedKey(user.Tenant, user.Id, persona)).Get() is null)
        {
            return Refusal.NotFound("persona");
        }

        if (!await MayUseLlmConfig(slots.LlmConfigId))
        {
            return Refusal.NotFound("llm_config");
        }

        return await Put(command, personality, known => known with { PersonaId = slots.PersonaId, LlmConfigId = slots.LlmConfigId });
    }

    public async Task<Outcome<OverrideView>> ChangeSettings(Command command, Guid personality, SettingsChange change)
    {
        if (await MayOverride(command, personality) is { } refusal)
        {
            return refusal;
        }

        var settings = change.Over(user.Row!.Overrides.GetValueOrDefault(personality)?.Settings ?? SettingsTier.Empty);
        return SettingsRules.Check(settings) is { } invalid ? invalid : await Put(command, personality, known => known with { Settings = settings });
    }

    public async Task<Outcome<Nothing>> Delete(Command command, Guid personality)
    {
        if (user.Row is not { } known || !known.Overrides.TryGetValue(personality, out var had))
        {
            return NoOverride;
        }

        if (command.Stale(had.Version) is { } stale)
        {
            return stale;
        }

        return await user.ChangeOverrides(command, known, user.Next(known) with { Overrides = known.Overrides.Remove(personality) },
            "override.removed", "personalityId", personality, Outcome<Nothing>.Deleted());
    }

    private async Task<Outcome<OverrideView>> Put(Command command, Guid personality, Func<OverrideView, OverrideView> change)
    {
        var known = user.Row!;
        var had = known.Overrides.GetValueOrDefault(personality) ?? OverrideRules.Nothing(personality, known.View);
        var changed = change(had);
        if (changed == had)
        {
            return await user.Unchanged(command, known, had);
        }

        var next = user.Next(known);
        next = next with { Overrides = OverrideRules.Put(known.Overrides, changed, next.View) };
        return next.Overrides.TryGetValue(personality, out var kept)
            ? await user.ChangeOverrides(command, known, next, "override.changed", "override", kept, Outcome<OverrideView>.Done(kept))
            : await user.ChangeOverrides(command, known, next, "override.removed", "personalityId", personality,
                Outcome<OverrideView>.Done(OverrideRules.Nothing(personality, next.View)));
    }

    private async Task<Refusal?> MayOverride(Command command, Guid personality)
    {
        if (user.Row is not { } known)
        {
            return Refusal.NotFound("user");
        }

        var version = known.Overrides.GetValueOrDefault(personality)?.Version ?? 0;
        if (command.Stale(version) is { } stale)
        {
            return stale;
        }

        var found = await grains.Of<IPersonalityGrain>(new TenantScopedKey(user.Tenant, personality)).Get(command.Actor with { User = user.Id });
        return found is null ? Refusal.NotFound("personality") : null;
    }

    /// <summary>The user's own or a global one. Somebody else's is as if it didn't exist.</summary>
    private async ValueTask<bool> MayUseLlmConfig(Guid? id) =>
        id is not { } config
        || user.Row!.LlmConfigs.Any(own => own.Id == config)
        || await grains.Of<ICatalogueGrain>(new TenantKey(user.Tenant)).GetLlmConfig(config) is not null;
}
