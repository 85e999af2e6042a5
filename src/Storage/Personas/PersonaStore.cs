using PersonaActors.Contracts.Personas;

namespace PersonaActors.Storage.Personas;

/// <summary>A persona as its grain holds it, and the position of its stream at that version.</summary>
public sealed record PersonaRow(PersonaView View, long Seq);

public sealed class PersonaStore(Database database)
{
    public const string NameKey = "personas_name";

    private const string LoadSql = """
        SELECT id, owner_id, name, description, content, preferred_name, pronouns, version, created_at, updated_at,
          (SELECT s.seq FROM streams s WHERE s.tenant_id = $1 AND s.stream = $4)
        FROM personas WHERE tenant_id = $1 AND owner_id = $2 AND id = $3
        """;

    public Task<PersonaRow?> Load(Guid tenant, Guid owner, Guid id, OwnerEpoch epoch) => database.LoadOwned(
        RowScope.OfUser(tenant, owner), epoch, LoadSql, [Sql.Uuid(tenant), Sql.Uuid(owner), Sql.Uuid(id), Sql.Text(epoch.Stream)],
        row => new PersonaRow(Map(row), row.ValueOrNull<long>(10) ?? 0));

    private const string FindOwnerSql = "SELECT owner_id FROM personas WHERE tenant_id = $1 AND id = $2";

    /// <summary>Whose persona it is, for callers that act for all users and name only the persona.</summary>
    public Task<Guid?> FindOwner(Guid tenant, Guid id, CancellationToken cancel) =>
        database.ReadValue(RowScope.OfTenant(tenant), FindOwnerSql, [Sql.Uuid(tenant), Sql.Uuid(id)], row => row.GetGuid(0), cancel);

    private const string IdsSql = "SELECT id FROM personas WHERE tenant_id = $1 AND owner_id = $2";

    public Task<List<Guid>> Ids(Guid tenant, Guid owner) =>
        database.ReadMany(RowScope.OfUser(tenant, owner), IdsSql, [Sql.Uuid(tenant), Sql.Uuid(owner)], row => row.GetGuid(0));

    private const string InsertSql = """
        INSERT INTO personas (tenant_id, id, owner_id, name, description, content, preferred_name, pronouns, version, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, PersonaView persona) => batch.Add(InsertSql,
        Sql.Uuid(tenant), Sql.Uuid(persona.Id), Sql.Uuid(persona.OwnerId), Sql.Text(persona.Name), Sql.Text(persona.Description),
        Sql.Text(persona.Content), Sql.Text(persona.PreferredName), Sql.Text(persona.Pronouns), Sql.Bigint(persona.Version), Sql.Time(persona.CreatedAt));

    private const string UpdateSql = """
        WITH changed AS (
          UPDATE personas SET name = $4, description = $5, content = $6, preferred_name = $7, pronouns = $8, version = $9, updated_at = $10
          WHERE tenant_id = $1 AND owner_id = $2 AND id = $3 AND version = $9 - 1 RETURNING 1)
        SELECT must_hit(count(*), 'persona') FROM changed
        """;

    /// <summary>Writes the persona as it is to be; its version says which one it replaces.</summary>
    public static void Update(ScopedBatch batch, Guid tenant, PersonaView persona) => batch.AddGuarded(UpdateSql,
        Sql.Uuid(tenant), Sql.Uuid(persona.OwnerId), Sql.Uuid(persona.Id), Sql.Text(persona.Name), Sql.Text(persona.Description),
        Sql.Text(persona.Content), Sql.Text(persona.PreferredName), Sql.Text(persona.Pronouns), Sql.Bigint(persona.Version), Sql.Time(persona.UpdatedAt));

    private const string DeleteSql = """
        WITH changed AS (DELETE FROM personas WHERE tenant_id = $1 AND owner_id = $2 AND id = $3 AND ($4::bigint IS NULL OR version = $4) RETURNING 1)
        SELECT must_hit(count(*), 'persona') FROM changed
        """;

    /// <param name="version">The version that the caller wants to delete, or whichever it has come to: its own grain may be changing it.</param>
    public static void Delete(ScopedBatch batch, Guid tenant, Guid owner, Guid id, long? version) =>
        batch.AddGuarded(DeleteSql, Sql.Uuid(tenant), Sql.Uuid(owner), Sql.Uuid(id), Sql.Bigint(version));

    private const string ListSql = """
        SELECT id, owner_id, name, description, content, preferred_name, pronouns, version, created_at, updated_at
        FROM personas
        WHERE tenant_id = $1 AND owner_id = $2 AND id > $3 AND ($5::text IS NULL OR strpos(lower(name), lower($5)) > 0)
        ORDER BY id LIMIT $4
        """;

    public Task<List<PersonaView>> List(Guid tenant, Guid owner, Guid after, string? search, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfUser(tenant, owner), ListSql, [Sql.Uuid(tenant), Sql.Uuid(owner), Sql.Uuid(after), Sql.Int(limit), Sql.Text(search)], Map, cancel);

    private static PersonaView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.TextOrNull(3), row.GetString(4), row.TextOrNull(5), row.TextOrNull(6),
        row.GetInt64(7), row.Time(8), row.Time(9));
}
