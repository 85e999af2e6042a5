using System.CommandLine;
using System.Text.Json;
using PersonaActors.Silo.Configuration;

namespace PersonaActors.Silo.CommandLine;

/// <summary>What can't be done as it was asked for.</summary>
public sealed class UsageException(string message) : Exception(message);

/// <summary>What every command takes: where its settings come from, and how it answers.</summary>
public static class GlobalOptions
{
    public static readonly Option<bool> Json = new("--json") { Description = "Answer in JSON", Recursive = true };

    public static readonly Option<string?> Data = new("--data")
    {
        Description = "The data folder of ./run, for its database and demo key (the environment, else .data here or in the checkout)",
        HelpName = "DIR",
        Recursive = true,
    };

    /// <summary>The parser splits an option from its value at the first ':' or '=', so --Persona:Url=… is --Persona with Url=….</summary>
    public static readonly Option<string[]> Setting = MakeSetting();

    private static Option<string[]> MakeSetting()
    {
        var setting = new Option<string[]>("--Persona", "--persona")
        {
            Description = "A setting of the README's table, as --Persona:Url=http://localhost:8000",
            HelpName = "SETTING=VALUE",
            Recursive = true,
        };
        setting.Validators.Add(given =>
        {
            foreach (var bare in given.Tokens.Where(token => !token.Value.Contains('=', StringComparison.Ordinal)))
            {
                given.AddError($"--Persona:{bare.Value} has no value: write --Persona:{bare.Value}=VALUE.");
            }
        });
        return setting;
    }

    /// <summary>The later wins. A data folder that is only found counts where nothing else names a database.</summary>
    public static IConfigurationRoot Configuration(this ParseResult given)
    {
        var surroundings = (Surroundings)given.InvocationConfiguration;
        var sources = new ConfigurationBuilder().SetBasePath(AppContext.BaseDirectory).AddJsonFile("appsettings.json", optional: true).Add(surroundings.Variables);
        if (given.GetValue(Data) is { } folder)
        {
            sources.AddInMemoryCollection(DataFolder.Read(folder));
        }

        var settings = given.GetValue(Setting)!.Select(text => text.Split('=', 2)).Select(pair => KeyValuePair.Create($"Persona:{pair[0]}", (string?)pair[1]));
        var configuration = sources.AddInMemoryCollection(settings).Build();
        return !configuration.GetSection("Persona:Database").Exists() && DataFolder.Find(surroundings.Folder, AppContext.BaseDirectory) is { } found
            ? new ConfigurationBuilder().AddInMemoryCollection(DataFolder.Read(found)).AddConfiguration(configuration).Build()
            : configuration;
    }

    public static void Print(this ParseResult given, object machine, string people) =>
        given.InvocationConfiguration.Output.WriteLine(given.GetValue(Json) ? JsonSerializer.Serialize(machine, machine.GetType(), Wire.Json) : people);
}
