using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Contracts.Personalities;

/// <summary>In rising order: who may do something may do all that the lesser roles may.</summary>
public enum PersonalityRole
{
    /// <summary>May use it while it is private.</summary>
    Viewer,

    /// <summary>May change it.</summary>
    Editor,

    /// <summary>May also share, delete and hand it over.</summary>
    Owner,
}

[GenerateSerializer, Immutable, Alias("personality-owner")]
public sealed record PersonalityOwner([property: Id(0)] Guid UserId, [property: Id(1)] PersonalityRole Role);

/// <summary>Another name for a personality: of one user, or of the whole tenant.</summary>
[GenerateSerializer, Immutable, Alias("personality-alias")]
public sealed record PersonalityAlias([property: Id(0)] string Alias, [property: Id(1)] Guid? UserId);

/// <summary>An AI character, whole. Who may not see its inside gets <see cref="WithoutDefinition"/>.</summary>
[GenerateSerializer, Immutable, Alias("personality-view")]
public sealed record PersonalityView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] string Name,
    [property: Id(2)] string Slug,
    [property: Id(3)] string DisplayName,
    [property: Id(4)] string? AvatarUrl,
    [property: Id(5)] Guid? SystemPromptId,
    [property: Id(6)] Guid? DefaultLlmConfigId,
    [property: Id(7)] string? CharacterInfo,
    [property: Id(8)] string? PersonalityTraits,
    [property: Id(9)] string? Tone,
    [property: Id(10)] string? Age,
    [property: Id(11)] string? Appearance,
    [property: Id(12)] string? Likes,
    [property: Id(13)] string? Dislikes,
    [property: Id(14)] string? ConversationalGoals,
    [property: Id(15)] string? ConversationalExamples,
    [property: Id(16)] string? ErrorMessage,
    [property: Id(17)] JsonText? CustomFields,
    [property: Id(18)] Items<string> Tags,
    [property: Id(19)] Items<PersonalityAlias> Aliases,
    [property: Id(20)] bool VoiceEnabled,
    [property: Id(21)] JsonText? VoiceSettings,
    [property: Id(22)] bool ImageEnabled,
    [property: Id(23)] JsonText? ImageSettings,
    [property: Id(24)] bool MemoryEnabled,
    [property: Id(25)] int ContextWindowSize,
    [property: Id(26)] SettingsTier Settings,
    [property: Id(27)] bool IsPublic,
    [property: Id(28)] bool DefinitionPublic,
    [property: Id(29)] Items<PersonalityOwner> Owners,
    [property: Id(30)] long Version,
    [property: Id(31)] DateTimeOffset CreatedAt,
    [property: Id(32)] DateTimeOffset UpdatedAt)
{
    /// <summary>The end of the epoch of a cursor that came with the card: what follows is told without the inside.</summary>
    public const string CardMark = "-card";

    /// <summary>What the card leaves out, as JSON names it.</summary>
    public static readonly IReadOnlyList<string> Inside =
    [
        "systemPromptId", "defaultLlmConfigId", "characterInfo", "personalityTraits", "tone", "age", "appearance", "likes", "dislikes",
        "conversationalGoals", "conversationalExamples", "errorMessage", "customFields", "voiceSettings", "imageSettings", "settings", "owners",
    ];

    public PersonalityRole? RoleOf(Guid? user)
    {
        for (var i = 0; user is not null && i < Owners.Count; i++)
        {
            if (Owners[i].UserId == user)
            {
                return Owners[i].Role;
            }
        }

        return null;
    }

    public bool MayUse(Actor actor) => IsPublic || actor.IsAdmin || RoleOf(actor.User) is not null;

    public bool MaySeeDefinition(Actor actor) => DefinitionPublic || actor.IsAdmin || RoleOf(actor.User) is not null;

    /// <summary>The card without its inside.</summary>
    public PersonalityView WithoutDefinition() => this with
    {
        SystemPromptId = null,
        DefaultLlmConfigId = null,
        CharacterInfo = null,
        PersonalityTraits = null,
        Tone = null,
        Age = null,
        Appearance = null,
        Likes = null,
        Dislikes = null,
        ConversationalGoals = null,
        ConversationalExamples = null,
        ErrorMessage = null,
        CustomFields = null,
        VoiceSettings = null,
        ImageSettings = null,
        Settings = SettingsTier.Empty,
        Owners = [],
    };
}
