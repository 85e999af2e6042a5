using PersonaActors.Grains.Jobs;
using PersonaActors.Storage;
using PersonaActors.Storage.Imports;
using PersonaActors.Storage.Jobs;

namespace PersonaActors.Grains.Imports;

/// <summary>Everything a user owns, and what their prompts rest on, as one archive, which can be fetched for a day. It is of one moment, and so made in one part.</summary>
public sealed class UserExport(ArchiveStore archives, JobFileStore files, Clock time) : IJobKind
{
    public const string Kind = "export-user";

    private static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    public sealed record Report(IReadOnlyDictionary<string, int> Rows, DateTimeOffset ExpiresAt);

    public string Name => Kind;

    public async Task<JobStep> Step(JobWork work, CancellationToken cancel)
    {
        var (user, now) = (work.User!.Value, time.GetUtcNow().ToMicroseconds());
        using var archive = new ArchiveFile.Writer(new ArchiveHead(ArchiveFile.Format, user, now, await archives.Settings(work.Tenant, cancel) ?? JsonText.EmptyObject));
        await archives.Read(work.Tenant, user, archive.Add, cancel);
        var file = archive.ToBytes();
        await files.Put(RowScope.OfUser(work.Tenant, user), work.Id, JobFileStore.Archive, file, now + Kept, cancel);
        var rows = archive.Counts.Values.Sum();
        return new JobStep(work.Cursor, "exported", rows, rows, JsonText.From(new Report(archive.Counts, now + Kept)));
    }

    public Task<string> Abandon(JobWork work) => Task.FromResult("Nothing.");
}
