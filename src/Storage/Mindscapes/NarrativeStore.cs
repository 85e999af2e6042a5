using System.Text.Json;
using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Storage.Mindscapes;

/// <summary>What people say in words, what it says of traits, and the vectors by which it is found.</summary>
public sealed class NarrativeStore(Database database, OwnModel own)
{
    internal const string Columns = """
        n.id, n.person_id, n.type, n.text, n.curated_text, n.tags, n.trait_path, n.action, n.original_value, n.context, n.source, n.client_id,
        (SELECT v.model FROM narrative_vectors v WHERE v.tenant_id = n.tenant_id AND v.person_id = n.person_id AND v.narrative_id = n.id),
        (SELECT json_agg(json_build_object('traitPath', l.trait_path, 'type', replace(l.link_type, '_', '-'), 'confidence', l.confidence) ORDER BY l.trait_path, l.link_type)
          FROM trait_narrative_links l WHERE l.tenant_id = n.tenant_id AND l.person_id = n.person_id AND l.narrative_id = n.id),
        n.version, n.created_at, n.updated_at
        """;

    private const string InsertSql = """
        INSERT INTO narratives (tenant_id, id, person_id, type, text, curated_text, tags, trait_path, action, original_value, context, source, client_id, said, version, created_at, updated_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17)
        """;

    /// <param name="said">Of the text, as it is compared with others.</param>
    public static void Insert(ScopedBatch batch, Guid tenant, NarrativeView narrative, byte[] said, Guid by)
    {
        batch.Add(InsertSql,
            Sql.Uuid(tenant), Sql.Uuid(narrative.Id), Sql.Uuid(narrative.PersonId), Sql.Text(WordOf(narrative.Type)), Sql.Text(narrative.Text), Sql.Text(narrative.CuratedText),
            Sql.Texts([.. narrative.Tags]), Sql.Text(narrative.TraitPath), Sql.Text(narrative.Action is { } action ? WordOf(action) : null), Sql.Json(narrative.OriginalValue?.Json),
            Sql.Json(narrative.Context.Json), Sql.Text(narrative.Source), Sql.Text(narrative.ClientId), Sql.Bytes(said), Sql.Int(narrative.Version), Sql.Time(narrative.CreatedAt),
            Sql.Uuid(by == Guid.Empty ? null : by));
        foreach (var link in narrative.Links)
        {
            batch.Add(InsertLinkSql,
                Sql.Uuid(tenant), Sql.Uuid(narrative.PersonId), Sql.Uuid(narrative.Id), Sql.Text(link.TraitPath), Sql.Text(WordOf(link.Type)), Sql.Double(link.Confidence), Sql.Time(narrative.CreatedAt));
        }
    }

    private const string InsertLinkSql = """
        INSERT INTO trait_narrative_links (tenant_id, person_id, narrative_id, trait_path, link_type, confidence, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
        """;

    private const string SetVectorSql = """
        INSERT INTO narrative_vectors (tenant_id, person_id, narrative_id, type, model, embedding) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (tenant_id, person_id, narrative_id) DO UPDATE SET model = $5, embedding = $6
        """;

    public static void SetVector(ScopedBatch batch, Guid tenant, NarrativeView narrative, TextVector vector) => batch.Add(SetVectorSql,
        Sql.Uuid(tenant), Sql.Uuid(narrative.PersonId), Sql.Uuid(narrative.Id), Sql.Text(WordOf(narrative.Type)), Sql.Text(vector.Model), Sql.Vector(vector.Values));

    private const string DropVectorSql = "DELETE FROM narrative_vectors WHERE tenant_id = $1 AND person_id = $2 AND narrative_id = $3";

    /// <summary>It says something else now: until its new vector is there it is found by its words.</summary>
    public static void DropVector(ScopedBatch batch, Guid tenant, Guid person, Guid id) => batch.Add(DropVectorSql, Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(id));

    private const string UpdateSql = """
        WITH changed AS (UPDATE narratives SET text = $5, curated_text = $6, tags = $7, context = $8, said = $9, version = $4, updated_at = $10
          WHERE tenant_id = $1 AND person_id = $2 AND id = $3 AND version = $4 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'narrative') FROM changed
        """;

    public static void Update(ScopedBatch batch, Guid tenant, NarrativeView narrative, byte[] said) => batch.AddGuarded(UpdateSql,
        Sql.Uuid(tenant), Sql.Uuid(narrative.PersonId), Sql.Uuid(narrative.Id), Sql.Int(narrative.Version), Sql.Text(narrative.Text), Sql.Text(narrative.CuratedText),
        Sql.Texts([.. narrative.Tags]), Sql.Json(narrative.Context.Json), Sql.Bytes(said), Sql.Time(narrative.UpdatedAt));

