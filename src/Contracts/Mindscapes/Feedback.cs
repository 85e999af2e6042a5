namespace PersonaActors.Contracts.Mindscapes;

[GenerateSerializer, Immutable, Alias("new-feedback")]
public sealed record NewFeedback(
    [property: Id(0)] Guid PersonaId,
    [property: Id(1)] int? Rating,
    [property: Id(2)] bool? Helpful,
    [property: Id(3)] JsonText Context,
    [property: Id(4)] string? RuleId,
    [property: Id(5)] string? ClientId);

[GenerateSerializer, Immutable, Alias("feedback-view")]
public sealed record FeedbackView(
    [property: Id(0)] Guid Id,
    [property: Id(1)] Guid PersonId,
    [property: Id(2)] Guid PersonaId,
    [property: Id(3)] int? Rating,
    [property: Id(4)] bool? Helpful,
    [property: Id(5)] JsonText Context,
    [property: Id(6)] string? RuleId,
    [property: Id(7)] int MapperVersion,
    [property: Id(8)] DateTimeOffset CreatedAt);

/// <summary>A rule's weight that moved because of one person's feedback.</summary>
[GenerateSerializer, Immutable, Alias("rule-adjustment")]
public sealed record RuleAdjustment(
    [property: Id(0)] Guid Feedback,
    [property: Id(1)] Guid Person,
    [property: Id(2)] string Mapper,
    [property: Id(3)] string Rule,
    [property: Id(4)] double Before,
    [property: Id(5)] double After,
    [property: Id(6)] string Reason);
