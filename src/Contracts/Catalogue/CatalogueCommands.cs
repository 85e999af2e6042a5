namespace PersonaActors.Contracts.Catalogue;

[GenerateSerializer, Immutable, Alias("system-prompt-draft")]
public sealed record SystemPromptDraft(
    [property: Id(0)] string? Name,
    [property: Id(1)] string? Description,
    [property: Id(2)] string? Content,
    [property: Id(3)] bool? IsDefault)
{
    public SystemPromptView ToView(Guid id, DateTimeOffset at) => new(id, Name ?? "", Description, Content ?? "", IsDefault ?? false, 1, at, at);
}

[GenerateSerializer, Immutable, Alias("system-prompt-change")]
public sealed record SystemPromptChange(
    [property: Id(0)] Patch<string> Name,
    [property: Id(1)] Patch<string> Description,
    [property: Id(2)] Patch<string> Content,
    [property: Id(3)] Patch<bool?> IsDefault)
{
    public SystemPromptView Over(SystemPromptView known) => known with
    {
        Name = Name.Over(known.Name) ?? "",
        Description = Description.Over(known.Description),
        Content = Content.Over(known.Content) ?? "",
        IsDefault = IsDefault.Over(known.IsDefault) ?? false,
    };
}

[GenerateSerializer, Immutable, Alias("focus-mode-draft")]
public sealed record FocusModeDraft(
    [property: Id(0)] string? ModeName,
    [property: Id(1)] string? DisplayName,
    [property: Id(2)] string? Description,
    [property: Id(3)] string? Icon,
    [property: Id(4)] string? SystemPrompt,
    [property: Id(5)] string? DefaultModel,
    [property: Id(6)] JsonText? Settings,
    [property: Id(7)] bool? IsActive,
    [property: Id(8)] bool? IsSystem)
{
    public FocusModeView ToView(Guid id, bool isSystem, DateTimeOffset at) => new(
        id, ModeName ?? "", DisplayName ?? ModeName ?? "", Description, Icon, SystemPrompt ?? "", DefaultModel, Settings ?? JsonText.EmptyObject,
        isSystem, IsActive ?? true, 1, at, at);
}

[GenerateSerializer, Immutable, Alias("focus-mode-change")]
public sealed record FocusModeChange(
    [property: Id(0)] Patch<string> ModeName,
    [property: Id(1)] Patch<string> DisplayName,
    [property: Id(2)] Patch<string> Description,
    [property: Id(3)] Patch<string> Icon,
    [property: Id(4)] Patch<string> SystemPrompt,
    [property: Id(5)] Patch<string> DefaultModel,
    [property: Id(6)] Patch<JsonText> Settings,
    [property: Id(7)] Patch<bool?> IsActive)
{
    public FocusModeView Over(FocusModeView known)
    {
        var modeName = ModeName.Over(known.ModeName) ?? "";
        return known with
        {
            ModeName = modeName,
            DisplayName = DisplayName.Over(known.DisplayName) ?? modeName,
            Description = Description.Over(known.Description),
            Icon = Icon.Over(known.Icon),
            SystemPrompt = SystemPrompt.Over(known.SystemPrompt) ?? "",
            DefaultModel = DefaultModel.Over(known.DefaultModel),
            Settings = Settings.Over(known.Settings) ?? JsonText.EmptyObject,
            IsActive = IsActive.Over(known.IsActive) ?? true,
        };
    }
}
