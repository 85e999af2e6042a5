namespace PersonaActors.Contracts.Prompts;

public enum PromptFormat
{
    /// <summary>Our own, with the reason for every field.</summary>
    Native,

    /// <summary>A ready chat-completions body.</summary>
    Openai,

    /// <summary>A ready messages body.</summary>
    Anthropic,

    /// <summary>Plain text.</summary>
    Text,
}

public enum PromptSpeaker
{
    Personality,
    UserPersona,
}

/// <summary>What a prompt is asked for. Compared by value: a request without message and variables is the key of a ready answer.</summary>
[GenerateSerializer, Immutable, Alias("prompt-request")]
public sealed record PromptRequest(
    [property: Id(0)] PromptSpeaker Speaker,
    [property: Id(1)] Guid SpeakerId,
    [property: Id(2)] string? Channel = null,
    [property: Id(3)] string? FocusMode = null,
    [property: Id(4)] PromptFormat Format = PromptFormat.Native,
    [property: Id(5)] bool Explain = false,
    [property: Id(6)] string? Mapper = null);

/// <summary>What a POST adds: it makes an answer one of a kind.</summary>
[GenerateSerializer, Immutable, Alias("prompt-occasion")]
public sealed record PromptOccasion(
    [property: Id(0)] string? Message,
    [property: Id(1)] Dictionary<string, string>? Variables);

/// <summary>A resolved prompt, ready to be sent.</summary>
/// <param name="Body">UTF-8. Null if the caller already has this version.</param>
/// <param name="IsRepeatable">It has no part of this request or this moment in it, so it has an ETag.</param>
[GenerateSerializer, Immutable, Alias("prompt-answer")]
public sealed record PromptAnswer(
    [property: Id(0)] ReadOnlyMemory<byte>? Body,
    [property: Id(1)] string Version,
    [property: Id(2)] bool IsRepeatable);
