using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Focus;
using PersonaActors.Storage;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>What a person's past adds up to: statistics, the next good slot, exports. Reads what was committed and changes nothing, so no grain is asked.</summary>
public sealed class FocusReports(FocusStore sessions, CompanionStore companions, Clock time)
{
    /// <returns>Null when there is no such person.</returns>
    public async Task<FocusStats?> Stats(TenantScopedKey person, int days)
    {
        if (await Load(person) is not { } known)
        {
            return null;
        }

        var now = time.GetUtcNow();
        var zone = RhythmRules.Zone(known.TimeZone);
        var since = StatsRules.StartOfDay(RhythmRules.LocalDay(now, zone).AddDays(1 - days), zone);
        var answers = await sessions.Answers(person.Tenant, person.Id, since);
        return StatsRules.Of(days, now, zone, await EndedSince(person, since), known.Model.Habit,
            (int)answers.Where(a => a.Answer == "helpful").Sum(a => a.Count), (int)answers.Sum(a => a.Count));
    }

    /// <returns>Null without a curve of the day, or if all of it is a lull.</returns>
    public async Task<NextSlot?> NextSlot(TenantScopedKey person, int minutes) =>
        await Load(person) is { } known ? NextSlotRules.Find(known.Rhythm, known.Curve, RhythmRules.Zone(known.TimeZone), time.GetUtcNow(), minutes) : null;

    /// <returns>Null when there is no such person.</returns>
    public async Task<ExportText?> Export(TenantScopedKey person, ExportFormat format, int days)
    {
        var now = time.GetUtcNow();
        return await Load(person) is { } known
            ? FocusExports.Of(format, await EndedSince(person, now.AddDays(-days)), RhythmRules.Zone(known.TimeZone), now)
            : null;
    }

    private Task<CompanionRow?> Load(TenantScopedKey person) => companions.Load(person.Tenant, person.Id, new OwnerEpoch(StreamName.Companion(person.Id)));

    private async Task<List<EndedSession>> EndedSince(TenantScopedKey person, DateTimeOffset since) =>
        [.. (await sessions.EndedSince(person.Tenant, person.Id, since)).Select(row => new EndedSession(
            row.Id, row.Start, row.End!.Value, SessionState.Parse<FocusMode>(row.Mode), row.StartState.Read<StartState>().Task.Title, row.Estimated,
            row.ActualMinutes ?? 0, row.Score, row.Summary?.Read<FocusSummary>().FlowQuality))];
}
