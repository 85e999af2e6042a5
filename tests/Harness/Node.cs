using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Silo.Configuration;
using PersonaActors.Silo.Demo;
using PersonaActors.Silo.Hosting;
using PersonaActors.Silo.Keys;
using PersonaActors.Storage;

namespace PersonaActors.Tests.Harness;

/// <summary>
/// The real node in this process: Kestrel on a port of its own, a silo, PostgreSQL. Only the clock can be another. An
/// error in its log that the test didn't announce fails the test when the node is disposed.
/// </summary>
public sealed class Node : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ErrorLog _errors;

    private Node(WebApplication app, Database database, ErrorLog errors, Guid demo, TimeProvider time)
    {
        _app = app;
        Database = database;
        _errors = errors;
        Demo = demo;
        Time = time;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public Uri Address { get; }

    public Database Database { get; }

    /// <summary>The demo tenant, or another one in its place.</summary>
    public Guid Demo { get; set; }

    public TimeProvider Time { get; }

    public IServiceProvider Services => _app.Services;

    public static Task<Node> Start(
        TestDatabase on, TimeProvider? time = null, bool auth = true, Action<IServiceCollection>? with = null, params (string Name, string Value)[] settings) =>
        Start(new DatabaseLogins(on.FewApp, on.Worker), time, auth, with, settings);

    /// <summary>In place of a process that was killed, and for a fifth of what another one costs. What Orleans says of the dead is no error.</summary>
    public static async Task<Node> Succeed(TestDatabase on, bool auth = true, params (string Name, string Value)[] settings)
    {
        var node = await Start(on, auth: auth, settings: settings);
        node.Expect("Orleans.");
        return node;
    }

    /// <summary>For tests that take its database away: cut off, it refuses as one that serves does, and whoever needs it says so in the log.</summary>
    public static async Task<Node> StartToBeCutOff(TestDatabase on)
    {
        var node = await Start(on, settings: ("Persona:WhenCutOff", "refuse"));
        node.Expect("");
        return node;
    }

    public static async Task<Node> Start(
        DatabaseLogins on, TimeProvider? time = null, bool auth = true, Action<IServiceCollection>? with = null, params (string Name, string Value)[] settings)
    {
        var clock = time ?? TimeProvider.System;
        var errors = new ErrorLog();
        var values = new Dictionary<string, string?>
        {
            ["Persona:Database:App"] = on.App,
            ["Persona:Database:Worker"] = on.Worker,
            ["Persona:Url"] = "http://127.0.0.1:0",
            ["Persona:Auth"] = auth ? "on" : "off",
            // A machine that is busy with tests isn't cut off, however long it takes.
            ["Persona:WhenCutOff"] = "serve",
        };
        foreach (var (name, value) in settings)
        {
            values[name] = value;
        }

        var configuration = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        var database = new Database(on, NullLoggerFactory.Instance);
        // A connection may be slow to come where many tests begin at once, which is not what they try.
        await Eventually.True("the database answers", async () =>
        {
            try
            {
                await database.RefreshEpoch(CancellationToken.None);
                return true;
            }
            catch (StorageUnavailableException)
            {
                return false;
            }
        });
        var demo = await new DemoTenant(database, clock).Ensure(CancellationToken.None);
        var app = NodeComposition.Build(Settings.Read(configuration), configuration, database, auth ? null : demo, services =>
        {
            services.AddSingleton(new Clock(clock));
            services.AddSingleton<ILoggerProvider>(errors);
            // The test assembly has grains too, one of which is collected sooner than the quantum would allow.
            services.Configure<GrainCollectionOptions>(options => options.CollectionQuantum = TimeSpan.FromSeconds(1));
            with?.Invoke(services);
        });
        await app.StartAsync();
        return new Node(app, database, errors, demo, clock);
    }

    /// <summary>A client with the key, or with none.</summary>
    public ApiClient Client(string? key = null) => new(Address, key);

    public Task<string> OperatorKey() => KeyWriter.Create(Database, null, ApiKeyKind.Operator, "test operator", null, false, Time, CancellationToken.None);

    public Task<string> AdminKey(Guid? tenant = null, bool mayDelegate = true) =>
        KeyWriter.Create(Database, tenant ?? Demo, ApiKeyKind.TenantAdmin, "test admin", null, mayDelegate, Time, CancellationToken.None);

    public Task<string> ServiceKey(Guid? tenant = null, bool mayDelegate = true) =>
        KeyWriter.Create(Database, tenant ?? Demo, ApiKeyKind.Service, "test service", null, mayDelegate, Time, CancellationToken.None);

    public Task<string> UserKey(Guid user, Guid? tenant = null) =>
        KeyWriter.Create(Database, tenant ?? Demo, ApiKeyKind.User, "test user", user, false, Time, CancellationToken.None);

    /// <summary>Errors of which this is a part are expected from now on.</summary>
    public void Expect(string partOfError) => _errors.Expected.Add(partOfError);

    public void ShouldHaveNoErrors() => Assert.True(!_errors.Unexpected.Any(), string.Join('\n', _errors.Unexpected));

    public async ValueTask DisposeAsync()
    {
        // What Orleans says of calls that the end of the silo overtook.
        Expect("Orleans.Messaging: Failed to address message");
        await _app.StopAsync();
        await _app.DisposeAsync();
        await Database.DisposeAsync();
        ShouldHaveNoErrors();
    }

    private sealed class ErrorLog : ILoggerProvider
    {
        private readonly ConcurrentQueue<string> _errors = new();

        public ConcurrentBag<string> Expected { get; } = [];

        public IEnumerable<string> Unexpected => _errors.Where(error => !Expected.Any(error.Contains));

        public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

        public void Dispose()
        {
        }

        private sealed class Logger(ErrorLog log, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                if (logLevel >= LogLevel.Error)
                {
                    log._errors.Enqueue($"{category}: {formatter(state, exception)} {exception}");
                }
            }
        }
    }
}
