using Npgsql;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Users;

namespace PersonaActors.Bench;

/// <summary>
/// Commands that are kept: 50 users renamed over and over by their grains, row, event and stored answer in one transaction.
/// The anchor sends the same statements from a plain loop of equal concurrency, prepared and pooled, with nothing around them.
/// </summary>
internal static class PersistedCommands
{
    private const int Writers = 50;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(4);
    private static readonly Actor Actor = new(ActorKind.Service, null);

    internal static async Task<Result[]> RunAsync()
    {
        await using var node = await BenchNode.Start();
        var users = Enumerable.Range(0, Writers).Select(_ => Guid.CreateVersion7()).ToArray();
        var grains = users.Select(user => node.Grains.Of<IUserGrain>(new TenantScopedKey(node.Tenant, user))).ToArray();
        for (var i = 0; i < Writers; i++)
        {
            await grains[i].Register(NewCommand(), new UserRegistration($"user {i}", null, null, [], false));
        }

        // Users of the loop's own, so that the two never wait for each other's rows.
        var plain = new Guid[Writers];
        for (var i = 0; i < Writers; i++)
        {
            plain[i] = Guid.CreateVersion7();
            await node.Grains.Of<IUserGrain>(new TenantScopedKey(node.Tenant, plain[i])).Register(NewCommand(), new UserRegistration($"plain {i}", null, null, [], false));
        }

        await using var loop = new PlainLoop(node.On.App, node.Tenant, plain);
        long n = 0;
        Task Rename(int i) => grains[i].Update(NewCommand(), new UserChange(Patch<string>.Set($"renamed {Interlocked.Increment(ref n)}"), default, default, default));

        await WriteLoad.PerSecond(Writers, WarmUp, Rename);
        await WriteLoad.PerSecond(Writers, WarmUp, loop.Rename);
        // In turns, so that a machine whose speed drifts drifts for both.
        var ours = new List<double>();
        var theirs = new List<double>();
        for (var round = 0; round < 3; round++)
        {
            theirs.Add(await WriteLoad.PerSecond(Writers, Measured, loop.Rename));
            ours.Add(await WriteLoad.PerSecond(Writers, Measured, Rename));
        }

        var median = ours.Zip(theirs, (a, b) => a / b).Order().ElementAt(1);
        return [new("persisted commands (row, event, answer), 50 grains", Result.PerSecond(ours.Order().ElementAt(1)), Result.PerSecond(theirs.Order().ElementAt(1)), median, 0.6)];
    }

    private static Command NewCommand() => new(Guid.NewGuid().ToString("N"), Guid.Empty, new string('0', 64), Actor);

    /// <summary>What one would write by hand: the same transaction in one batch, and nothing else.</summary>
    private sealed class PlainLoop(string connectionString, Guid tenant, Guid[] users) : IAsyncDisposable
    {
        private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = Writers, MaxAutoPrepare = 20, AutoPrepareMinUsages = 2 }.ConnectionString);

        private readonly long[] _versions = [.. Enumerable.Repeat(1L, users.Length)];

        private const string Scope = "SELECT set_config('app.current_tenant_id', $1, true), set_config('app.user_id', $2, true), set_config('app.scope', '', true)";

        private const string Row = """
            UPDATE users SET username = $3, is_placeholder = false, time_zone = 'UTC', is_free = false, is_active = true, version = $4, updated_at = $5
            WHERE tenant_id = $1 AND id = $2 AND version = $4 - 1
            """;

        private const string Event = "SELECT append_event($1, $2, $3, $4, 'user.updated', $5, $6::json, NULL)";

        private const string Answer = """
            INSERT INTO command_log (tenant_id, caller, id, owner_id, fingerprint, answer, at)
            VALUES ($1, '00000000-0000-0000-0000-000000000000', $2, $3, $4, $5::json, $6)
            """;

        public async Task Rename(int i)
        {
            var user = users[i];
            var version = ++_versions[i];
            var now = DateTime.UtcNow;
            var stored = $$"""{"kind":"done","value":{"id":"{{user}}","username":"renamed {{version}}","version":{{version}} } }""";
            var changes = $$"""{"changes":{"username":"renamed {{version}}","version":{{version}},"updatedAt":"{{now:O}}"} }""";
            await using var connection = await _source.OpenConnectionAsync();
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(WriteLoad.With(Scope, tenant.ToString(), user.ToString()));
            batch.BatchCommands.Add(WriteLoad.With(Row, tenant, user, $"renamed {version}", version, now));
            batch.BatchCommands.Add(WriteLoad.With(Event, tenant, $"user:{user}", user, Guid.NewGuid(), now, changes));
            batch.BatchCommands.Add(WriteLoad.With(Answer, tenant, Guid.NewGuid().ToString("N"), user, new string('0', 64), stored, now));
            await batch.ExecuteNonQueryAsync();
        }

        public ValueTask DisposeAsync() => _source.DisposeAsync();
    }
}
