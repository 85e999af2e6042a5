using System.Collections.Concurrent;
using Npgsql;
using Schema = PersonaActors.Storage.Migrations.Migrator;

namespace PersonaActors.Tests.Harness;

/// <summary>
/// A database of a test class's own, copied from a template that was migrated once. Its logins are the real ones: nothing
/// is tried as owner or superuser but what says so.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private const string Password = "test-only";
    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> Templates = [];
    private readonly NpgsqlConnectionStringBuilder _superuser;

    private TestDatabase(NpgsqlConnectionStringBuilder superuser, string name)
    {
        _superuser = superuser;
        Name = name;
    }

    public string Name { get; }

    public string App => Login("personactors_app");

    /// <summary>Each new connection is a process that has to learn the whole schema: half a second of a test's time that nothing is tried by.</summary>
    public string FewApp => new NpgsqlConnectionStringBuilder(App) { MaxPoolSize = 3 }.ConnectionString;

    /// <inheritdoc cref="FewApp"/>
    public string Worker => new NpgsqlConnectionStringBuilder(Login("personactors_worker")) { MaxPoolSize = 2 }.ConnectionString;

    public string Migrator => Login("personactors_migrator");

    /// <summary>Not pooled where the test stops the server: a connection that it cut would be noticed by the next statement only.</summary>
    public string Superuser => new NpgsqlConnectionStringBuilder(_superuser.ConnectionString) { Database = Name }.ConnectionString;

    public static Task<TestDatabase> Create() => Copy(PostgresServer.SuperuserOf("postgres"), isPooled: true);

    /// <summary>On a server of the test's own.</summary>
    public static Task<TestDatabase> CreateOn(string superuser) => Copy(superuser, isPooled: false);

    private static async Task<TestDatabase> Copy(string superuser, bool isPooled)
    {
        var settings = new NpgsqlConnectionStringBuilder(superuser) { Pooling = isPooled };
        var template = await Template(settings);
        var name = $"test_{Guid.NewGuid():N}";
        await Run(settings.ConnectionString, $"CREATE DATABASE {name} TEMPLATE {template} OWNER personactors_migrator STRATEGY FILE_COPY");
        return new TestDatabase(settings, name);
    }

    /// <summary>An empty database with the extension, not migrated.</summary>
    public static async Task<TestDatabase> CreateEmpty()
    {
        var settings = new NpgsqlConnectionStringBuilder(PostgresServer.SuperuserOf("postgres")) { Pooling = true };
        await Template(settings);
        var name = $"test_{Guid.NewGuid():N}";
        await MakeDatabase(settings, name);
        return new TestDatabase(settings, name);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var login in (string[])[App, Worker, Migrator, Superuser])
        {
            await using var connection = new NpgsqlConnection(login);
            NpgsqlConnection.ClearPool(connection);
        }

        await Run(_superuser.ConnectionString, $"DROP DATABASE IF EXISTS {Name} WITH (FORCE)");
    }

    private string Login(string role) =>
        new NpgsqlConnectionStringBuilder(_superuser.ConnectionString) { Username = role, Password = Password, Database = Name, Pooling = true }.ConnectionString;

    private static Task<string> Template(NpgsqlConnectionStringBuilder superuser) =>
        Templates.GetOrAdd(superuser.ConnectionString, _ => new Lazy<Task<string>>(() => MakeTemplate(superuser))).Value;

    private static async Task<string> MakeTemplate(NpgsqlConnectionStringBuilder superuser)
    {
        var checksum = Schema.Embedded.Aggregate("", (sum, migration) => $"{sum}{migration.Checksum}");
        var name = $"template_{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(checksum)))[..16]}";
        // In a pool it would keep the lock.
        superuser = new NpgsqlConnectionStringBuilder(superuser.ConnectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(superuser.ConnectionString);
        await connection.OpenAsync();
        // Another run of the tests may be on the same server.
        await Run(connection, "SELECT pg_advisory_lock(4711)");
        await using var exists = new NpgsqlCommand("SELECT count(*) FROM pg_database WHERE datname = $1 AND datistemplate", connection);
        exists.Parameters.Add(new NpgsqlParameter { Value = name });
        if ((long)(await exists.ExecuteScalarAsync())! == 0)
        {
            await MakeRoles(connection);
            await Run(connection, $"DROP DATABASE IF EXISTS {name}");
            await MakeDatabase(superuser, name);
            var migrator = new NpgsqlConnectionStringBuilder(superuser.ConnectionString)
            {
                Username = "personactors_migrator",
                Password = Password,
                Database = name,
            };
            await Schema.Migrate(migrator.ConnectionString, Schema.Embedded, TimeProvider.System, CancellationToken.None);
            await Run(connection, $"ALTER DATABASE {name} IS_TEMPLATE true");
        }

        return name;
    }

    private static async Task MakeRoles(NpgsqlConnection connection)
    {
        foreach (var role in (string[])["personactors_migrator", "personactors_app", "personactors_worker"])
        {
            await Run(connection, $"""
                DO $$ BEGIN
                  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} LOGIN NOINHERIT; END IF;
                END $$;
                ALTER ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{Password}'
                """);
        }
    }

    private static async Task MakeDatabase(NpgsqlConnectionStringBuilder superuser, string name)
    {
        await Run(superuser.ConnectionString, $"CREATE DATABASE {name} OWNER personactors_migrator");
        await Run(new NpgsqlConnectionStringBuilder(superuser.ConnectionString) { Database = name, Pooling = false }.ConnectionString, """
            CREATE EXTENSION IF NOT EXISTS vector;
            ALTER SCHEMA public OWNER TO personactors_migrator;
            GRANT USAGE ON SCHEMA public TO personactors_app, personactors_worker
            """);
    }

    private static async Task Run(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await Run(connection, sql);
    }

    private static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
