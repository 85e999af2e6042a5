using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Contracts.Personalities;

/// <summary>Types of events on a personality's stream.</summary>
public static class PersonalityEvents
{
    public const string Created = "personality.created";
    public const string Updated = "personality.updated";

    /// <summary>As updated, of who may see it: some may have lost it.</summary>
    public const string AccessChanged = "personality.access-changed";

    public const string Deleted = "personality.deleted";
}

[GenerateSerializer, Immutable, Alias("personality-draft")]
public sealed record PersonalityDraft(
    [property: Id(0)] string? Name,
    [property: Id(1)] string? Slug,
    [property: Id(2)] string? DisplayName,
    [property: Id(3)] string? AvatarUrl,
    [property: Id(4)] Guid? SystemPromptId,
    [property: Id(5)] string? CharacterInfo,
    [property: Id(6)] string? PersonalityTraits,
    [property: Id(7)] string? Tone,
    [property: Id(8)] string? Age,
    [property: Id(9)] string? Appearance,
    [property: Id(10)] string? Likes,
    [property: Id(11)] string? Dislikes,
    [property: Id(12)] string? ConversationalGoals,
    [property: Id(13)] string? ConversationalExamples,
    [property: Id(14)] string? ErrorMessage,
    [property: Id(15)] JsonText? CustomFields,
    [property: Id(16)] Items<string>? Tags,
    [property: Id(17)] bool? VoiceEnabled,
    [property: Id(18)] JsonText? VoiceSettings,
    [property: Id(19)] bool? ImageEnabled,
    [property: Id(20)] JsonText? ImageSettings,
    [property: Id(21)] bool? MemoryEnabled,
    [property: Id(22)] int? ContextWindowSize,
    [property: Id(23)] bool? IsPublic,
    [property: Id(24)] bool? DefinitionPublic)
{
    /// <param name="slug">The one to have if the draft names none.</param>
    public PersonalityView ToView(Guid id, string slug, int contextWindow, Items<PersonalityOwner> owners, DateTimeOffset at) => new(
        id, Name ?? "", Slug ?? slug, DisplayName ?? Name ?? "", AvatarUrl, SystemPromptId, null, CharacterInfo, PersonalityTraits, Tone, Age, Appearance,
        Likes, Dislikes, ConversationalGoals, ConversationalExamples, ErrorMessage, CustomFields, Tags ?? [], [], VoiceEnabled ?? false, VoiceSettings,
        ImageEnabled ?? false, ImageSettings, MemoryEnabled ?? true, ContextWindowSize ?? contextWindow, SettingsTier.Empty, IsPublic ?? false,
        DefinitionPublic ?? false, owners, 1, at, at);

    /// <summary>A personality that is there, as this has it where it says something; its slug and who may see it are its own.</summary>
    public PersonalityView Over(PersonalityView known) => known with
    {
        Name = Name ?? known.Name,
        DisplayName = DisplayName ?? Name ?? known.DisplayName,
        AvatarUrl = AvatarUrl ?? known.AvatarUrl,
        SystemPromptId = SystemPromptId ?? known.SystemPromptId,
        CharacterInfo = CharacterInfo ?? known.CharacterInfo,
        PersonalityTraits = PersonalityTraits ?? known.PersonalityTraits,
        Tone = Tone ?? known.Tone,
        Age = Age ?? known.Age,
        Appearance = Appearance ?? known.Appearance,
        Likes = Likes ?? known.Likes,
        Dislikes = Dislikes ?? known.Dislikes,
        ConversationalGoals = ConversationalGoals ?? known.ConversationalGoals,
        ConversationalExamples = ConversationalExamples ?? known.ConversationalExamples,
        ErrorMessage = ErrorMessage ?? known.ErrorMessage,
        CustomFields = CustomFields ?? known.CustomFields,
        Tags = Tags ?? known.Tags,
        MemoryEnabled = MemoryEnabled ?? known.MemoryEnabled,
        ContextWindowSize = ContextWindowSize ?? known.ContextWindowSize,
    };
}

[GenerateSerializer, Immutable, Alias("personality-change")]
public sealed record PersonalityChange(
    [property: Id(0)] Patch<string> Name,
    [property: Id(1)] Patch<string> Slug,
    [property: Id(2)] Patch<string> DisplayName,
    [property: Id(3)] Patch<string> AvatarUrl,
    [property: Id(4)] Patch<Guid?> SystemPromptId,
    [property: Id(5)] Patch<string> CharacterInfo,
    [property: Id(6)] Patch<string> PersonalityTraits,
    [property: Id(7)] Patch<string> Tone,
    [property: Id(8)] Patch<string> Age,
    [property: Id(9)] Patch<string> Appearance,
    [property: Id(10)] Patch<string> Likes,
    [property: Id(11)] Patch<string> Dislikes,
    [property: Id(12)] Patch<string> ConversationalGoals,
    [property: Id(13)] Patch<string> ConversationalExamples,
    [property: Id(14)] Patch<string> ErrorMessage,
    [property: Id(15)] Patch<JsonText> CustomFields,
    [property: Id(16)] Patch<Items<string>> Tags,
    [property: Id(17)] Patch<bool?> VoiceEnabled,
    [property: Id(18)] Patch<JsonText> VoiceSettings,
    [property: Id(19)] Patch<bool?> ImageEnabled,
    [property: Id(20)] Patch<JsonText> ImageSettings,
    [property: Id(21)] Patch<bool?> MemoryEnabled,
    [property: Id(22)] Patch<int?> ContextWindowSize,
    [property: Id(23)] Patch<bool?> IsPublic,
    [property: Id(24)] Patch<bool?> DefinitionPublic)
{
    public PersonalityView Over(PersonalityView known, int contextWindow)
    {
        var name = Name.Over(known.Name) ?? "";
        return known with
        {
            Name = name,
            Slug = Slug.Over(known.Slug) ?? "",
            DisplayName = DisplayName.Over(known.DisplayName) ?? name,
            AvatarUrl = AvatarUrl.Over(known.AvatarUrl),
            SystemPromptId = SystemPromptId.Over(known.SystemPromptId),
            CharacterInfo = CharacterInfo.Over(known.CharacterInfo),
            PersonalityTraits = PersonalityTraits.Over(known.PersonalityTraits),
            Tone = Tone.Over(known.Tone),
            Age = Age.Over(known.Age),
            Appearance = Appearance.Over(known.Appearance),
            Likes = Likes.Over(known.Likes),
            Dislikes = Dislikes.Over(known.Dislikes),
            ConversationalGoals = ConversationalGoals.Over(known.ConversationalGoals),
            ConversationalExamples = ConversationalExamples.Over(known.ConversationalExamples),
            ErrorMessage = ErrorMessage.Over(known.ErrorMessage),
            CustomFields = CustomFields.Over(known.CustomFields),
            Tags = Tags.Over(known.Tags) ?? [],
            VoiceEnabled = VoiceEnabled.Over(known.VoiceEnabled) ?? false,
            VoiceSettings = VoiceSettings.Over(known.VoiceSettings),
            ImageEnabled = ImageEnabled.Over(known.ImageEnabled) ?? false,
            ImageSettings = ImageSettings.Over(known.ImageSettings),
            MemoryEnabled = MemoryEnabled.Over(known.MemoryEnabled) ?? true,
            ContextWindowSize = ContextWindowSize.Over(known.ContextWindowSize) ?? contextWindow,
            IsPublic = IsPublic.Over(known.IsPublic) ?? false,
            DefinitionPublic = DefinitionPublic.Over(known.DefinitionPublic) ?? false,
        };
    }
}
