using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace PersonaActors.Tests.Faults;

/// <summary>The database is there, but refuses what it is asked: nobody foresaw why, and no work in the background ends by it, nor the host with that.</summary>
public sealed class LoopTests
{
    private static readonly string[] Loops =
    [
        "The check for revoked keys", "The check of streams against the log", "The outbox", "The focus sweep", "The jobs' sweep", "Pruning", "Retention of conversations",
        "Giving mappers to new tenants",
    ];

    [Fact]
    public async Task Whatever_the_database_answers_every_loop_goes_on()
    {
        var clock = FakeTime.Start();
        using var said = new Said();
        await using var database = await TestDatabase.Create();
        await using var node = await Node.Start(database, clock, with: services => services.AddSingleton<ILoggerProvider>(said));
        // Whatever is logged while nothing is found.
        node.Expect("");
        using var service = node.Client(await node.ServiceKey());
        await service.Register("ada");

        await Sql.Run(database.Superuser, "ALTER SCHEMA public RENAME TO elsewhere");
        try
        {
            await AllSay("failed", "waits");
        }
        finally
        {
            await Sql.Run(database.Superuser, "ALTER SCHEMA elsewhere RENAME TO public");
        }

        await AllSay("goes on");

        Assert.All(node.Services.GetServices<IHostedService>().OfType<BackgroundService>(), work => Assert.False(work.ExecuteTask!.IsCompleted, $"{work} has ended"));
        await service.Register("bea");

        async Task AllSay(params string[] whats)
        {
            string[] silent = [];
            try
            {
                await Eventually.True($"every loop {whats[0]}", () =>
                {
                    clock.Advance(TimeSpan.FromSeconds(5));
                    silent = [.. Loops.Where(loop => !said.Lines.Any(line => whats.Any(what => line.StartsWith($"{loop} {what}", StringComparison.Ordinal))))];
                    return Task.FromResult(silent.Length == 0);
                });
            }
            catch (TimeoutException e)
            {
                throw new TimeoutException($"{e.Message}; not so: {string.Join(", ", silent)}", e);
            }
        }
    }

    private sealed class Said : ILoggerProvider, ILogger
    {
        public ConcurrentBag<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
