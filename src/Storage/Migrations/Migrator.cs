using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace PersonaActors.Storage.Migrations;

public sealed record Migration(int Number, string Name, string Sql, string Checksum);

/// <summary>A migration that was applied has been edited since, or is missing: the schema can't be what this build expects.</summary>
public sealed class MigrationException(string message) : Exception(message);

/// <summary>
/// Applies the numbered migrations of this executable, each in its own transaction, one process at a time. They only go
/// forward; an applied one whose text changed is an error that names it.
/// </summary>
public static class Migrator
{
    /// <summary>Serialises migrating processes; any constant will do, it is only ours per database.</summary>
    private const long LockKey = 0x7065_7273_6d69_6772;

    public static IReadOnlyList<Migration> Embedded { get; } = LoadEmbedded();

    private const string CreateTable = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
          number int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL)
        """;

    private const string GrantTable = "GRANT SELECT ON schema_migrations TO personactors_app, personactors_worker";

    private const string AppliedSql = "SELECT number, name, checksum FROM schema_migrations ORDER BY number";

    private const string RecordSql = "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";

    /// <returns>The names of the migrations that were applied now.</returns>
    public static async Task<IReadOnlyList<string>> Migrate(
        string connectionString, IReadOnlyList<Migration> migrations, TimeProvider time, CancellationToken cancel)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, ApplicationName = "personactors migrator", CommandTimeout = 600 };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancel);
        await Run(connection, $"SELECT pg_advisory_lock({LockKey})", cancel);
        if (!await TableExists(connection, cancel))
        {
            await Run(connection, CreateTable, cancel);
            await Run(connection, GrantTable, cancel);
        }

        var applied = await Applied(connection, cancel);
        Check(applied, migrations);
        var names = new List<string>();
        foreach (var migration in migrations.Where(m => !applied.ContainsKey(m.Number)))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            await Run(connection, migration.Sql, cancel);
            await using var record = new NpgsqlCommand(RecordSql, connection);
            record.Parameters.Add(Sql.Int(migration.Number));
            record.Parameters.Add(Sql.Text(migration.Name));
            record.Parameters.Add(Sql.Text(migration.Checksum));
            record.Parameters.Add(Sql.Time(time.GetUtcNow()));
            await record.ExecuteNonQueryAsync(cancel);
            await transaction.CommitAsync(cancel);
            names.Add(migration.Name);
        }

        return names;
    }

    /// <summary>What a serving node checks: does the database have exactly the schema that this build expects?</summary>
    public static async Task<IReadOnlyList<string>> Missing(NpgsqlDataSource source, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        if (!await TableExists(connection, cancel))
        {
            return [.. Embedded.Select(m => m.Name)];
        }

        var applied = await Applied(connection, cancel);
        Check(applied, Embedded);
        return [.. Embedded.Where(m => !applied.ContainsKey(m.Number)).Select(m => m.Name)];
    }

    private static void Check(Dictionary<int, (string Name, string Checksum)> applied, IReadOnlyList<Migration> migrations)
    {
        foreach (var migration in migrations)
        {
            if (applied.TryGetValue(migration.Number, out var known) && known.Checksum != migration.Checksum)
            {
                throw new MigrationException(
                    $"Migration {known.Name} was applied with other text than this build has ({known.Checksum[..12]} then, {migration.Checksum[..12]} now). "
                    + "An applied migration is never edited: restore its text and write a new one.");
            }
        }

        var last = migrations.Count == 0 ? 0 : migrations[^1].Number;
        var ahead = applied.Where(a => a.Key > last).Select(a => a.Value.Name).ToList();
        if (ahead.Count > 0)
        {
            throw new MigrationException($"The database is ahead of this build: it has {string.Join(", ", ahead)}. Start a build that knows them.");
        }
    }

    private static async Task<bool> TableExists(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("SELECT to_regclass('schema_migrations') IS NOT NULL", connection);
        return (bool)(await command.ExecuteScalarAsync(cancel))!;
    }

    private static async Task<Dictionary<int, (string Name, string Checksum)>> Applied(NpgsqlConnection connection, CancellationToken cancel)
    {
        var applied = new Dictionary<int, (string, string)>();
        await using var command = new NpgsqlCommand(AppliedSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            applied[reader.GetInt32(0)] = (reader.GetString(1), reader.GetString(2));
        }

        return applied;
    }

    private static async Task Run(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static List<Migration> LoadEmbedded()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var migrations = new List<Migration>();
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith("sql/", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
            var sql = reader.ReadToEnd();
            var name = Path.GetFileNameWithoutExtension(resource);
            var checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql.ReplaceLineEndings("\n"))));
            migrations.Add(new Migration(int.Parse(name.AsSpan(0, 4)), name, sql, checksum));
        }

        return migrations;
    }
}
