using System.Globalization;
using System.Net;
using PersonaActors.Grains.Embeddings;

namespace PersonaActors.Silo.Configuration;

/// <summary>A setting that is missing or can't be: the message names it and the cure.</summary>
public sealed class SettingException(string message) : Exception(message);

/// <summary>What a silo that has lost the database does with prompts.</summary>
public enum WhenCutOff
{
    /// <summary>Answers 503: another silo may have changed what this one remembers.</summary>
    Refuse,

    /// <summary>Answers from memory: nobody else writes.</summary>
    Serve,
}

public enum NodeRole
{
    All,
    Silo,
    Gateway,
}

public enum LogForm
{
    /// <summary>A line of text each, for people.</summary>
    Lines,

    /// <summary>An object a line, with the values by name, for what collects logs.</summary>
    Json,
}

/// <summary>
/// Everything that can be configured, checked once at start. Sources, the later wins: appsettings.json, environment
/// (PERSONA__…), command line. The README's table lists them all. Not bound as options: most commands need them without a
/// host, and a binder names neither the setting as the operator writes it nor the cure, nor an unknown one.
/// </summary>
public sealed record Settings
{
    public required string AppDatabase { get; init; }

    public required string WorkerDatabase { get; init; }

    /// <summary>Only where this process migrates: `migrate`, and `serve` when it is given.</summary>
    public string? MigratorDatabase { get; init; }

    public required Uri Url { get; init; }

    public bool Auth { get; init; } = true;

    public bool Demo { get; init; }

    public string? DemoKeyFile { get; init; }

    public NodeRole Role { get; init; }

    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    public int RequestsPerMinute { get; init; }

    public int ServiceRequestsPerMinute { get; init; }

    public Uri? OtlpEndpoint { get; init; }

    public WhenCutOff WhenCutOff { get; init; }

    public LogForm Logs { get; init; }

    /// <summary>The built-in encoder, unless an endpoint is named.</summary>
    public EmbeddingOptions Embeddings { get; init; } = new();

    /// <summary>Nodes of one database that name another cluster don't see each other.</summary>
    public string ClusterId { get; init; } = "personactors";

    /// <summary>Free ones on loopback, unless a cluster is configured.</summary>
    public int? SiloPort { get; init; }

    public int? SiloGatewayPort { get; init; }

    /// <summary>How many silos must have lost sight of another for it to be dead.</summary>
    public int DeathVotes { get; init; } = 1;

    /// <summary>Other machines reach this silo.</summary>
    public bool IsCluster => SiloPort is not null;

    private static readonly string[] Known =
    [
        "Database:App", "Database:Worker", "Database:Migrator", "Url", "Auth", "Demo", "DemoKeyFile", "Role", "AllowedOrigins",
        "Limits:RequestsPerMinute", "Limits:ServiceRequestsPerMinute", "Otlp:Endpoint", "Logs", "WhenCutOff",
        "Embeddings:Processors", "Embeddings:Endpoint", "Embeddings:Model", "Embeddings:Key",
        "Cluster:Id", "Cluster:SiloPort", "Cluster:GatewayPort", "Cluster:DeathVotes",
    ];

    public static Settings Read(IConfiguration configuration, bool serves = true)
    {
        var persona = Section(configuration);
        var settings = new Settings
        {
            AppDatabase = Required(persona, "Database:App"),
            WorkerDatabase = Required(persona, "Database:Worker"),
            MigratorDatabase = persona["Database:Migrator"] is { Length: > 0 } ? Required(persona, "Database:Migrator") : null,
            Url = Address(persona, "Url") ?? new Uri("http://localhost:8000"),
            Auth = Switch(persona, "Auth", true),
            Demo = Switch(persona, "Demo", false),
            DemoKeyFile = persona["DemoKeyFile"],
            Role = Choice(persona, "Role", NodeRole.All),
            AllowedOrigins = (persona["AllowedOrigins"] ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries),
            RequestsPerMinute = Number(persona, "Limits:RequestsPerMinute", 600, 0, 1_000_000),
            ServiceRequestsPerMinute = Number(persona, "Limits:ServiceRequestsPerMinute", 0, 0, 10_000_000),
            OtlpEndpoint = Address(persona, "Otlp:Endpoint"),
            WhenCutOff = Choice(persona, "WhenCutOff", WhenCutOff.Refuse),
            Logs = Choice(persona, "Logs", LogForm.Lines),
            Embeddings = new EmbeddingOptions
            {
                Processors = Number(persona, "Embeddings:Processors", 1, 1, 64),
                Endpoint = Address(persona, "Embeddings:Endpoint"),
                Model = persona["Embeddings:Model"],
                Key = persona["Embeddings:Key"],
            },
            ClusterId = persona["Cluster:Id"] is { Length: > 0 } cluster ? cluster : "personactors",
            DeathVotes = Number(persona, "Cluster:DeathVotes", 1, 1, 10),
        };
        if (settings.Role == NodeRole.Silo || persona["Cluster:SiloPort"] is { Length: > 0 } || persona["Cluster:GatewayPort"] is { Length: > 0 })
        {
            settings = settings with
            {
                SiloPort = Number(persona, "Cluster:SiloPort", 11111, 1, 65535),
                SiloGatewayPort = Number(persona, "Cluster:GatewayPort", 30000, 1, 65535),
            };
        }

        return serves ? settings.Checked() : settings;
    }

