using Npgsql;
using PersonaActors.Contracts.Personas;

namespace PersonaActors.Storage.Personas;

public sealed class PersonaStore(Database database)
{
    public const string NameKey = "personas_name";

    private const string InsertSql = """
        INSERT INTO personas (tenant_id, id, owner_id, name, description, content, preferred_name, pronouns, version, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
        """;

    public static void Insert(ScopedBatch batch, Guid tenant, PersonaView persona) => batch.Add(InsertSql,
        Sql.Uuid(tenant), Sql.Uuid(persona.Id), Sql.Uuid(persona.OwnerId), Sql.Text(persona.Name), Sql.Text(persona.Description),
        Sql.Text(persona.Content), Sql.Text(persona.PreferredName), Sql.Text(persona.Pronouns), Sql.Bigint(persona.Version), Sql.Time(persona.CreatedAt));

    private const string ListSql = """
        SELECT id, owner_id, name, description, content, preferred_name, pronouns, version, created_at, updated_at
        FROM personas WHERE tenant_id = $1 AND owner_id = $2 AND id > $3 ORDER BY id LIMIT $4
        """;

    public Task<List<PersonaView>> List(Guid tenant, Guid owner, Guid after, int limit, CancellationToken cancel) => database.ReadMany(
        RowScope.OfUser(tenant, owner), ListSql, [Sql.Uuid(tenant), Sql.Uuid(owner), Sql.Uuid(after), Sql.Int(limit)], Map, cancel);

    private static PersonaView Map(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.TextOrNull(3), row.GetString(4), row.TextOrNull(5), row.TextOrNull(6),
        row.GetInt64(7), row.Time(8), row.Time(9));
}
