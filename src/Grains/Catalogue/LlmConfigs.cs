using System.Collections.Immutable;
using Npgsql;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Users;
using PersonaActors.Storage;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Personalities;

namespace PersonaActors.Grains.Catalogue;

/// <summary>The global ones. A user's own are that user's grain's.</summary>
internal sealed class LlmConfigs(CatalogueWriter catalogue, PersonalityStore personalities, IGrainFactory grains)
    : CatalogueKind<LlmConfigView>(catalogue, "llm_config", "LLM configs")
{
    private static readonly Refusal NameTaken = Refusal.Conflict(
        "llm_config_exists", "An LLM config of that name exists there: a global one, or one of that user's own.", "name");

    protected override ImmutableDictionary<Guid, LlmConfigView> Known => Catalogue.State.LlmConfigs;

    public Task<Outcome<LlmConfigView>> Create(Command command, LlmConfigDraft draft) => Create(command, (id, at) => draft.ToView(id, null, at));

    public Task<Outcome<LlmConfigView>> Update(Command command, Guid id, LlmConfigChange change) =>
        Update(command, id, known => change.Over(known) with { OwnerId = change.OwnerId.Over(null) });

    public override async Task<Outcome<Nothing>> Delete(Command command, Guid id)
    {
        try
        {
            return await base.Delete(command, id);
        }
        catch (PostgresException e) when (e.IsForeignKey(PersonalityStore.DefaultConfigKey))
        {
            return LlmConfigRules.InUse(await personalities.DefaultOf(CatalogueStore.Scope(Catalogue.Tenant), id));
        }
    }

    /// <summary>
    /// A global config that gets an owner becomes that user's own. The user's grain reads it before it leaves the catalogue
    /// here, so there is no moment at which that user has it nowhere; and who hears of it finds it there. That grain asks the
    /// catalogue too, but only what interleaves.
    /// </summary>
    protected override async Task<Outcome<LlmConfigView>> Save(Command command, LlmConfigView next, DateTimeOffset now)
    {
        if (next.OwnerId is not { } owner)
        {
            return await base.Save(command, next, now);
        }

        try
        {
            return await Commit(command, Outcome<LlmConfigView>.Done(next), change => change.Give(next), now,
                () => grains.Of<IUserGrain>(new TenantScopedKey(Catalogue.Tenant!.Value, owner)).Reload());
        }
        catch (PostgresException e) when (e.IsForeignKey(LlmConfigStore.OwnerReference))
        {
            return Refusal.NotFound("user");
        }
    }

    protected override long VersionOf(LlmConfigView known) => known.Version;

    protected override LlmConfigView Raised(LlmConfigView next, DateTimeOffset now) => next with { Version = next.Version + 1, UpdatedAt = now };

    protected override ValueTask<Refusal?> Check(LlmConfigView next, LlmConfigView? known) => new(LlmConfigRules.Check(next, known) ?? CheckName(next));

    protected override Refusal? Taken(PostgresException e) => e.IsUnique(LlmConfigStore.NameKey) ? NameTaken : null;

    protected override void Put(CatalogueChange change, LlmConfigView next) => change.Put(next);

    protected override void Remove(CatalogueChange change, LlmConfigView known) => change.Remove(known);

    private Refusal? CheckName(LlmConfigView next) =>
        next.IsGlobal && Known.Values.Any(other => other.Id != next.Id && string.Equals(other.Name, next.Name, StringComparison.OrdinalIgnoreCase))
            ? NameTaken
            : null;
}
