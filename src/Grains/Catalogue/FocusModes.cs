using System.Collections.Immutable;
using Npgsql;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Storage;
using PersonaActors.Storage.Catalogue;

namespace PersonaActors.Grains.Catalogue;

/// <summary>A tenant's own, or the system's, which the system's catalogue holds for all tenants.</summary>
internal sealed class FocusModes(CatalogueWriter catalogue, IGrainFactory grains) : CatalogueKind<FocusModeView>(catalogue, "focus_mode", "focus modes")
{
    private static readonly Refusal NameTaken = Refusal.Conflict("focus_mode_exists", "A focus mode of that name exists.", "modeName");

    protected override ImmutableDictionary<Guid, FocusModeView> Known => Catalogue.State.FocusModes;

    public async Task<Outcome<FocusModeView>> Create(Command command, FocusModeDraft draft) =>
        draft.IsSystem is true && Catalogue.Tenant is not null
            ? CatalogueWriter.OperatorOnly
            : await Create(command, (id, at) => draft.ToView(id, Catalogue.Tenant is null, at));

    public Task<Outcome<FocusModeView>> Update(Command command, Guid id, FocusModeChange change) => Update(command, id, change.Over);

    protected override long VersionOf(FocusModeView known) => known.Version;

    protected override FocusModeView Raised(FocusModeView next, DateTimeOffset now) => next with { Version = next.Version + 1, UpdatedAt = now };

    protected override async ValueTask<Refusal?> Check(FocusModeView next, FocusModeView? known) => FocusModeRules.Check(next, known) ?? await CheckName(next);

    protected override Refusal? Taken(PostgresException e) => e.IsUnique(CatalogueStore.FocusModeNameKey) ? NameTaken : null;

    protected override void Put(CatalogueChange change, FocusModeView next) => change.Put(next);

    protected override void Remove(CatalogueChange change, FocusModeView known) => change.Remove(known);

    private async ValueTask<Refusal?> CheckName(FocusModeView next)
    {
        if (Known.Values.Any(other => other.Id != next.Id && other.ModeName == next.ModeName))
        {
            return NameTaken;
        }

        return Catalogue.Tenant is null
            ? null
            : FocusModeRules.CheckNotTaken(next.ModeName, (await grains.Of<ICatalogueGrain>(TenantKey.System).Get()).Value.FocusModes.Values);
    }
}