    private const string DeleteSql = """
        WITH changed AS (DELETE FROM narratives WHERE tenant_id = $1 AND person_id = $2 AND id = $3 RETURNING 1)
        SELECT must_hit(count(*), 'narrative') FROM changed
        """;

    public static void Delete(ScopedBatch batch, Guid tenant, Guid person, Guid id) => batch.AddGuarded(DeleteSql, Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(id));

    private const string FindSql = $"SELECT {Columns} FROM narratives n WHERE n.tenant_id = $1 AND n.id = $2";

    public Task<NarrativeView?> Find(RowScope scope, Guid id, CancellationToken cancel = default) => database.ReadOne(
        scope, FindSql, [Sql.Uuid(scope.Tenant), Sql.Uuid(id)], Map, cancel);

    private const string ByClientIdSql = $"SELECT {Columns} FROM narratives n WHERE n.tenant_id = $1 AND n.person_id = $2 AND n.client_id = $3";

    public Task<NarrativeView?> ByClientId(Guid tenant, Guid person, string clientId) => database.ReadOne(
        RowScope.OfUser(tenant, person), ByClientIdSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Text(clientId)], Map);

    private const string SaidBeforeSql = $"SELECT {Columns} FROM narratives n WHERE n.tenant_id = $1 AND n.person_id = $2 AND n.said = $3 ORDER BY n.id LIMIT 100";

    /// <summary>Those in the same words, the oldest first.</summary>
    public Task<List<NarrativeView>> SaidBefore(Guid tenant, Guid person, byte[] said) => database.ReadMany(
        RowScope.OfUser(tenant, person), SaidBeforeSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Bytes(said)], Map);

    private const string ListSql = $"""
        SELECT {Columns} FROM narratives n
        WHERE n.tenant_id = $1 AND ($2::uuid IS NULL OR n.person_id = $2) AND ($3::text IS NULL OR n.type = $3) AND ($4::text IS NULL OR $4 = ANY (n.tags))
          AND ($5::text IS NULL OR n.trait_path = $5) AND ($6::uuid IS NULL OR n.id < $6)
        ORDER BY n.id DESC LIMIT $7 OFFSET $8
        """;

    /// <summary>The newest first.</summary>
    public Task<List<NarrativeView>> List(
        RowScope scope, Guid? person, NarrativeType? type, string? tag, string? traitPath, Guid? before, int limit, int offset, CancellationToken cancel) => database.ReadMany(
        scope, ListSql,
        [
            Sql.Uuid(scope.Tenant), Sql.Uuid(person), Sql.Text(type is { } of ? WordOf(of) : null), Sql.Text(tag), Sql.Text(traitPath), Sql.Uuid(before), Sql.Int(limit), Sql.Int(offset),
        ],
        Map, cancel);

    private const string UseSql = """
        INSERT INTO persona_narrative_usage (tenant_id, person_id, persona_id, narrative_id, usage_type, relevance, used_at) VALUES ($1, $2, $3, $4, 'suggestion', $5, $6)
        """;

    /// <summary>It went into a persona that was made for an agent.</summary>
    public static void Use(ScopedBatch batch, Guid tenant, Guid person, Guid persona, Guid narrative, double relevance, DateTimeOffset at) => batch.Add(UseSql,
        Sql.Uuid(tenant), Sql.Uuid(person), Sql.Uuid(persona), Sql.Uuid(narrative), Sql.Double(relevance), Sql.Time(at));

    /// <summary>As the tables spell it.</summary>
    public static string WordOf<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    internal NarrativeView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetGuid(1), Read<NarrativeType>(row.GetString(2)), row.GetString(3), row.TextOrNull(4), row.GetFieldValue<string[]>(5).ToItems(), row.TextOrNull(6),
        row.TextOrNull(7) is { } action ? Read<CurationAction>(action) : null, row.TextOrNull(8) is { } original ? new JsonText(original) : null, new JsonText(row.GetString(9)),
        row.TextOrNull(10), row.TextOrNull(11), row.TextOrNull(12) == own.Name, row.TextOrNull(13) is { } links ? new JsonText(links).Read<Items<TraitLink>>() : [], row.GetInt32(14),
        row.Time(15), row.Time(16));

    public static T? ValueOf<T>(string word)
        where T : struct, Enum => Enum.GetValues<T>().Cast<T?>().FirstOrDefault(value => WordOf(value!.Value) == word);

    private static T Read<T>(string word)
        where T : struct, Enum => ValueOf<T>(word)!.Value;
}
