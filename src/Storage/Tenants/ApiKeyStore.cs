using System.Runtime.CompilerServices;
using PersonaActors.Contracts.Tenants;

namespace PersonaActors.Storage.Tenants;

/// <summary>A key as the gateway needs it to know who calls.</summary>
public sealed record ApiKeyRow(
    Guid Id, Guid? Tenant, ApiKeyKind Kind, string Name, string Prefix, byte[] Hash, byte[] TokenSecret, Guid? UserId, bool MayDelegate,
    DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt, DateTimeOffset? LastUsedAt)
{
    public ApiKeyView ToView() => new(Id, Kind, Name, Prefix, UserId, MayDelegate, CreatedAt, RevokedAt, LastUsedAt);
}

public sealed class ApiKeyStore(Database database)
{
    private const string Columns = "tenant_id, id, kind, name, prefix, hash, token_secret, user_id, may_delegate, created_at, revoked_at, last_used_at";

    private const string FindByHashSql = $"SELECT {Columns} FROM find_api_key($1)";

    private const string FindByIdSql = $"SELECT {Columns} FROM find_api_key_by_id($1)";

    public Task<ApiKeyRow?> FindByHash(byte[] hash, CancellationToken cancel) =>
        database.ReadOne(default, FindByHashSql, [Sql.Bytes(hash)], Map, cancel);

    public Task<ApiKeyRow?> FindById(Guid id, CancellationToken cancel) =>
        database.ReadOne(default, FindByIdSql, [Sql.Uuid(id)], Map, cancel);

    private const string FindEndedSql = "SELECT ended FROM find_ended_api_keys($1) AS ended";

    /// <summary>Of these keys, those that were revoked or are gone with their user or tenant.</summary>
    public async Task<IReadOnlyList<Guid>> FindEnded(Guid[] ids, CancellationToken cancel) =>
        ids.Length == 0 ? [] : await database.ReadMany(default, FindEndedSql, [Sql.Uuids(ids)], row => row.GetGuid(0), cancel);

    private const string NoteUsedSql = "SELECT note_api_keys_used($1, $2)::text";

    public Task NoteUsed(Guid[] ids, DateTimeOffset[] at, CancellationToken cancel) =>
        database.ReadMany(default, NoteUsedSql, [Sql.Uuids(ids), Sql.Times(at)], static _ => true, cancel);

    private const string InsertSql = """
        INSERT INTO api_keys (tenant_id, id, kind, name, prefix, hash, token_secret, user_id, may_delegate, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """;

    public static void Insert(ScopedBatch batch, Guid? tenant, NewApiKey key, DateTimeOffset at) => batch.Add(InsertSql,
        Sql.Uuid(tenant), Sql.Uuid(key.Id), Sql.Text(KindName(key.Kind)), Sql.Text(key.Name), Sql.Text(key.Prefix), Sql.Bytes(key.Hash),
        Sql.Bytes(key.TokenSecret), Sql.Uuid(key.UserId), Sql.Bool(key.MayDelegate), Sql.Time(at));

    private const string RenameSql = """
        WITH changed AS (UPDATE api_keys SET name = $2 WHERE id = $1 RETURNING 1)
        SELECT must_hit(count(*), 'key') FROM changed
        """;

    public static void Rename(ScopedBatch batch, Guid id, string name) => batch.AddGuarded(RenameSql, Sql.Uuid(id), Sql.Text(name));

    private const string RevokeSql = """
        WITH changed AS (UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING 1)
        SELECT must_hit(count(*), 'key') FROM changed
        """;

    public static void Revoke(ScopedBatch batch, Guid id, DateTimeOffset at) => batch.AddGuarded(RevokeSql, Sql.Uuid(id), Sql.Time(at));

    private const string ListSql = $"SELECT {Columns} FROM api_keys WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";

    private const string ListOperatorSql = $"SELECT {Columns} FROM api_keys WHERE tenant_id IS NULL AND id > $1 ORDER BY id LIMIT $2";

    public Task<List<ApiKeyRow>> List(Guid? tenant, Guid after, int limit, CancellationToken cancel) => tenant is { } id
        ? database.ReadMany(RowScope.OfTenant(id), ListSql, [Sql.Uuid(id), Sql.Uuid(after), Sql.Int(limit)], Map, cancel)
        : database.ReadMany(RowScope.OfOperator(), ListOperatorSql, [Sql.Uuid(after), Sql.Int(limit)], Map, cancel);

    private const string NamedSql = $"""
        SELECT {Columns} FROM api_keys WHERE tenant_id = $1 AND kind = 'service' AND strpos(name, '@') > 0 AND ($2::text IS NULL OR lower(name) = lower($2)) ORDER BY id
        """;

    /// <summary>Service keys that go by an email, by that one or by any; those that were revoked too, the oldest first.</summary>
    public Task<List<ApiKeyRow>> Named(Guid tenant, string? email, CancellationToken cancel = default) =>
        database.ReadMany(RowScope.OfTenant(tenant), NamedSql, [Sql.Uuid(tenant), Sql.Text(email)], Map, cancel);

    public async IAsyncEnumerable<ApiKeyRow> All(Guid? tenant, [EnumeratorCancellation] CancellationToken cancel)
    {
        const int pageSize = 200;
        List<ApiKeyRow> page = [];
        do
        {
            page = await List(tenant, page.LastOrDefault()?.Id ?? Guid.Empty, pageSize, cancel);
            foreach (var key in page)
            {
                yield return key;
            }
        }
        while (page.Count == pageSize);
    }

    public static string KindName(ApiKeyKind kind) => kind switch
    {
        ApiKeyKind.User => "user",
        ApiKeyKind.Service => "service",
        ApiKeyKind.TenantAdmin => "tenant-admin",
        ApiKeyKind.Operator => "operator",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static ApiKeyRow Map(NpgsqlDataReader row) => new(
        row.GetGuid(1), row.GuidOrNull(0), Kind(row.GetString(2)), row.GetString(3), row.GetString(4),
        row.GetFieldValue<byte[]>(5), row.GetFieldValue<byte[]>(6), row.GuidOrNull(7), row.GetBoolean(8), row.Time(9), row.TimeOrNull(10), row.TimeOrNull(11));

    public static ApiKeyKind Kind(string name) => name switch
    {
        "user" => ApiKeyKind.User,
        "service" => ApiKeyKind.Service,
        "tenant-admin" => ApiKeyKind.TenantAdmin,
        _ => ApiKeyKind.Operator,
    };
}
