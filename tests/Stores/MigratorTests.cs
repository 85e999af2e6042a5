using Npgsql;
using PersonaActors.Storage.Migrations;

namespace PersonaActors.Tests.Stores;

public sealed class MigratorTests
{
    private static readonly Migration First = new(1, "0001_first", "CREATE TABLE one (id int)", "aaaaaaaaaaaaaaaa");
    private static readonly Migration Second = new(2, "0002_second", "CREATE TABLE two (id int)", "bbbbbbbbbbbbbbbb");

    [Fact]
    public async Task Migrations_are_applied_in_order_and_once()
    {
        await using var database = await TestDatabase.CreateEmpty();
        Assert.Equal(["0001_first"], await Migrate(database, First));
        Assert.Equal(["0002_second"], await Migrate(database, First, Second));
        Assert.Empty(await Migrate(database, First, Second));
    }

    [Fact]
    public async Task An_applied_migration_that_was_edited_is_an_error_that_names_it()
    {
        await using var database = await TestDatabase.CreateEmpty();
        await Migrate(database, First, Second);
        var error = await Assert.ThrowsAsync<MigrationException>(() => Migrate(database, First with { Checksum = "cccccccccccccccc" }, Second));
        Assert.Contains("0001_first", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_build_older_than_the_database_is_refused()
    {
        await using var database = await TestDatabase.CreateEmpty();
        await Migrate(database, First, Second);
        var error = await Assert.ThrowsAsync<MigrationException>(() => Migrate(database, First));
        Assert.Contains("0002_second", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Processes_that_migrate_together_take_turns()
    {
        await using var database = await TestDatabase.CreateEmpty();
        var applied = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Migrate(database, First, Second)));
        Assert.Equal(2, applied.Sum(names => names.Count));
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_nothing_of_itself()
    {
        await using var database = await TestDatabase.CreateEmpty();
        var broken = new Migration(2, "0002_broken", "CREATE TABLE half (id int); SELECT nonsense", "dddddddddddddddd");
        await Assert.ThrowsAsync<PostgresException>(() => Migrate(database, First, broken));
        await using var connection = new NpgsqlConnection(database.Superuser);
        await connection.OpenAsync();
        await using var half = new NpgsqlCommand("SELECT to_regclass('half') IS NULL AND (SELECT count(*) FROM schema_migrations) = 1", connection);
        Assert.Equal(true, await half.ExecuteScalarAsync());
        Assert.Equal(["0002_second"], await Migrate(database, First, Second));
    }

    [Fact]
    public async Task A_database_from_before_Orleans_keeps_its_users_and_their_live_sessions()
    {
        await using var database = await TestDatabase.CreateEmpty();
        await Migrate(database, [.. Migrator.Embedded.Where(migration => migration.Number <= 10)]);
        await Sql.Run(database.Superuser, """
            INSERT INTO tenants (tenant_id, name, display_name, created_at, updated_at) VALUES ('0190d3a4-0000-7000-8000-000000000001', 'demo', 'Demo', now(), now());
            INSERT INTO users (tenant_id, id, username, created_at, updated_at)
            VALUES ('0190d3a4-0000-7000-8000-000000000001', '0190d3a4-0000-7000-8000-000000000002', 'ada', now(), now());
            INSERT INTO focus_sessions (tenant_id, id, person_id, status, start_time, start_state, state, next_tick_at)
            VALUES ('0190d3a4-0000-7000-8000-000000000001', '0190d3a4-0000-7000-8000-000000000003', '0190d3a4-0000-7000-8000-000000000002', 'active', now(), '{}', '{}', now());
            INSERT INTO reminders (grain, key, name, first_at, period, due_at) VALUES ('session', 'k', 'wake', now(), interval '5 minutes', now())
            """);
        Assert.Contains("0011_orleans", await Migrate(database, [.. Migrator.Embedded]));
        Assert.Equal(1, await Sql.Ask<long>(database.Superuser, "SELECT count(*) FROM users u JOIN focus_sessions s ON s.person_id = u.id WHERE s.wake_at IS NOT NULL"));
    }

    private static Task<IReadOnlyList<string>> Migrate(TestDatabase database, params Migration[] migrations) =>
        Migrator.Migrate(database.Migrator, migrations, TimeProvider.System, CancellationToken.None);
}
