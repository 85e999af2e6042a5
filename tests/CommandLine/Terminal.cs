using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration.Memory;
using PersonaActors.Silo.CommandLine;

namespace PersonaActors.Tests.CommandLine;

/// <summary>
/// The command line, as an operator uses it: what the executable does but for starting a process, which takes longer than
/// most commands.
/// </summary>
internal static class Terminal
{
    public static async Task IsMisuse((string Name, string Value)[] logins, string says, params string[] arguments)
    {
        var misused = await Run(logins, arguments);
        Assert.True(misused.Code == 2, $"ended with {misused.Code}: {misused.Output}{misused.Error}");
        Assert.Contains(says, misused.Error, StringComparison.Ordinal);
        Assert.Empty(misused.Output);
    }

    /// <summary>A place of the test's own.</summary>
    public sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("personactors-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);

        /// <summary>The logins as ./run writes them.</summary>
        public Task Keep(string folder, TestDatabase database)
        {
            Directory.CreateDirectory(System.IO.Path.Combine(Path, folder));
            return File.WriteAllLinesAsync(System.IO.Path.Combine(Path, folder, "database.env"), Logins(database).Select(login => $"{login.Item1}='{login.Item2}'"));
        }
    }

    public static JsonObject Json(Ended ended)
    {
        Assert.True(ended.Code == 0, ended.Output + ended.Error);
        return JsonNode.Parse(ended.Output)!.AsObject();
    }

    public static (string Name, string Value)[] Logins(TestDatabase database) =>
    [
        ("PERSONA__DATABASE__APP", database.App),
        ("PERSONA__DATABASE__WORKER", database.Worker),
        ("PERSONA__DATABASE__MIGRATOR", database.Migrator),
    ];

    public static Task<Ended> Run(params string[] arguments) => Run([], arguments);

    public static Task<Ended> RunOn(TestDatabase database, params string[] arguments) => Run(Logins(database), arguments);

    public static Task<Ended> Run((string Name, string Value)[] environment, params string[] arguments) => RunIn("/", environment, arguments);

    public static async Task<Ended> RunIn(string folder, (string Name, string Value)[] environment, params string[] arguments)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var variables = environment.Select(variable => KeyValuePair.Create(variable.Name.Replace("__", ":", StringComparison.Ordinal), (string?)variable.Value));
        var surroundings = new Surroundings { Variables = new MemoryConfigurationSource { InitialData = variables }, Folder = folder, Output = output, Error = error };
        var code = await Cli.Run(arguments, surroundings).WaitAsync(TimeSpan.FromSeconds(30));
        return new Ended(code, output.ToString(), error.ToString());
    }

    /// <summary>The executable itself.</summary>
    public static Task<Ended> RunProcess(string folder, (string Name, string Value)[] environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [ProcessNode.Executable, .. arguments]) { WorkingDirectory = folder };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Programs.Run(start, TimeSpan.FromSeconds(30));
    }
}
