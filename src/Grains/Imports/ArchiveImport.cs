using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Grains.Jobs;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage;
using PersonaActors.Storage.Imports;
using PersonaActors.Storage.Jobs;

namespace PersonaActors.Grains.Imports;

/// <summary>A user's archive into an empty tenant: there the user's prompts are what they were.</summary>
public sealed class ArchiveImport(Database database, JobFileStore files, StagingStore staging, ImportCommit committing, IGrainFactory grains, Clock time) : IJobKind
{
    public const string Kind = "import-archive";

    /// <param name="DryRun">It is only told what would happen.</param>
    public sealed record Input(bool DryRun = false);

    public sealed record Report(Guid User, IReadOnlyDictionary<string, int> Rows, bool DryRun = false);

    public string Name => Kind;

    public async Task<JobStep> Step(JobWork work, CancellationToken cancel)
    {
        var report = await staging.Report(work.Tenant, work.Id, cancel) ?? await Apply(work, cancel);
        await staging.Clear(work.Tenant, work.Id, notesToo: true, cancel);
        var rows = report.Read<Report>().Rows.Values.Sum();
        return new JobStep(work.Cursor, "applied", rows, rows, report);
    }

    public async Task<string> Abandon(JobWork work) =>
        await staging.Report(work.Tenant, work.Id, CancellationToken.None) is not null ? "Everything: it was applied already." : "Nothing.";

    private async Task<JsonText> Apply(JobWork work, CancellationToken cancel)
    {
        var (archive, refusal) = ArchiveFile.Read((await files.Find(work.Tenant, work.Id, JobFileStore.Input, cancel))?.Content ?? []);
        if (archive is null)
        {
            throw new JobFailedException(refusal!.Code, refusal.Detail);
        }

        var (tenant, now) = (work.Tenant, time.GetUtcNow().ToMicroseconds());
        await using var transaction = await ImportTransaction.Begin(database, tenant, cancel);
        if (!await ArchiveStore.IsEmpty(transaction, tenant, cancel))
        {
            throw new JobFailedException("tenant_not_empty", "An archive is imported into an empty tenant: one without users, characters and catalogue.");
        }

        var isDry = work.Input.Read<Input>().DryRun;
        if (!isDry)
        {
            // The tenant's tier is the tenant's grain's to write. In a tenant that is empty it is nobody's prompt that changes.
            var settings = SettingsTier.FromStored(archive.Head.Settings.Json);
            var changed = await grains.Of<ITenantGrain>(new TenantKey(tenant)).ChangeSettings(
                Command.Unasked(new Actor(ActorKind.Operator, null)), TenantSettings(settings));
            if (changed.Refusal is { } no)
            {
                throw new JobFailedException(no.Code, no.Detail);
            }
        }

        var rows = new Dictionary<string, int>();
        foreach (var table in ArchiveTables.All.Where(table => table.IsRestored))
        {
            if (archive.Table(table.Name) is { } content)
            {
                rows[table.Name] = await ArchiveStore.Insert(transaction, tenant, table, content, cancel);
            }
        }

        var report = JsonText.From(new Report(archive.Head.User, rows, isDry));
        if (isDry)
        {
            // Of a transaction that isn't committed nothing stays.
            return report;
        }

        var embedding = transaction.Batch();
        foreach (var (person, narrative) in await ArchiveStore.Narratives(transaction, tenant, cancel))
        {
            embedding.Task(EmbedNarrative.Kind, JsonText.From(new EmbedNarrative.Payload(person, narrative)), now);
        }

        await transaction.Run(embedding);
        await StagingStore.KeepReport(transaction, tenant, work.Id, report, cancel);
        var catalogue = await transaction.Catalogue(tenant, cancel);
        await committing.Commit(
            transaction, tenant, [.. catalogue.SystemPrompts.Values], [.. catalogue.LlmConfigs.Values], [], await ArchiveStore.Things(transaction, tenant, cancel), now);
        return report;
    }

    private static TenantSettingsChange TenantSettings(SettingsTier tier) => new(
        Patch<Setting<int>>.Set(tier.MaxMessages), Patch<Setting<int>>.Set(tier.MaxAge), Patch<Setting<int>>.Set(tier.MemoryLimit), Patch<Setting<double>>.Set(tier.MemoryScoreThreshold),
        Patch<Setting<bool>>.Set(tier.FocusOverlay), Patch<Setting<bool>>.Set(tier.MindscapeOverlay), default);
}
