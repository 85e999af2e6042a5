using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Grains.Outbox;
using PersonaActors.Storage.Outbox;

namespace PersonaActors.Tests.Faults;

/// <summary>Tasks that can't be done: they end, and say why.</summary>
public sealed class OutboxTests
{
    [Fact]
    public async Task The_tenth_failure_is_the_last_and_stays_to_be_seen()
    {
        var clock = FakeTime.Start();
        await using var database = await TestDatabase.Create();
        var never = new Never();
        await using var node = await Node.Start(database, clock, with: services => services.AddSingleton<IOutboxTaskHandler>(never));
        async Task Ask(string kind) => await Sql.Run(
            database.Superuser,
            $"INSERT INTO outbox_tasks (tenant_id, id, kind, payload, run_after, created_at) VALUES ('{node.Demo}', gen_random_uuid(), '{kind}', '1', '2000-01-01', '2000-01-01')");
        Task<string> Of(string kind) => Sql.Ask<string>(database.Superuser, $"SELECT concat_ws('|', status, attempts, last_error) FROM outbox_tasks WHERE kind = '{kind}'");

        Task GivenUp(string kind) => Eventually.True($"{kind} is given up", async () =>
        {
            clock.Advance(TimeSpan.FromHours(1));
            return (await Of(kind)).StartsWith("failed", StringComparison.Ordinal);
        });

        await Ask(never.Kind);
        await GivenUp(never.Kind);
        Assert.Equal($"failed|10|{new string('x', 500)}", await Of(never.Kind));

        // Another one, that nobody knows how to do, is met after it and ends at once.
        await Ask("nobody.knows");
        await GivenUp("nobody.knows");
        Assert.Equal("failed|0|No handler knows tasks of kind 'nobody.knows'.", await Of("nobody.knows"));
        Assert.Equal(10, never.Tried);
    }

    private sealed class Never : IOutboxTaskHandler
    {
        private int _tried;

        public string Kind => "test.never";

        public int Tried => Volatile.Read(ref _tried);

        public Task Handle(OutboxTask task, CancellationToken cancel)
        {
            Interlocked.Increment(ref _tried);
            throw new InvalidOperationException(new string('x', 600));
        }
    }
}
