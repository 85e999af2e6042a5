using System.Diagnostics;
using Npgsql;

namespace PersonaActors.Tests.Harness;

/// <summary>
/// The PostgreSQL that tests share: ./test starts one and names it in PERSONA_TEST_PG; started without, tests make their own
/// by the same script. Missing PostgreSQL is a failure, never a skip.
/// </summary>
public static class PostgresServer
{
    private static readonly Lazy<string> Superuser = new(Start);

    public static string Script { get; } = Environment.GetEnvironmentVariable("PERSONA_TEST_PG_SCRIPT") ?? FindScript();

    public static NpgsqlConnectionStringBuilder For(string user, string password, string database) => new(Superuser.Value)
    {
        Username = user,
        Password = password,
        Database = database,
    };

    public static string SuperuserOf(string database) => new NpgsqlConnectionStringBuilder(Superuser.Value) { Database = database, Pooling = false }.ConnectionString;

    private static string Start()
    {
        if (Environment.GetEnvironmentVariable("PERSONA_TEST_PG") is { Length: > 0 } given)
        {
            return given;
        }

        var cluster = PrivateCluster.Create();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => cluster.Dispose();
        return cluster.Superuser;
    }

    private static string FindScript()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var script = Path.Combine(folder.FullName, "scripts", "pg");
            if (File.Exists(script))
            {
                return script;
            }
        }

        throw new InvalidOperationException("scripts/pg was not found above the tests: run them from a checkout, with ./test.");
    }
}

/// <summary>A PostgreSQL of one test's own, for tests that stop it.</summary>
public sealed class PrivateCluster : IDisposable
{
    private readonly string _folder;

    private PrivateCluster(string folder)
    {
        _folder = folder;
        Superuser = Run("url", folder).Trim();
    }

    public string Superuser { get; }

    private string Data => Path.Combine(Run("location", _folder).Trim(), "data");

    public static PrivateCluster Create()
    {
        var folder = Path.Combine("/var/tmp", $"personactors-test-{Guid.NewGuid():N}");
        Run("install");
        Run("create", folder, "--throwaway");
        Run("start", folder);
        return new PrivateCluster(folder);
    }

    public void Start() => Run("start", _folder);

    public void Stop() => Run("stop", _folder, "--immediate");

    /// <summary>It neither answers nor closes a connection, as behind a cable that was pulled.</summary>
    public void Freeze() => Signal("STOP");

    public void Thaw() => Signal("CONT");

    public void Dispose() => Run("remove", _folder);

    /// <summary>What the server had to refuse, from its log.</summary>
    public IReadOnlyList<string> Errors() =>
        [.. File.ReadLines(Path.Combine(Data, "server.log")).Where(line => line.Contains(" ERROR: ", StringComparison.Ordinal))];

    private void Signal(string signal)
    {
        var server = int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First());
        var backends = Directory.GetDirectories("/proc").Where(process => IsChild(process, server)).Select(process => int.Parse(Path.GetFileName(process)));
        Signals.Send(signal, [server, .. backends]);
    }

    private static bool IsChild(string process, int of)
    {
        try
        {
            return File.ReadLines(Path.Combine(process, "status")).Any(line => line == $"PPid:\t{of}");
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", [PostgresServer.Script, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        // Read both to their end, or a full pipe would hold the script.
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"scripts/pg {string.Join(' ', arguments)} ended with {process.ExitCode}: {errors.Result}");
    }
}
