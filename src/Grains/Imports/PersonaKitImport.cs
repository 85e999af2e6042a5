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
public sealed class PersonaKitImport(IGrainFactory grains, StagingStore staging, MapperStore mappers) : IJobKind
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

    public sealed record Input(string From);

    /// <param name="Keys">The names of PersonaKit's active users, each to get a service key.</param>
    public sealed record Report(IReadOnlyList<LegacyCount> Tables, IReadOnlyList<string> Keys, long Notes);

    private sealed record Cursor(int Table = 0, string After = "", long Read = 0, long? Total = null, LegacyCount[]? Counts = null, long Notes = 0);

    public string Name => Kind;

    public async Task<JobStep> Step(JobWork work, CancellationToken cancel)
    {
        var cursor = work.Cursor.Read<Cursor>();
        try
        {
            var source = new LegacySource(work.Input.Read<Input>().From);
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
                return await Take(work, source, cursor, cancel);
            }

            var users = await source.Page("users", "email", "", MaxKeys, cancel);
            var active = users.Where(user => JsonNode.Parse(user.Row.Json)!["is_active"] is not JsonValue value || value.GetValueKind() != JsonValueKind.False).Select(user => user.Id).ToList();
            var counts = cursor.Counts!.Append(new LegacyCount("users", users.Count, active.Count, 0, users.Count - active.Count)).ToList();
            foreach (var table in Behind)
            {
                var rows = await source.Count(table, cancel);
                counts.Add(new LegacyCount(table, rows, 0, 0, rows));
            }

            return At(cursor, "applied") with { Report = JsonText.From(new Report(counts, active, cursor.Notes)) };
        }
        catch (SourceException e) when (e.IsForGood)
        {
            throw new JobFailedException("source_unreadable", e.Message);
        }
    }

    public Task<string> Abandon(JobWork work)
    {
        var cursor = work.Cursor.Read<Cursor>();
        return Task.FromResult(cursor.Read == 0 ? "Nothing." : $"What was taken over by then, {cursor.Read:N0} rows; another import goes on from there.");
    }

    private static JobStep At(Cursor cursor, string phase) => new(JsonText.From(cursor), phase, cursor.Read, cursor.Total);

    private async Task<JobStep> Take(JobWork work, LegacySource source, Cursor cursor, CancellationToken cancel)
    {
        var (table, key) = Tables[cursor.Table];
        var rows = await source.Page(table, key, cursor.After, Chunk, cancel);
        var notes = new List<StagedRow>();
        var (created, known, leftOut) = (What)cursor.Table switch
        {
            What.Mappers => await Mappers(work, rows, notes, cancel),
            What.Observations => await Observations(work, rows, notes, cancel),
            What.Narratives => await Narratives(work, source, rows, notes, cancel),
            _ => await Mindscapes(work, rows, notes, cancel),
        };
        await staging.Put(work.Tenant, work.Id, "note", notes, cancel);
        var counts = cursor.Counts!.ToArray();
        var count = counts[cursor.Table];
        counts[cursor.Table] = count with { Read = count.Read + rows.Count, Created = count.Created + created, Known = count.Known + known, LeftOut = count.LeftOut + leftOut };
        var next = cursor with { Read = cursor.Read + rows.Count, Counts = counts, Notes = cursor.Notes + notes.Count };
        return rows.Count == Chunk ? At(next with { After = rows[^1].Id }, table)
            : At(next with { Table = cursor.Table + 1, After = "" }, cursor.Table + 1 < Tables.Length ? Tables[cursor.Table + 1].Table : "applying");
    }

    private async Task<(int Created, int Known, int LeftOut)> Mappers(JobWork work, List<StagedRow> rows, List<StagedRow> notes, CancellationToken cancel)
    {
        var (created, known, leftOut) = (0, 0, 0);
        foreach (var row in rows)
        {
            var config = JsonNode.Parse(row.Row.Json)!;
            var (id, configuration) = ((string)config["config_id"]!, new JsonText(config["configuration"]!.ToJsonString(Wire.Json)));
            var status = MapperStore.StatusOf((string?)config["status"]) ?? MapperStatus.Draft;
            if ((await mappers.Versions(work.Tenant, id, cancel)).Exists(version => JsonNode.DeepEquals(JsonNode.Parse(version.Configuration.Json), config["configuration"])))
            {
                known++;
                continue;
            }

            var outcome = await grains.Of<IMapperGrain>(MapperKey.Of(work.Tenant, id)).Upload(Command.Unasked(new Actor(ActorKind.Operator, null)), id, configuration, status);
            if (outcome.Refusal is { } refusal)
            {
                leftOut++;
                notes.Add(Note("mapper_configs", row.Id, refusal));
                continue;
            }

            created++;
        }

        return (created, known, leftOut);
    }

    private async Task<(int Created, int Known, int LeftOut)> Observations(JobWork work, List<StagedRow> rows, List<StagedRow> notes, CancellationToken cancel)
    {
        var (created, known, leftOut) = (0, 0, 0);
        foreach (var ofOne in rows.Select(row => (row.Id, Row: JsonNode.Parse(row.Row.Json)!.AsObject())).GroupBy(row => Guid.Parse((string)row.Row["person_id"]!)))
        {
            var mindscape = grains.Of<IMindscapeGrain>(new TenantScopedKey(work.Tenant, ofOne.Key));
            await NoteFresh(work, mindscape, ofOne.Key, cancel);
            var told = ofOne.ToList();
            var outcome = await mindscape.Record(Command.Unasked(new Actor(ActorKind.Service, ofOne.Key)), [.. told.Select(row => Observation(row.Row))]);
            for (var i = 0; i < told.Count; i++)
            {
                switch (outcome.Refusal is null ? outcome.Value!.Results[i].Status : Recording.Refused)
                {
                    case Recording.Recorded:
                        created++;
                        break;
                    case Recording.Duplicate:
                        known++;
                        break;
                    default:
                        leftOut++;
                        notes.Add(Note("observations", (string)told[i].Row["id"]!, outcome.Refusal ?? outcome.Value!.Results[i].Refusal!));
                        break;
                }
            }

            await mindscape.Fold();
        }

        return (created, known, leftOut);
    }

    private async Task<(int Created, int Known, int LeftOut)> Narratives(
        JobWork work, LegacySource source, List<StagedRow> rows, List<StagedRow> notes, CancellationToken cancel)
    {
        var (created, known, leftOut) = (0, 0, 0);
        var all = rows.ConvertAll(row => JsonNode.Parse(row.Row.Json)!.AsObject());
        var links = (await source.Of("trait_narrative_links", "narrative_id", all.Select(row => (string)row["id"]!), cancel))
            .ToLookup(link => link.Id, link => JsonNode.Parse(link.Row.Json)!.AsObject());
        foreach (var row in all)
        {
            var (id, person) = ((string)row["id"]!, Guid.Parse((string)row["person_id"]!));
            var mindscape = grains.Of<IMindscapeGrain>(new TenantScopedKey(work.Tenant, person));
            await NoteFresh(work, mindscape, person, cancel);
            var outcome = await mindscape.AddNarrative(Command.Unasked(new Actor(ActorKind.Service, person)), Narrative(row, links[id]), null);
            if (outcome.Refusal is { } refusal)
            {
                leftOut++;
                notes.Add(Note("narratives", id, refusal));
                continue;
            }

            (created, known) = outcome.Kind == OutcomeKind.Created ? (created + 1, known) : (created, known + 1);
        }

        return (created, known, leftOut);
    }

    /// <summary>Who was nobody here before gets the mindscape that they had, though what they did there has been recorded by then.</summary>
    private async Task NoteFresh(JobWork work, IMindscapeGrain mindscape, Guid person, CancellationToken cancel)
    {
        if ((await mindscape.Get())?.Value is not { Version: > 0 })
        {
            await staging.Put(work.Tenant, work.Id, FreshKind, [new StagedRow(person.ToString(), JsonText.EmptyObject)], cancel);
        }
    }

    private async Task<(int Created, int Known, int LeftOut)> Mindscapes(JobWork work, List<StagedRow> rows, List<StagedRow> notes, CancellationToken cancel)
    {
        var (created, known, leftOut) = (0, 0, 0);
        foreach (var row in rows)
        {
            var person = Guid.Parse(row.Id);
            var mindscape = grains.Of<IMindscapeGrain>(new TenantScopedKey(work.Tenant, person));
            if (await staging.Find(work.Tenant, work.Id, FreshKind, row.Id, cancel) is null && (await mindscape.Get())?.Value is { Version: > 0 })
            {
                known++;
                continue;
            }

            var traits = new JsonObject();
            Flatten("", JsonNode.Parse(row.Row.Json)!["traits"] as JsonObject ?? [], traits);
            var outcome = await mindscape.SetTraits(Command.Unasked(new Actor(ActorKind.Service, person)), new JsonText(traits.ToJsonString(Wire.Json)), null);
            if (outcome.Refusal is { } refusal)
            {
                leftOut++;
                notes.Add(Note("mindscapes", row.Id, refusal));
                continue;
            }

            created++;
        }

        return (created, known, leftOut);
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

    private static NewObservation Observation(JsonObject row)
    {
        static JsonText Object(JsonNode? value) => value is JsonObject json ? new JsonText(json.ToJsonString(Wire.Json)) : JsonText.EmptyObject;
        var metadata = row["metadata"] as JsonObject;
        var source = metadata?["source"] is JsonValue said && said.TryGetValue<string>(out var text) && text.Length is > 0 and <= 50 ? text : null;
        return new NewObservation(
            (string)row["observation_type"]!, Object(row["content"]), Object(metadata), source, (string)row["id"]!,
            row["created_at"] is JsonValue at && at.TryGetValue<DateTimeOffset>(out var time) ? time : null);
    }

    /// <summary>Of a curation nobody says how the action was written: what isn't one of ours changes no trait.</summary>
    private static NewNarrative Narrative(JsonObject row, IEnumerable<JsonObject> links)
    {
        static string? Word(JsonNode? value) => value is JsonValue said && said.TryGetValue<string>(out var text) ? text : null;
        static JsonText? Any(JsonNode? value) => value is null ? null : new JsonText(value.ToJsonString(Wire.Json));
        var isCuration = Word(row["narrative_type"]) == NarrativeStore.WordOf(NarrativeType.Curation);
        var curated = row["curation_action"] as JsonObject;
        var action = NarrativeStore.ValueOf<CurationAction>(Word(curated?["action"]) ?? Word(curated?["type"]) ?? Word(row["curation_action"]) ?? "") ?? CurationAction.Clarify;
        var source = Word(row["source"]);
        return new NewNarrative(
            isCuration ? NarrativeType.Curation : NarrativeType.SelfObservation, Word(row["raw_text"]) ?? "",
            row["tags"] is JsonArray tags ? tags.Select(Word).OfType<string>().Where(tag => tag.Length is > 0 and <= NarrativeRules.MaxTag).Take(NarrativeRules.MaxTags).ToItems() : null,
            Any(row["context"] as JsonObject) ?? JsonText.EmptyObject, source is { Length: > 0 and <= 50 } ? source : null, (string)row["id"]!, null,
            isCuration ? Word(row["trait_path"]) : null, isCuration ? action : null, isCuration ? Any(curated?["original_value"]) ?? new JsonText("null") : null,
            isCuration ? Any(curated?["corrected_value"]) ?? Any(curated?["new_value"]) : null,
            new NarrativeOrigin(
                row["created_at"] is JsonValue at && at.TryGetValue<DateTimeOffset>(out var time) ? time : DateTimeOffset.MaxValue, Word(row["curated_text"]),
                links.Select(link => (Path: Word(link["trait_path"]), Type: NarrativeStore.ValueOf<TraitLinkType>(Word(link["link_type"]) ?? ""), Confidence: (double?)link["confidence"] ?? 1))
                    .Where(link => link is { Path: not null, Type: not null }).DistinctBy(link => (link.Path, link.Type))
                    .Select(link => new TraitLink(link.Path!, link.Type!.Value, link.Confidence)).ToItems()));
    }

    private static StagedRow Note(string table, string id, Refusal refusal) =>
        new($"{table}/{id}/{refusal.Field}", JsonText.From(new { table, id, field = refusal.Field ?? "", note = refusal.Detail }));
}
