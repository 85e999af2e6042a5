using PersonaActors.Contracts.Catalogue;

namespace PersonaActors.Grains.Catalogue;

/// <summary>What a system prompt may look like.</summary>
public static class SystemPromptRules
{
    public const int MaxName = 255;
    public const int MaxDescription = 500;
    public const int MaxContent = 64 * 1024;

    public static Refusal? Check(SystemPromptView next, SystemPromptView? known = null) =>
        (next.Name == known?.Name ? null : Text.CheckRequired("name", next.Name, MaxName))
        ?? Text.CheckChanged("description", next.Description, known?.Description, MaxDescription)
        ?? (next.Content == known?.Content ? null : Text.CheckRequired("content", next.Content, MaxContent));
}
