namespace PersonaActors.Storage;

/// <param name="At">Where the stream of its events stood; none where it had none.</param>
public sealed record StoredAnswer(string Fingerprint, JsonText Outcome, StreamCursor? At);

/// <summary>The answers of commands that were carried out, kept for 24 hours, so that a repeat returns the first one.</summary>
public sealed class CommandLog(Database database)
{
    private const string FindSql = "SELECT fingerprint, answer, epoch, seq FROM command_log WHERE tenant_id = $1 AND caller = $2 AND id = $3";

    private const string FindSystemSql = "SELECT fingerprint, answer, epoch, seq FROM command_log WHERE tenant_id IS NULL AND caller = $1 AND id = $2";

    public Task<StoredAnswer?> Find(Guid? tenant, Guid caller, string id, CancellationToken cancel) => tenant is { } t
        ? database.ReadOne(RowScope.OfTenant(t), FindSql, [Sql.Uuid(t), Sql.Uuid(caller), Sql.Text(id)], Map, cancel)
        : database.ReadOne(RowScope.OfOperator(), FindSystemSql, [Sql.Uuid(caller), Sql.Text(id)], Map, cancel);

    private static StoredAnswer Map(NpgsqlDataReader row) => new(
        row.GetString(0), new JsonText(row.GetString(1)), row.IsDBNull(2) ? null : new StreamCursor(row.GetString(2), row.GetInt64(3)));
}
