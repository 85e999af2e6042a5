namespace PersonaActors.Contracts.Events;

/// <summary>Names of streams, made in one place: nobody builds "user:…" at a call site.</summary>
public static class StreamName
{
    public const int MaxLength = 200;

    public static string Tenant(Guid tenant) => $"tenant:{tenant}";

    /// <summary>What happens to operators' keys: the stream of no tenant.</summary>
    public const string System = "tenant:system";

    public static string User(Guid user) => $"user:{user}";

    public static string Persona(Guid persona) => $"persona:{persona}";

    public static string UserPersona(Guid userPersona) => $"user-persona:{userPersona}";

    public static string Personality(Guid personality) => $"personality:{personality}";

    /// <summary>System prompts, LLM configs and focus modes of a tenant; of the system where there is none.</summary>
    public static string Catalogue(Guid? tenant) => tenant is { } id ? $"catalogue:{id}" : "catalogue:system";

    public static string Session(Guid session) => $"session:{session}";

    public static string Companion(Guid person) => $"companion:{person}";

    public static string Mindscape(Guid person) => $"mindscape:{person}";

    /// <summary>What becomes of a mapper and its weights.</summary>
    public static string Mapper(Guid mapper) => $"mapper:{mapper}";

    /// <summary>What is said in a channel, and who is there.</summary>
    public static string Channel(string channel) => $"channel:{channel}";

    public static string Job(Guid job) => $"job:{job}";

    /// <summary>Derived and stored nowhere: its cursor is the prompt's version.</summary>
    public static string Prompt(Guid user, Guid personality) => $"prompt:{user}:{personality}";
}
