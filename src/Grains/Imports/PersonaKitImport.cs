using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Jobs;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Imports;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Imports;

/// <summary>
/// Brings PersonaKit's tables into a tenant: mappers, then what was observed of people and what they said, then what was known
/// of them, which stands as it was there and not as the rest would have it. Each goes to the grain that owns it, which knows an
/// observation and a narrative by their ids there; a mindscape is set only of who was nobody here before. Its users were keys:
/// their names are in the report, for keys of ours. What was made for a time (personas, and what they used) stays behind, and so
/// does feedback: what it did is in the mappers' weights.
/// </summary>
public sealed class PersonaKitImport(
    IGrainFactory grains, StagingStore staging, MapperStore mappers, MindscapeStore mindscapes, NarrativeStore narratives, Clock time) : IJobKind
{
    public const string Kind = "import-personakit";

    private const int Chunk = 500;
    private const int MaxKeys = 1000;
    private const string FreshKind = "fresh person";

    private enum What
    {
        Mappers,
        Observations,
        Narratives,
        Mindscapes,
    }

    // A person's one after the other, in the order in which they came.
    private const string InTheirOrder = "person_id::text || '/' || to_char(created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') || '/' || id::text";

    private static readonly (string Table, string Key)[] Tables =
    [
        ("mapper_configs", "config_id || '/' || lpad(version::text, 10, '0')"),
        ("observations", InTheirOrder),
        ("narratives", InTheirOrder),
        ("mindscapes", "person_id"),
    ];

    private static readonly string[] Behind = ["personas", "persona_narrative_usage", "feedback", "outbox_tasks"];

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
            var counts = cursor.Counts!.Append(new LegacyCount("users", users.Count, active.Count, 0, users.Count - active.Count)).ToList();
            foreach (var table in Behind)
            {
                var rows = await source.Count(table, cancel);
                counts.Add(new LegacyCount(table, rows, 0, 0, rows));
            }

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

        public void Add(string id, Recording became, Refusal? refusal = null)
        {
            switch (refusal is null ? became : Recording.Refused)
            {
                case Recording.Recorded:
                    Created++;
                    break;
                case Recording.Duplicate:
                    Known++;
                    break;
                default:
                    LeftOut++;
                    Notes.Add(new StagedRow($"{table}/{id}/{refusal!.Field}", JsonText.From(new { table, id, field = refusal.Field ?? "", note = refusal.Detail })));
                    break;
            }
        }
    }

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
            _ => Mindscapes(work, rows, tally, isDry, cancel),
        });
        await staging.Put(work.Tenant, work.Id, "note", tally.Notes, cancel);
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
        foreach (var row in rows)
        {
            var config = JsonNode.Parse(row.Row.Json)!;
            var (id, configuration) = ((string)config["config_id"]!, new JsonText(config["configuration"]!.ToJsonString(Wire.Json)));
            var status = MapperStore.StatusOf((string?)config["status"]) ?? MapperStatus.Draft;
            if ((await mappers.Versions(work.Tenant, id, cancel)).Exists(version => JsonNode.DeepEquals(JsonNode.Parse(version.Configuration.Json), config["configuration"])))
            {
                tally.Add(row.Id, Recording.Duplicate);
                continue;
            }

            var refusal = isDry
                ? MapperGrain.Check(id, configuration)
                : (await grains.Of<IMapperGrain>(MapperKey.Of(work.Tenant, id)).Upload(Command.Unasked(new Actor(ActorKind.Operator, null)), id, configuration, status)).Refusal;
            tally.Add(row.Id, Recording.Recorded, refusal);
        }
    }

    private async Task Observations(JobWork work, List<StagedRow> rows, Tally tally, bool isDry, CancellationToken cancel)
    {
        foreach (var ofOne in rows.Select(row => JsonNode.Parse(row.Row.Json)!.AsObject()).GroupBy(row => Guid.Parse((string)row["person_id"]!)))
        {
            Items<NewObservation> told = [.. ofOne.Select(Observation)];
            if (isDry)
            {
                var known = (await mindscapes.ByClientIds(work.Tenant, ofOne.Key, [.. told.Select(one => one.ClientId!)])).Select(entry => entry.ClientId).ToHashSet();
                foreach (var one in told)
                {
                    tally.Add(one.ClientId!, known.Contains(one.ClientId) ? Recording.Duplicate : Recording.Recorded, ObservationRules.Check(one, time.GetUtcNow()));
                }

                continue;
            }

            var mindscape = grains.Of<IMindscapeGrain>(new TenantScopedKey(work.Tenant, ofOne.Key));
            await NoteFresh(work, mindscape, ofOne.Key, cancel);
            var outcome = await mindscape.Record(Command.Unasked(new Actor(ActorKind.Service, ofOne.Key)), told);
            for (var i = 0; i < told.Count; i++)
            {
                var one = outcome.Value?.Results[i];
                tally.Add(told[i].ClientId!, one?.Status ?? Recording.Refused, outcome.Refusal ?? one?.Refusal);
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
            var narrative = Narrative(row, links[id]);
            if (isDry)
            {
                var isKnown = await narratives.ByClientId(work.Tenant, person, id) is not null;
                tally.Add(id, isKnown ? Recording.Duplicate : Recording.Recorded, NarrativeRules.Check(narrative));
                continue;
            }

            var mindscape = grains.Of<IMindscapeGrain>(new TenantScopedKey(work.Tenant, person));
            await NoteFresh(work, mindscape, person, cancel);
            var outcome = await mindscape.AddNarrative(Command.Unasked(new Actor(ActorKind.Service, person)), narrative, null);
            tally.Add(id, outcome.Kind == OutcomeKind.Created ? Recording.Recorded : Recording.Duplicate, outcome.Refusal);
        }
    }

    /// <summary>Who was nobody here before gets the mindscape that they had, though what they did there has been recorded by then.</summary>
    private async Task NoteFresh(JobWork work, IMindscapeGrain mindscape, Guid person, CancellationToken cancel)
    {
        if ((await mindscape.Get())?.Value is not { Version: > 0 })
        {
            await staging.Put(work.Tenant, work.Id, FreshKind, [new StagedRow(person.ToString(), JsonText.EmptyObject)], cancel);
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
                tally.Add(row.Id, Recording.Duplicate);
                continue;
            }

            var flat = new JsonObject();
            Flatten("", JsonNode.Parse(row.Row.Json)!["traits"] as JsonObject ?? [], flat);
            var traits = new JsonText(flat.ToJsonString(Wire.Json));
            tally.Add(row.Id, Recording.Recorded, isDry ? MindscapeGrain.Check(traits) : (await mindscape.SetTraits(Command.Unasked(new Actor(ActorKind.Service, person)), traits, null)).Refusal);
        }
    }

    /// <summary>The old traits are nested; a path's steps are joined by dots, and a trait that says its confidence is one.</summary>
    public static void Flatten(string path, JsonObject traits, JsonObject flat)
    {
        foreach (var (name, value) in traits)
        {
            var here = path.Length == 0 ? name : $"{path}.{name}";
            if (value is JsonObject { Count: > 0 } nested && !nested.ContainsKey("value"))
            {
                Flatten(here, nested, flat);
            }
            else if (value is not null)
            {
                flat[here] = value.DeepClone();
            }
        }
    }

    private static string? Word(JsonNode? value) => value is JsonValue said && said.TryGetValue<string>(out var text) ? text : null;

    private static JsonText? Any(JsonNode? value) => value is null ? null : new JsonText(value.ToJsonString(Wire.Json));

    private static JsonText Object(JsonNode? value) => Any(value as JsonObject) ?? JsonText.EmptyObject;

    private static DateTimeOffset? CreatedAt(JsonObject row) => row["created_at"] is JsonValue at && at.TryGetValue<DateTimeOffset>(out var time) ? time : null;

    /// <summary>One that is too long for a source says nothing.</summary>
    private static string? Source(JsonNode? value) => Word(value) is { Length: > 0 and <= 50 } source ? source : null;

    private static NewObservation Observation(JsonObject row) => new(
        (string)row["observation_type"]!, Object(row["content"]), Object(row["metadata"]), Source((row["metadata"] as JsonObject)?["source"]), (string)row["id"]!, CreatedAt(row));

    /// <summary>Of a curation nobody says how the action was written: what isn't one of ours changes no trait.</summary>
    private static NewNarrative Narrative(JsonObject row, IEnumerable<JsonObject> links)
    {
        var tags = (row["tags"] as JsonArray)?.Select(Word).OfType<string>()
            .Where(tag => !string.IsNullOrWhiteSpace(tag) && tag.Length <= NarrativeRules.MaxTag).Take(NarrativeRules.MaxTags).ToItems();
        var said = new NewNarrative(
            NarrativeType.SelfObservation, Word(row["raw_text"]) ?? "", tags, Object(row["context"]), Source(row["source"]), (string)row["id"]!, null, null, null, null, null,
            new NarrativeOrigin(CreatedAt(row) ?? DateTimeOffset.MaxValue, Word(row["curated_text"]), Links(links)));
        if (Word(row["narrative_type"]) != NarrativeStore.WordOf(NarrativeType.Curation))
        {
            return said;
        }

        var curated = row["curation_action"] as JsonObject;
        return said with
        {
            Type = NarrativeType.Curation,
            TraitPath = Word(row["trait_path"]),
            Action = NarrativeStore.ValueOf<CurationAction>(Word(curated?["action"]) ?? Word(curated?["type"]) ?? Word(row["curation_action"]) ?? "") ?? CurationAction.Clarify,
            OriginalValue = Any(curated?["original_value"]) ?? new JsonText("null"),
            Value = Any(curated?["corrected_value"]) ?? Any(curated?["new_value"]),
        };
    }

    private static Items<TraitLink> Links(IEnumerable<JsonObject> rows)
    {
        var links = new List<TraitLink>();
        foreach (var row in rows)
        {
            if (NarrativeStore.ValueOf<TraitLinkType>(Word(row["link_type"]) ?? "") is { } type
                && Word(row["trait_path"]) is { Length: <= ObservationRules.MaxPath } path && !string.IsNullOrWhiteSpace(path))
            {
                links.Add(new TraitLink(path, type, row["confidence"] is JsonValue sure && sure.TryGetValue<double>(out var confidence) ? Math.Clamp(confidence, 0, 1) : 1));
            }
        }

        return links.DistinctBy(link => (link.TraitPath, link.Type)).ToItems();
    }
}
