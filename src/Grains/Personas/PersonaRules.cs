using PersonaActors.Contracts.Personas;

namespace PersonaActors.Grains.Personas;

/// <summary>What a persona may look like. Pure; each violation names its field. Only what differs from the known one is checked: what was imported longer is kept.</summary>
public static class PersonaRules
{
    public const int MaxName = 255;
    public const int MaxContent = 4000;
    public const int MaxPreferredName = 255;
    public const int MaxPronouns = 100;
    public const int MaxDescription = 500;

    public static Refusal? Check(PersonaView next, PersonaView? known = null) =>
        (next.Name == known?.Name ? null : CheckName(next.Name))
        ?? Text.CheckChanged("content", next.Content, known?.Content, MaxContent)
        ?? Text.CheckChanged("preferredName", next.PreferredName, known?.PreferredName, MaxPreferredName)
        ?? Text.CheckChanged("pronouns", next.Pronouns, known?.Pronouns, MaxPronouns)
        ?? Text.CheckChanged("description", next.Description, known?.Description, MaxDescription);

    public static Refusal? CheckName(string? name) =>
        Text.CheckRequired("name", name, MaxName)
        ?? (name is { Length: >= 17 and <= 20 } && name.All(char.IsAsciiDigit)
            ? Refusal.Invalid("name", $"'{name}' looks like a Discord id; a name is what people call you.")
            : null);
}
