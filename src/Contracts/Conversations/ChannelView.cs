using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Contracts.Conversations;

/// <summary>A channel as GET answers it.</summary>
/// <param name="LastNumber">Of the newest message.</param>
/// <param name="Version">Of the channel itself: messages don't move it.</param>
[GenerateSerializer, Immutable, Alias("channel-view")]
public sealed record ChannelView(
    [property: Id(0)] string Id,
    [property: Id(1)] SettingsTier Settings,
    [property: Id(2)] long LastNumber,
    [property: Id(3)] long Version,
    [property: Id(4)] DateTimeOffset CreatedAt,
    [property: Id(5)] DateTimeOffset UpdatedAt);

/// <summary>Somebody who reads and writes in a channel.</summary>
[GenerateSerializer, Immutable, Alias("channel-member")]
public sealed record ChannelMember([property: Id(0)] Guid UserId, [property: Id(1)] DateTimeOffset AddedAt);

/// <summary>A personality that answers in a channel.</summary>
/// <param name="Place">Its place in the order in which they answer.</param>
/// <param name="AutoRespond">It answers without being addressed.</param>
/// <param name="ActivatedBy">For whom it was activated; it is skipped when that user may no longer use it.</param>
[GenerateSerializer, Immutable, Alias("activation-view")]
public sealed record ActivationView(
    [property: Id(0)] Guid PersonalityId,
    [property: Id(1)] int Place,
    [property: Id(2)] bool AutoRespond,
    [property: Id(3)] Guid? ActivatedBy,
    [property: Id(4)] DateTimeOffset ActivatedAt);

/// <summary>Those that answer in a channel now.</summary>
[GenerateSerializer, Immutable, Alias("active-list")]
public sealed record ActiveList([property: Id(0)] Items<ActivationView> Items);

/// <summary>What a channel brings to prompts and to who reads its newest messages, as of one version.</summary>
/// <param name="Window">The newest messages, oldest first.</param>
[GenerateSerializer, Immutable, Alias("channel-side")]
public sealed record ChannelSide(
    [property: Id(0)] SettingsTier Settings,
    [property: Id(1)] Items<MessageView> Window,
    [property: Id(3)] Items<Guid> Members);
