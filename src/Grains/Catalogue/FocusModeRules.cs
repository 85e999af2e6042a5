using System.Text.Json;
using PersonaActors.Contracts.Catalogue;

namespace PersonaActors.Grains.Catalogue;

/// <summary>What a focus mode may look like, and the names that are taken by the system's.</summary>
public static class FocusModeRules
{
    public const int MaxModeName = 100;
    public const int MaxDisplayName = 200;
    public const int MaxDescription = 500;
    public const int MaxIcon = 50;
    public const int MaxSystemPrompt = 64 * 1024;
    public const int MaxDefaultModel = 100;
    public const int MaxSettings = 16 * 1024;

    public static Refusal? Check(FocusModeView next, FocusModeView? known = null) =>
        (next.ModeName == known?.ModeName ? null : Text.CheckRequired("modeName", next.ModeName, MaxModeName))
        ?? (next.DisplayName == known?.DisplayName ? null : Text.CheckRequired("displayName", next.DisplayName, MaxDisplayName))
        ?? Text.CheckChanged("description", next.Description, known?.Description, MaxDescription)
        ?? Text.CheckChanged("icon", next.Icon, known?.Icon, MaxIcon)
        ?? (next.SystemPrompt == known?.SystemPrompt ? null : Text.CheckRequired("systemPrompt", next.SystemPrompt, MaxSystemPrompt))
        ?? (next.DefaultModel is null || next.DefaultModel == known?.DefaultModel ? null : Text.CheckRequired("defaultModel", next.DefaultModel, MaxDefaultModel))
        ?? Text.CheckJson("settings", next.Settings, known?.Settings, JsonValueKind.Object, MaxSettings);

    /// <summary>A tenant's mode may not take a system mode's name, active or not.</summary>
    public static Refusal? CheckNotTaken(string modeName, IEnumerable<FocusModeView> systemModes) =>
        systemModes.Any(mode => mode.ModeName == modeName)
            ? Refusal.Conflict("focus_mode_exists", $"'{modeName}' is a system mode; choose another name.", "modeName")
            : null;
}
