using PersonaActors.Contracts.Mindscapes;

namespace PersonaActors.Storage.Mindscapes;

/// <param name="Vector">Of the query; none where only words are looked for.</param>
/// <param name="Words">The query, where words are looked for.</param>
/// <param name="Said">By which what says the very same is known: its nearness is 1, whatever the model makes of a question.</param>
/// <param name="MinCosine">What is farther isn't found by its vector.</param>
public sealed record NarrativeQuery(TextVector? Vector, string? Words, byte[] Said, double MinCosine, IReadOnlyList<NarrativeType>? Types, int Limit);

/// <param name="Cosine">None where it has no vector to compare.</param>
public sealed record FoundNarrative(NarrativeView Narrative, double? Cosine, bool ByVector, bool ByWords);

/// <summary>
/// Searches within one person, by vector and words in one statement. The ranks of both are fused by their reciprocals: a cosine
/// and a word's rarity have no common measure, places have. How rare a word is, is counted within the person.
/// </summary>
public sealed class NarrativeSearchStore(Database database, NarrativeStore narratives)
{
    /// <summary>Up to so many all are compared; above, the index finds the nearest.</summary>
    public const int MaxExact = 2000;

    private const int Candidates = 50;

    // Not of the vectors: of these a page holds one.
    private const string CountSql = "SELECT count(*) FROM (SELECT FROM narratives n WHERE n.tenant_id = $1 AND n.person_id = $2 LIMIT $3) AS counted";

    // Asked: the query's words, any of which may be met. Met: what has some of them, each weighed by its rarity and by how short
    // the text is (Okapi's BM25, where every word counts once).
    private const string Words = """
        asked AS MATERIALIZED (
          SELECT a.word, ('''' || replace(replace(a.word, '\', '\\'), '''', '''''') || '''')::tsquery AS query FROM unnest(tsvector_to_array(to_tsvector('english', $3))) AS a (word)),
        mine AS MATERIALIZED (
          SELECT n.id, n.words, length(n.words)::double precision AS size FROM narratives n
          WHERE $3 <> '' AND n.tenant_id = $1 AND n.person_id = $2 AND ($6::text[] IS NULL OR n.type = ANY ($6))),
        totals AS MATERIALIZED (SELECT count(*)::double precision AS total, avg(size) AS size FROM mine),
        hits AS MATERIALIZED (SELECT m.id, a.word, m.size FROM mine m JOIN asked a ON m.words @@ a.query),
        weights AS MATERIALIZED (
          SELECT a.word, ln(1 + (t.total - count(h.id) + 0.5) / (count(h.id) + 0.5)) AS weight
          FROM asked a LEFT JOIN hits h USING (word) CROSS JOIN totals t GROUP BY a.word, t.total),
        scores AS (
          SELECT h.id, sum(w.weight) AS share, sum(w.weight * 2.2 / (1 + 1.2 * (0.25 + 0.75 * h.size / t.size))) AS score
          FROM hits h JOIN weights w USING (word) CROSS JOIN totals t GROUP BY h.id),
        best AS (SELECT * FROM scores ORDER BY score DESC, id LIMIT $8),
        met AS (SELECT b.id, b.share / (SELECT sum(weight) FROM weights) AS share, row_number() OVER (ORDER BY b.score DESC, b.id) AS place FROM best b),
        """;

    private const string Fused = $"""
        -- What is found by either, by the sum of the reciprocals of its places. A place by words counts as much as the query's
        -- words that are met weigh: a common one that two texts share says little, all of them say more than a vector. Chosen by the labelled texts of the tests and public conversations.
        -- What says the very same is nearest, whatever the model makes of a question.
        SELECT {NarrativeStore.Columns}, CASE WHEN meant.place = 0 THEN 1 ELSE 1 - (own.embedding <=> $4) END, meant.place IS NOT NULL, met.place IS NOT NULL
        FROM near FULL JOIN met USING (id) JOIN narratives n ON n.tenant_id = $1 AND n.person_id = $2 AND n.id = coalesce(near.id, met.id)
          LEFT JOIN narrative_vectors own ON own.tenant_id = $1 AND own.person_id = $2 AND own.narrative_id = n.id AND own.model = $5
          CROSS JOIN LATERAL (SELECT CASE WHEN near.id IS NOT NULL AND n.said = $10 THEN 0 WHEN near.distance <= $7 THEN near.place END AS place) AS meant
        WHERE meant.place IS NOT NULL OR met.place IS NOT NULL
        ORDER BY CASE WHEN $4 IS NULL THEN -met.place ELSE coalesce(1.0 / (3 + meant.place), 0) + coalesce(2.0 * met.share / (3 + met.place), 0) END DESC,
          own.embedding <=> $4, n.id LIMIT $9
        """;

    // Materialized before it is sorted, so that no plan takes the index, which may miss some, to a few. Only what is near is given
    // its place: to sort all for that took a quarter of the whole.
    private const string ExactSql = $"""
        WITH {Words}
        all_near AS MATERIALIZED (
          SELECT v.narrative_id AS id, v.embedding <=> $4 AS distance FROM narrative_vectors v
          WHERE $4 IS NOT NULL AND v.tenant_id = $1 AND v.person_id = $2 AND v.model = $5 AND ($6::text[] IS NULL OR v.type = ANY ($6))),
        nearest AS (SELECT id, distance FROM all_near ORDER BY distance, id LIMIT $8),
        near AS (SELECT id, distance, row_number() OVER (ORDER BY distance, id) AS place FROM nearest)
        {Fused}
        """;

    private const string IndexedSql = $"""
        WITH {Words}
        all_near AS MATERIALIZED (
          SELECT v.narrative_id AS id, v.embedding <=> $4 AS distance FROM narrative_vectors v
          WHERE v.tenant_id = $1 AND v.person_id = $2 AND v.model = $5 AND ($6::text[] IS NULL OR v.type = ANY ($6))
          ORDER BY v.embedding <=> $4 LIMIT $8),
        near AS (SELECT id, distance, row_number() OVER (ORDER BY distance, id) AS place FROM all_near)
        {Fused}
        """;

    // The plan is made for this person, and not compiled: of this length that takes longer than to run it. The index goes on
    // until enough of the person's are found among everybody's.
    private const string SettingsSql = """
        SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),
          set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '200', true), set_config('hnsw.max_scan_tuples', '200000', true)
        """;

    public async Task<List<FoundNarrative>> Find(Guid tenant, Guid person, NarrativeQuery query, CancellationToken cancel)
    {
        var scope = RowScope.OfUser(tenant, person);
        var isIndexed = query.Vector is not null && (await database.ReadValue(
            scope, CountSql, [Sql.Uuid(tenant), Sql.Uuid(person), Sql.Int(MaxExact + 1)], row => row.GetInt64(0), cancel)) > MaxExact;
        return await database.ReadMany(
            scope, SettingsSql, isIndexed ? IndexedSql : ExactSql,
            [
                Sql.Uuid(tenant), Sql.Uuid(person), Sql.Text(query.Words ?? ""), Sql.Vector(query.Vector?.Values),
                Sql.Text(query.Vector?.Model), Sql.Texts(query.Types?.Select(NarrativeStore.WordOf).ToArray()),
                Sql.Double(1 - query.MinCosine), Sql.Int(Math.Max(Candidates, query.Limit)), Sql.Int(query.Limit), Sql.Bytes(query.Said),
            ],
            row => new FoundNarrative(narratives.Map(row), row.ValueOrNull<double>(17), row.GetBoolean(18), row.GetBoolean(19)), cancel);
    }
}
