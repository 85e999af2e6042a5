using PersonaActors.Contracts.Personalities;

namespace PersonaActors.Storage.Personalities;

/// <summary>What personalities were imported from.</summary>
public sealed class CardStore(Database database)
{
    private const string SaveSql = """
        INSERT INTO personality_cards (tenant_id, personality_id, card, file, format, imported_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (tenant_id, personality_id) DO UPDATE SET card = $3, file = $4, format = $5, imported_at = $6
        """;

    public static void Save(ScopedBatch batch, Guid tenant, Guid personality, ImportedCard card, DateTimeOffset at) => batch.Add(SaveSql,
        Sql.Uuid(tenant), Sql.Uuid(personality), Sql.Json(card.Card.Json), Sql.Bytes(card.File), Sql.Text(card.Format.ToString().ToLowerInvariant()), Sql.Time(at));

    private const string FindSql = "SELECT card, format, file FROM personality_cards WHERE tenant_id = $1 AND personality_id = $2";

    public Task<ImportedCard?> Find(Guid tenant, Guid personality, CancellationToken cancel) => database.ReadOne(
        RowScope.OfTenant(tenant), FindSql, [Sql.Uuid(tenant), Sql.Uuid(personality)],
        row => new ImportedCard(new JsonText(row.GetString(0)), Enum.Parse<CardFormat>(row.GetString(1), ignoreCase: true), row.IsDBNull(2) ? null : row.GetFieldValue<byte[]>(2)), cancel);

    private const string KnownSql = """
        SELECT k.hash, p.id, p.slug FROM personality_owners o
        JOIN personalities p ON p.tenant_id = o.tenant_id AND p.id = o.personality_id
        JOIN personality_cards c ON c.tenant_id = o.tenant_id AND c.personality_id = o.personality_id,
        LATERAL (SELECT encode(sha256(convert_to(c.card::text, 'UTF8')), 'hex') AS hash) k
        WHERE o.tenant_id = $1 AND o.user_id = $2 AND o.role = 'owner' AND k.hash = ANY ($3)
        ORDER BY p.id DESC
        """;

    /// <summary>What a user has of these cards already, by the card's SHA-256.</summary>
    public async Task<Dictionary<string, (Guid Personality, string Slug)>> Known(Guid tenant, Guid user, string[] hashes, CancellationToken cancel)
    {
        var known = new Dictionary<string, (Guid, string)>();
        foreach (var (hash, id, slug) in await database.ReadMany(
            RowScope.OfTenant(tenant), KnownSql, [Sql.Uuid(tenant), Sql.Uuid(user), Sql.Texts(hashes)], row => (row.GetString(0), row.GetGuid(1), row.GetString(2)), cancel))
        {
            // The first that was made of it.
            known[hash] = (id, slug);
        }

        return known;
    }
}