    /// <summary>For what the tables' owner does, who needs no other login.</summary>
    public static string ReadMigrator(IConfiguration configuration) => Required(Section(configuration), "Database:Migrator");

    private static IConfigurationSection Section(IConfiguration configuration)
    {
        var persona = configuration.GetSection("Persona");
        return persona.AsEnumerable(makePathsRelative: true).FirstOrDefault(entry => entry.Value is not null && !Known.Contains(entry.Key, StringComparer.OrdinalIgnoreCase))
            is { Key: { } unknown }
                ? throw new SettingException($"There is no setting Persona:{unknown}. Known are: {string.Join(", ", Known)}.")
                : persona;
    }

    private Settings Checked()
    {
        if (!Auth && !(Url.IsLoopback || (IPAddress.TryParse(Url.Host, out var address) && IPAddress.IsLoopback(address))))
        {
            throw new SettingException($"Persona:Auth is off, but Persona:Url is {Url}: without keys the service is bound to loopback only. Turn auth on, or bind to http://localhost:{Url.Port}.");
        }

        if (Embeddings.Endpoint is not null && string.IsNullOrWhiteSpace(Embeddings.Model))
        {
            throw new SettingException("Persona:Embeddings:Endpoint is set, but Persona:Embeddings:Model is not: name the model that is asked for there, like text-embedding-3-small.");
        }

        foreach (var origin in AllowedOrigins)
        {
            if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.GetLeftPart(UriPartial.Authority) != origin)
            {
                throw new SettingException($"Persona:AllowedOrigins has '{origin}', which is no origin (scheme://host[:port], without a path).");
            }
        }

        return this;
    }

    private static string Required(IConfigurationSection persona, string name)
    {
        var value = persona[name];
        if (string.IsNullOrWhiteSpace(value))
        {
            throw new SettingException(
                $"Persona:{name} is not set: give it a connection string, in the environment as PERSONA__{name.ToUpperInvariant().Replace(":", "__", StringComparison.Ordinal)}, "
                + "or name the data folder of ./run (--data DIR), which holds all of them. `personactors doctor --sql` prints how the logins are made.");
        }

        try
        {
            _ = new Npgsql.NpgsqlConnectionStringBuilder(value);
            return value;
        }
        catch (ArgumentException e)
        {
            throw new SettingException($"Persona:{name} is no PostgreSQL connection string: {e.Message}");
        }
    }

    private static bool Switch(IConfigurationSection persona, string name, bool otherwise) => persona[name]?.ToLowerInvariant() switch
    {
        null or "" => otherwise,
        "on" or "true" => true,
        "off" or "false" => false,
        var value => throw new SettingException($"Persona:{name} is '{value}': it is on or off."),
    };

    private static int Number(IConfigurationSection persona, string name, int otherwise, int least, int most)
    {
        if (persona[name] is not { Length: > 0 } text)
        {
            return otherwise;
        }

        return int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new SettingException($"Persona:{name} is '{text}': it is a number from {least} to {most}.");
    }

    private static Uri? Address(IConfigurationSection persona, string name)
    {
        if (persona[name] is not { Length: > 0 } text)
        {
            return null;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https")
            ? uri
            : throw new SettingException($"Persona:{name} is '{text}': it is an address like http://localhost:8000.");
    }

    /// <summary>One of the enum's names, in any case.</summary>
    private static T Choice<T>(IConfigurationSection persona, string name, T otherwise) where T : struct, Enum =>
        persona[name] is not { Length: > 0 } text ? otherwise
        : Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase) ? Enum.Parse<T>(text, ignoreCase: true)
        : throw new SettingException($"Persona:{name} is '{text}': it is one of {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}.");
}
