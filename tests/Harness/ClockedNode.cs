using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using PersonaActors.Grains.Focus;
using PersonaActors.Storage;

namespace PersonaActors.Tests.Harness;

/// <summary>
/// A node in a process of its own on a clock of the test's: what shall survive kill -9 can be tried over a whole day. The
/// test speaks to it over HTTP like anybody, and moves its clock by a line on its standard input.
/// </summary>
public sealed class ClockedNode : IAsyncDisposable
{
    private const string AppLogin = "PERSONA_CLOCKED_APP";
    private const string WorkerLogin = "PERSONA_CLOCKED_WORKER";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly List<string> _errors = [];

    private ClockedNode(Process process, DateTimeOffset now)
    {
        _process = process;
        Now = now;
    }

    public Uri Address { get; private set; } = null!;

    public DateTimeOffset Now { get; private set; }

    /// <summary>What its log called an error.</summary>
    public IReadOnlyList<string> Errors
    {
        get
        {
            lock (_errors)
            {
                return [.. _errors];
            }
        }
    }

    public static async Task<ClockedNode> Start(TestDatabase database, DateTimeOffset now)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ClockedNode).Assembly.Location, now.UtcTicks.ToString()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[AppLogin] = Patient(database.FewApp);
        start.Environment[WorkerLogin] = Patient(database.Worker);
        var process = Process.Start(start)!;
        var node = new ClockedNode(process, now);
        process.ErrorDataReceived += (_, line) => node.OnError(line.Data);
        process.BeginErrorReadLine();
        node.Address = new Uri((await node.Answer("ready"))["ready ".Length..]);
        return node;
    }

    /// <summary>However busy the machine is, a slow connection is not what is tried here.</summary>
    private static string Patient(string login) => new NpgsqlConnectionStringBuilder(login) { Timeout = 30, CommandTimeout = 60 }.ConnectionString;

    public ApiClient Client() => new(Address, null);

    /// <summary>Moves the clock, and returns when what was due by then has been woken.</summary>
    public async Task Pass(TimeSpan time)
    {
        Now += time;
        await _process.StandardInput.WriteLineAsync(time.Ticks.ToString());
        await Answer("passed");
    }

    /// <summary>kill -9: no handler runs, nothing is flushed.</summary>
    public async Task Kill()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>A stop in peace.</summary>
    public async Task Stop()
    {
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited {Patience.TotalSeconds:0} s for the node to stop");
        }

        Assert.Equal(0, _process.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await Kill();
        }

        _process.Dispose();
    }

    /// <summary>The process itself: see Main.</summary>
    public static async Task<int> Run(long ticks)
    {
        var clock = FakeTime.Start(new DateTimeOffset(ticks, TimeSpan.Zero));
        var logins = new DatabaseLogins(Environment.GetEnvironmentVariable(AppLogin)!, Environment.GetEnvironmentVariable(WorkerLogin)!);
        await using var node = await Node.Start(logins, clock, auth: false, services => services.AddSingleton<ILoggerProvider, ErrorLines>());
        // Which errors are fine is for the test to say, which hears of them all.
        node.Expect("");
        Console.WriteLine($"ready {node.Address}");
        var sweep = node.Services.GetRequiredService<FocusSweep>();
        while (await Console.In.ReadLineAsync() is { } line)
        {
            clock.Advance(TimeSpan.FromTicks(long.Parse(line)));
            try
            {
                await sweep.WakeDue(CancellationToken.None);
            }
            catch (Exception e) when (e is NpgsqlException)
            {
                // Its connections were cut: the node's own sweep meets what is due.
            }

            Console.WriteLine("passed");
        }

        return 0;
    }

    /// <summary>Errors of the log, each a line on standard error; not what Orleans says of silos that were killed.</summary>
    private sealed class ErrorLines : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => categoryName.StartsWith("Orleans.", StringComparison.Ordinal) ? NullLogger.Instance : this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Console.Error.WriteLine($"{formatter(state, exception)} {exception}".ReplaceLineEndings(" "));
            }
        }

        public void Dispose()
        {
        }
    }

    private async Task<string> Answer(string word)
    {
        try
        {
            while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
            {
                if (line.StartsWith(word, StringComparison.Ordinal))
                {
                    return line;
                }
            }
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited {Patience.TotalSeconds:0} s for the node to say '{word}'");
        }

        throw new InvalidOperationException($"the node ended before it said '{word}': {string.Join('\n', Errors)}");
    }

    private void OnError(string? line)
    {
        if (line is { Length: > 0 })
        {
            lock (_errors)
            {
                _errors.Add(line);
            }
        }
    }
}
