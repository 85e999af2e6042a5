using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Jobs;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Imports;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Imports;

/// <summary>
/// Brings PersonaKit's tables into a tenant: mappers, then what was observed of people and what they said, then what was known
/// of them, which stands as it was there and not as the rest would have it. Each goes to the grain that owns it, which knows an
/// observation and a narrative by their ids there; a mindscape is set only of who was nobody here before. The personas that were
/// made, what they used and what was said of them come as they were: nothing follows of them here, and what feedback did is in the
/// mappers' weights. Its users were keys: their names are in the report, for keys of ours.
/// </summary>
public sealed class PersonaKitImport(
    IGrainFactory grains, StagingStore staging, MapperStore mappers, MindscapeStore mindscapes, NarrativeStore narratives, PersonaKitStore past, Clock time) : IJobKind
{
    public const string Kind = "import-personakit";

    private const int Chunk = 500;
    private const int MaxKeys = 1000;
    private const string FreshKind = "fresh person";
    private const string MapperKind = "mapper version";
    private const string PersonKind = "person";

    private enum What
    {
        Mappers,
        Observations,
        Narratives,
        Mindscapes,
        Personas,
        Usages,
        Feedback,
    }

    // A person's one after the other, in the order in which they came.
    private const string InTheirOrder = "person_id::text || '/' || to_char(created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') || '/' || id::text";

    private static readonly (string Table, string Key)[] Tables =
    [
        ("mapper_configs", "config_id || '/' || lpad(version::text, 10, '0')"),
        ("observations", InTheirOrder),
        ("narratives", InTheirOrder),
        ("mindscapes", "person_id"),
        ("personas", "id"),
        ("persona_narrative_usage", "id"),
        ("feedback", "id"),
    ];

    private const string Tasks = "outbox_tasks";

    private static readonly Refusal NoPerson = Refusal.Invalid("person_id", "Nothing else came of its person.");

    private static readonly Refusal NoMapper = Refusal.Invalid("mapper_id", "The mapper that it was made by isn't among those that came.");

    private static readonly Refusal NoPersona = Refusal.Invalid("persona_id", "Its persona isn't among those that came.");

    private static readonly Refusal NoNarrative = Refusal.Invalid("narrative_id", "Its narrative isn't among those that came.");

    private static readonly Refusal Gone = Refusal.Invalid("id", "What it belongs to has been deleted here meanwhile.");

    /// <param name="DryRun">It is only told what would happen.</param>
    public sealed record Input(string From, bool DryRun = false);

    /// <param name="Keys">The names of PersonaKit's active users, each to get a service key.</param>
    public sealed record Report(IReadOnlyList<LegacyCount> Tables, IReadOnlyList<string> Keys, long Notes, bool DryRun);

    private sealed record Cursor(int Table = 0, string After = "", long Read = 0, long? Total = null, LegacyCount[]? Counts = null, long Notes = 0);

    public string Name => Kind;

    public async Task<JobStep> Step(JobWork work, CancellationToken cancel)
    {
        var (input, cursor) = (work.Input.Read<Input>(), work.Cursor.Read<Cursor>());
        try
        {
            var source = new LegacySource(input.From);
            if (cursor.Total is null)
            {
                var total = 0L;
                foreach (var (table, _) in Tables)
                {
                    total += await source.Count(table, cancel);
                }

                return At(new Cursor(Total: total, Counts: [.. Tables.Select(table => new LegacyCount(table.Table, 0, 0, 0, 0))]), "mapper_configs");
            }

            if (cursor.Table < Tables.Length)
            {
                return await Take(work, source, cursor, input.DryRun, cancel);
            }

            var users = await source.Page("users", "email", "", MaxKeys, cancel);
            var active = users.Where(user => JsonNode.Parse(user.Row.Json)!["is_active"] is not JsonValue value || value.GetValueKind() != JsonValueKind.False).Select(user => user.Id).ToList();
            var tasks = await source.Count(Tasks, cancel);
            LegacyCount[] counts = [.. cursor.Counts!, new("users", users.Count, active.Count, 0, users.Count - active.Count), new(Tasks, tasks, 0, 0, tasks)];
            return At(cursor, "applied") with { Report = JsonText.From(new Report(counts, active, cursor.Notes, input.DryRun)) };
        }
        catch (SourceException e) when (e.IsForGood)
        {
            throw new JobFailedException("source_unreadable", e.Message);
        }
    }

    public Task<string> Abandon(JobWork work)
    {
        var cursor = work.Cursor.Read<Cursor>();
        return Task.FromResult(cursor.Read == 0 || work.Input.Read<Input>().DryRun ? "Nothing." : $"What was taken over by then, {cursor.Read:N0} rows; another import goes on from there.");
    }

    private static JobStep At(Cursor cursor, string phase) => new(JsonText.From(cursor), phase, cursor.Read, cursor.Total);

    /// <summary>What became of a table's rows, or would.</summary>
    private sealed class Tally(string table)
    {
        public int Created { get; private set; }

        public int Known { get; private set; }

        public int LeftOut { get; private set; }

        public List<StagedRow> Notes { get; } = [];

        /// <summary>Those that are here, or would be: what belongs to them may come.</summary>
        public HashSet<string> Here { get; } = [];

        /// <summary>Who is here, or would be, by that.</summary>
        public HashSet<string> People { get; } = [];

        public void Add(string id, Recording became, Refusal? refusal = null, Guid? person = null)
        {
            if (refusal is not null || became == Recording.Refused)
            {
                LeftOut++;
                Notes.Add(new StagedRow($"{table}/{id}/{refusal!.Field}", JsonText.From(new { table, id, field = refusal.Field ?? "", note = refusal.Detail })));
                return;
            }

            Created += became == Recording.Recorded ? 1 : 0;
            Known += became == Recording.Duplicate ? 1 : 0;
            Here.Add(id);
            if (person is { } somebody)
            {
                People.Add(somebody.ToString());
            }
        }
    }

    /// <summary>What is asked of later: that it is there.</summary>
    private Task Mark(JobWork work, string kind, IEnumerable<string> ids, CancellationToken cancel) =>
        staging.Put(work.Tenant, work.Id, kind, [.. ids.Select(id => new StagedRow(id, JsonText.EmptyObject))], cancel);

    private async Task<JobStep> Take(JobWork work, LegacySource source, Cursor cursor, bool isDry, CancellationToken cancel)
    {
        var (table, key) = Tables[cursor.Table];
        var rows = await source.Page(table, key, cursor.After, Chunk, cancel);
        var tally = new Tally(table);
        await ((What)cursor.Table switch
        {
            What.Mappers => Mappers(work, rows, tally, isDry, cancel),
            What.Observations => Observations(work, rows, tally, isDry, cancel),
            What.Narratives => Narratives(work, source, rows, tally, isDry, cancel),
            What.Mindscapes => Mindscapes(work, rows, tally, isDry, cancel),
            What.Personas => Personas(work, rows, tally, isDry, cancel),
            What.Usages => Usages(work, rows, tally, isDry, cancel),
            _ => Feedback(work, rows, tally, isDry, cancel),
        });
        await staging.Put(work.Tenant, work.Id, "note", tally.Notes, cancel);
        await Mark(work, PersonKind, tally.People, cancel);
        if ((What)cursor.Table is What.Narratives or What.Personas)
        {
            await Mark(work, table, tally.Here, cancel);
        }

        var counts = cursor.Counts!.ToArray();
        var count = counts[cursor.Table];
        counts[cursor.Table] = count with
        {
            Read = count.Read + rows.Count,
            Created = count.Created + tally.Created,
            Known = count.Known + tally.Known,
            LeftOut = count.LeftOut + tally.LeftOut,
        };
        var next = cursor with { Read = cursor.Read + rows.Count, Counts = counts, Notes = cursor.Notes + tally.Notes.Count };
        return rows.Count == Chunk ? At(next with { After = rows[^1].Id }, table)
            : At(next with { Table = cursor.Table + 1, After = "" }, cursor.Table + 1 < Tables.Length ? Tables[cursor.Table + 1].Table : "applying");
    }

    private async Task Mappers(JobWork work, List<StagedRow> rows, Tally tally, bool isDry, CancellationToken cancel)
    {
        var versions = new List<StagedRow>();
        foreach (var row in rows)
        {
            var config = JsonNode.Parse(row.Row.Json)!;
            var (id, configuration) = ((string)config["config_id"]!, new JsonText(config["configuration"]!.ToJsonString(Wire.Json)));
            var status = MapperStore.StatusOf((string?)config["status"]) ?? MapperStatus.Draft;
            var known = (await mappers.Versions(work.Tenant, id, cancel)).Find(version => JsonNode.DeepEquals(JsonNode.Parse(version.Configuration.Json), config["configuration"]));
            Outcome<MapperVersionView>? uploaded = null;
            if (known is null && !isDry)
            {
                uploaded = await grains.Of<IMapperGrain>(MapperKey.Of(work.Tenant, id)).Upload(Command.Unasked(new Actor(ActorKind.Operator, null)), id, configuration, status);
            }

            var refusal = known is not null ? null : isDry ? MapperGrain.Check(id, configuration) : uploaded!.Refusal;
            tally.Add(row.Id, known is null ? Recording.Recorded : Recording.Duplicate, refusal);
            if (refusal is null)
            {
                // Personas name it in one way, or the other.
                var here = JsonText.From((known ?? uploaded?.Value)?.Id ?? Guid.Empty);
                versions.AddRange([new StagedRow((string)config["id"]!, here), new StagedRow($"{id}/{(int)config["version"]!}", here)]);
            }
        }

        await staging.Put(work.Tenant, work.Id, MapperKind, versions, cancel);
    }

    private async Task Observations(JobWork work, List<StagedRow> rows, Tally tally, bool isDry, CancellationToken cancel)
    {
        foreach (var ofOne in rows.Select(row => JsonNode.Parse(row.Row.Json)!.AsObject()).GroupBy(row => Guid.Parse((string)row["person_id"]!)))
        {
            Items<NewObservation> told = [.. ofOne.Select(PersonaKitRows.Observation)];
            if (isDry)
            {
                var known = (await mindscapes.ByClientIds(work.Tenant, ofOne.Key, [.. told.Select(one => one.ClientId!)])).Select(entry => entry.ClientId).ToHashSet();
                foreach (var one in told)
                {
                    tally.Add(one.ClientId!, known.Contains(one.ClientId) ? Recording.Duplicate : Recording.Recorded, ObservationRules.Check(one, time.GetUtcNow()), ofOne.Key);
                }

                continue;
            }

            var mindscape = grains.Of<IMindscapeGrain>(new TenantScopedKey(work.Tenant, ofOne.Key));
            await NoteFresh(work, mindscape, ofOne.Key, cancel);
            var outcome = await mindscape.Record(Command.Unasked(new Actor(ActorKind.Service, ofOne.Key)), told);
            for (var i = 0; i < told.Count; i++)
            {
                var one = outcome.Value?.Results[i];
                tally.Add(told[i].ClientId!, one?.Status ?? Recording.Refused, outcome.Refusal ?? one?.Refusal, ofOne.Key);
            }

            await mindscape.Fold();
        }
    }

    private async Task Narratives(JobWork work, LegacySource source, List<StagedRow> rows, Tally tally, bool isDry, CancellationToken cancel)
    {
        var all = rows.ConvertAll(row => JsonNode.Parse(row.Row.Json)!.AsObject());
        var links = (await source.Of("trait_narrative_links", "narrative_id", all.Select(row => Guid.Parse((string)row["id"]!)), cancel))
            .ToLookup(link => link.Id, link => JsonNode.Parse(link.Row.Json)!.AsObject());
        foreach (var row in all)
        {
            var (id, person) = ((string)row["id"]!, Guid.Parse((string)row["person_id"]!));
            var narrative = PersonaKitRows.Narrative(row, links[id]);
            if (isDry)
            {
                var isKnown = await narratives.ByClientId(work.Tenant, person, id) is not null;
                tally.Add(id, isKnown ? Recording.Duplicate : Recording.Recorded, NarrativeRules.Check(narrative), person);
                continue;
            }

            var mindscape = grains.Of<IMindscapeGrain>(new TenantScopedKey(work.Tenant, person));
            await NoteFresh(work, mindscape, person, cancel);
            var outcome = await mindscape.AddNarrative(Command.Unasked(new Actor(ActorKind.Service, person)), narrative, null);
            tally.Add(id, outcome.Kind == OutcomeKind.Created ? Recording.Recorded : Recording.Duplicate, outcome.Refusal, person);
        }
    }

    /// <summary>Who was nobody here before gets the mindscape that they had, though what they did there has been recorded by then.</summary>
    private async Task NoteFresh(JobWork work, IMindscapeGrain mindscape, Guid person, CancellationToken cancel)
    {
        if ((await mindscape.Get())?.Value is not { Version: > 0 })
        {
            await Mark(work, FreshKind, [person.ToString()], cancel);
        }
    }

    private async Task Mindscapes(JobWork work, List<StagedRow> rows, Tally tally, bool isDry, CancellationToken cancel)
    {
        foreach (var row in rows)
        {
            var person = Guid.Parse(row.Id);
            var mindscape = grains.Of<IMindscapeGrain>(new TenantScopedKey(work.Tenant, person));
            if (await staging.Find(work.Tenant, work.Id, FreshKind, row.Id, cancel) is null && (await mindscape.Get())?.Value is { Version: > 0 })
            {
                tally.Add(row.Id, Recording.Duplicate, person: person);
                continue;
            }

            var flat = new JsonObject();
            PersonaKitRows.Flatten("", JsonNode.Parse(row.Row.Json)!["traits"] as JsonObject ?? [], flat);
            var traits = new JsonText(flat.ToJsonString(Wire.Json));
            var refusal = isDry ? MindscapeGrain.Check(traits) : (await mindscape.SetTraits(Command.Unasked(new Actor(ActorKind.Service, person)), traits, null)).Refusal;
            tally.Add(row.Id, Recording.Recorded, refusal, person);
        }
    }

    private async Task Personas(JobWork work, List<StagedRow> rows, Tally tally, bool isDry, CancellationToken cancel)
    {
        var all = rows.ConvertAll(row => PersonaKitRows.Persona(JsonNode.Parse(row.Row.Json)!.AsObject()));
        var versions = await staging.Among(work.Tenant, work.Id, MapperKind, all.SelectMany(one => one.Mappers), cancel);
        var people = await staging.Among(work.Tenant, work.Id, PersonKind, all.Select(one => one.Row.Person.ToString()), cancel);
        await TakeOver(PersonaKitStore.Personas, work, [.. all.Select(one =>
            !people.ContainsKey(one.Row.Person.ToString()) ? (one.Row, NoPerson)
            : one.Mappers.FirstOrDefault(versions.ContainsKey) is { } mapper ? (one.Row with { Mapper = versions[mapper].Read<Guid>() }, one.Refusal)
            : (one.Row, NoMapper))], tally, isDry, cancel);
    }

    private async Task Usages(JobWork work, List<StagedRow> rows, Tally tally, bool isDry, CancellationToken cancel)
    {
        var all = rows.ConvertAll(row => PersonaKitRows.Usage(JsonNode.Parse(row.Row.Json)!.AsObject()));
        var personas = await staging.Among(work.Tenant, work.Id, "personas", all.Select(one => one.Row.Persona.ToString()), cancel);
        var said = await staging.Among(work.Tenant, work.Id, "narratives", all.Select(one => one.Row.Narrative), cancel);
        await TakeOver(PersonaKitStore.Usages, work, [.. all.Select(one => (
            one.Row, !personas.ContainsKey(one.Row.Persona.ToString()) ? NoPersona : !said.ContainsKey(one.Row.Narrative) ? NoNarrative : one.Refusal))],
            tally, isDry, cancel);
    }

    private async Task Feedback(JobWork work, List<StagedRow> rows, Tally tally, bool isDry, CancellationToken cancel)
    {
        var all = rows.ConvertAll(row => PersonaKitRows.Feedback(JsonNode.Parse(row.Row.Json)!.AsObject()));
        var personas = await staging.Among(work.Tenant, work.Id, "personas", all.Select(one => one.Row.Persona.ToString()), cancel);
        await TakeOver(PersonaKitStore.Feedbacks, work, [.. all.Select(one => (one.Row, personas.ContainsKey(one.Row.Persona.ToString()) ? one.Refusal : NoPersona))], tally, isDry, cancel);
    }

    private async Task TakeOver<T>(PastTable<T> table, JobWork work, List<(T Row, Refusal? Refusal)> told, Tally tally, bool isDry, CancellationToken cancel)
        where T : PastRow
    {
        List<T> rows = [.. told.Where(one => one.Refusal is null).Select(one => one.Row)];
        var known = await past.Known(table, work.Tenant, rows, cancel);
        rows.RemoveAll(row => known.Contains(row.Id));
        var taken = isDry ? [.. rows.Select(row => row.Id)] : await past.Take(table, work.Tenant, rows, cancel);
        foreach (var (row, refusal) in told)
        {
            var isKnown = known.Contains(row.Id);
            tally.Add(row.Id, isKnown ? Recording.Duplicate : Recording.Recorded, refusal ?? (isKnown || taken.Contains(row.Id) ? null : Gone));
        }
    }
}
