using Npgsql;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Storage;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Personalities;
using PersonaActors.Storage.Users;

namespace PersonaActors.Grains.Users;

/// <summary>The LLM configs that belong to the user: theirs alone to use and to change.</summary>
internal sealed class OwnLlmConfigs(UserWriter user, PersonalityStore personalities)
{
    public const int MaxLlmConfigs = 100;

    private static readonly Refusal NoLlmConfig = Refusal.NotFound("llm_config");

    private static readonly Refusal LlmConfigExists = Refusal.Conflict("llm_config_exists", "This user already has an LLM config of that name.", "name");

    private static readonly Refusal TooManyLlmConfigs = Refusal.Conflict("too_many_llm_configs", $"A user has at most {MaxLlmConfigs} LLM configs.");

    public Read<LlmConfigView>? Find(Guid id) => user.Read(user.Row?.LlmConfigs.FirstOrDefault(own => own.Id == id));

    public async Task<Outcome<LlmConfigView>> Create(Command command, LlmConfigDraft draft)
    {
        if (user.Row is not { } known)
        {
            return Refusal.NotFound("user");
        }

        var next = user.Next(known);
        var config = draft.ToView(Guid.CreateVersion7(next.View.UpdatedAt), user.Id, next.View.UpdatedAt);
        if ((LlmConfigRules.Check(config) ?? (known.LlmConfigs.Count < MaxLlmConfigs ? null : TooManyLlmConfigs)) is { } refusal)
        {
            return refusal;
        }

        return await Change(command, known, next with { LlmConfigs = [.. known.LlmConfigs, config] }, "llm-config.created",
            Outcome<LlmConfigView>.Created(config), batch => LlmConfigStore.Insert(batch, user.Tenant, config));
    }

    public async Task<Outcome<LlmConfigView>> Update(Command command, Guid id, LlmConfigChange change)
    {
        if (user.Row is not { } known || known.LlmConfigs.FirstOrDefault(own => own.Id == id) is not { } config)
        {
            return NoLlmConfig;
        }

        var changed = change.Over(config);
        if ((command.Stale(config.Version) ?? CheckOwner(change) ?? LlmConfigRules.Check(changed, config)) is { } refusal)
        {
            return refusal;
        }

        if (changed == config)
        {
            return await user.Unchanged(command, known, config);
        }

        var next = user.Next(known);
        changed = changed with { Version = config.Version + 1, UpdatedAt = next.View.UpdatedAt };
        return await Change(command, known, next with { LlmConfigs = [.. known.LlmConfigs.Select(own => own.Id == id ? changed : own)] },
            "llm-config.updated", Outcome<LlmConfigView>.Done(changed), batch => LlmConfigStore.Update(batch, user.Tenant, changed));
    }

    public async Task<Outcome<Nothing>> Delete(Command command, Guid id)
    {
        if (user.Row is not { } known || known.LlmConfigs.FirstOrDefault(own => own.Id == id) is not { } config)
        {
            return NoLlmConfig;
        }

        if (command.Stale(config.Version) is { } refusal)
        {
            return refusal;
        }

        var next = user.Next(known);
        next = next with
        {
            View = known.View.DefaultLlmConfigId == id ? next.View with { DefaultLlmConfigId = null } : next.View,
            LlmConfigs = [.. known.LlmConfigs.Where(own => own.Id != id)],
            Overrides = OverrideRules.WithoutLlmConfig(known.Overrides, id, next.View),
        };
        try
        {
            return await user.ChangeOverrides(command, known, next, "llm-config.deleted", "llmConfigId", id, Outcome<Nothing>.Deleted(),
                batch => LlmConfigStore.Delete(batch, user.Tenant, config));
        }
        catch (PostgresException e) when (e.IsForeignKey(PersonalityStore.DefaultConfigKey))
        {
            return LlmConfigRules.InUse(await personalities.DefaultOf(RowScope.OfTenant(user.Tenant), id));
        }
    }

    private async Task<Outcome<LlmConfigView>> Change(
        Command command, UserRow known, UserRow next, string type, Outcome<LlmConfigView> outcome, Action<ScopedBatch> rows)
    {
        try
        {
            return await user.Change(command, known, next, type, "llmConfig", outcome.Value!, outcome, rows);
        }
        catch (PostgresException e) when (e.IsUnique(LlmConfigStore.NameKey))
        {
            return LlmConfigExists;
        }
    }

    private Refusal? CheckOwner(LlmConfigChange change) => change.OwnerId.IsSet && change.OwnerId.Value != user.Id
        ? Refusal.Invalid("ownerId", "A user's own config stays that user's; make another one.")
        : null;
}
