using Microsoft.Extensions.Configuration;

namespace PersonaActors.Silo.CommandLine;

public sealed class UsageException(string message) : Exception(message);

/// <summary>Arguments of one command: words, --flags, --options with a value, and --Persona:… settings, which go to the configuration.</summary>
public sealed class CommandArguments
{
    private readonly List<string> _words = [];
    private readonly Dictionary<string, string?> _options = new(StringComparer.OrdinalIgnoreCase);

    public CommandArguments(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal))
            {
                _words.Add(args[i]);
            }
            else if (args[i].IndexOf('=', StringComparison.Ordinal) is > 0 and var at)
            {
                _options[args[i][2..at]] = args[i][(at + 1)..];
            }
            else
            {
                _options[args[i][2..]] = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal) ? args[++i] : null;
            }
        }
    }

    public bool WantsHelp => _options.ContainsKey("help");

    public string? Word(int index) => index < _words.Count ? _words[index] : null;

    public bool Has(string option) => _options.ContainsKey(option);

    public string? Option(string option) => _options.GetValueOrDefault(option);

    public string Required(string option, string why) =>
        Option(option) ?? throw new UsageException($"--{option} is missing: {why}");

    /// <summary>Refuses what the command doesn't know, by name.</summary>
    public void Allow(params string[] options)
    {
        foreach (var option in _options.Keys.Where(o => !o.StartsWith("Persona:", StringComparison.OrdinalIgnoreCase)))
        {
            if (!options.Contains(option, StringComparer.OrdinalIgnoreCase) && option is not ("json" or "help"))
            {
                throw new UsageException($"There is no option --{option} here. Known are: {string.Join(", ", options.Append("json").Select(o => "--" + o))}.");
            }
        }
    }

    public bool Json => Has("json");

    public IConfigurationRoot Configuration() => new ConfigurationBuilder()
        .SetBasePath(AppContext.BaseDirectory)
        .AddJsonFile("appsettings.json", optional: true)
        .AddEnvironmentVariables()
        .AddInMemoryCollection(_options.Where(o => o.Key.StartsWith("Persona:", StringComparison.OrdinalIgnoreCase)))
        .Build();
}
