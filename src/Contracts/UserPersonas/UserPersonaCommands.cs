namespace PersonaActors.Contracts.UserPersonas;

[GenerateSerializer, Immutable, Alias("user-persona-draft")]
public sealed record UserPersonaDraft(
    [property: Id(0)] string? Name,
    [property: Id(1)] string? DisplayName,
    [property: Id(2)] string? AvatarUrl,
    [property: Id(3)] string? SystemPrompt,
    [property: Id(4)] string? VoiceId,
    [property: Id(5)] Items<string>? Traits,
    [property: Id(6)] Items<string>? Domains,
    [property: Id(7)] JsonText? Style,
    [property: Id(8)] bool? IsPublic)
{
    public UserPersonaView ToView(Guid id, Guid owner, DateTimeOffset at) => new(
        id, owner, Name ?? "", DisplayName, AvatarUrl, SystemPrompt ?? "", VoiceId, Traits ?? [], Domains ?? [], Style ?? JsonText.EmptyObject,
        IsPublic ?? false, 0, 1, at, at);
}

[GenerateSerializer, Immutable, Alias("user-persona-change")]
public sealed record UserPersonaChange(
    [property: Id(0)] Patch<string> Name,
    [property: Id(1)] Patch<string> DisplayName,
    [property: Id(2)] Patch<string> AvatarUrl,
    [property: Id(3)] Patch<string> SystemPrompt,
    [property: Id(4)] Patch<string> VoiceId,
    [property: Id(5)] Patch<Items<string>> Traits,
    [property: Id(6)] Patch<Items<string>> Domains,
    [property: Id(7)] Patch<JsonText> Style,
    [property: Id(8)] Patch<bool?> IsPublic)
{
    public UserPersonaView Over(UserPersonaView known) => known with
    {
        Name = Name.Over(known.Name) ?? "",
        DisplayName = DisplayName.Over(known.DisplayName),
        AvatarUrl = AvatarUrl.Over(known.AvatarUrl),
        SystemPrompt = SystemPrompt.Over(known.SystemPrompt) ?? "",
        VoiceId = VoiceId.Over(known.VoiceId),
        Traits = Traits.Over(known.Traits) ?? [],
        Domains = Domains.Over(known.Domains) ?? [],
        Style = Style.Over(known.Style) ?? JsonText.EmptyObject,
        IsPublic = IsPublic.Over(known.IsPublic) ?? false,
    };
}

/// <summary>That somebody used a user persona: where, and what it cost, as far as the caller says.</summary>
[GenerateSerializer, Immutable, Alias("user-persona-use")]
public sealed record UserPersonaUse([property: Id(0)] string? Channel, [property: Id(1)] int? Tokens);

/// <summary>A use as it was logged, and the count that it made.</summary>
[GenerateSerializer, Immutable, Alias("user-persona-usage")]
public sealed record UserPersonaUsage(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid PersonaId,
    [property: Id(2)] Guid UserId,
    [property: Id(3)] string? Channel,
    [property: Id(4)] int? Tokens,
    [property: Id(5)] DateTimeOffset At,
    [property: Id(6)] long UsageCount);

/// <summary>How much a user persona was used, by everybody.</summary>
public sealed record UserPersonaStats(long Uses, long Tokens, DateTimeOffset? FirstUsedAt, DateTimeOffset? LastUsedAt);
