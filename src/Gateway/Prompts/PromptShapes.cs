using System.Text.Json.Nodes;
using PersonaActors.Gateway.Documents;

namespace PersonaActors.Gateway.Prompts;

/// <summary>What a prompt looks like in the document. Nothing is made of these: the desk writes the bytes.</summary>
[AnyOf(typeof(NativePrompt), typeof(OpenaiPrompt), typeof(AnthropicPrompt))]
public sealed record AnyPrompt;

public sealed record PromptMessageShape(string Role, string Content);

public sealed record PromptPersonaShape(Guid Id, string Name, string? PreferredName, string? Pronouns, long Version);

/// <summary>Who speaks: a personality or a user persona, as it is named and shown.</summary>
[HasMore]
public sealed record PromptSpeakerShape(Guid Id, string Name, long Version);

public sealed record PromptFocusModeShape(Guid Id, string ModeName, string DisplayName, JsonText Settings, long Version);

/// <param name="Llm">The parameters, by name.</param>
/// <param name="Sources">Of each field the tier that it came from.</param>
public sealed record NativePrompt(
    string SystemPrompt, IReadOnlyList<PromptMessageShape> Messages, JsonObject Llm, PromptPersonaShape Persona, PromptSpeakerShape? Personality,
    PromptSpeakerShape? UserPersona, JsonText? Style, PromptFocusModeShape? FocusMode, JsonObject Settings, JsonObject Sources, string Version, JsonObject? Explain);

/// <summary>The body of a chat-completions request.</summary>
[HasMore]
public sealed record OpenaiPrompt(IReadOnlyList<PromptMessageShape> Messages, string? Model);

/// <summary>The body of a messages request.</summary>
[HasMore]
public sealed record AnthropicPrompt(JsonText System, IReadOnlyList<PromptMessageShape> Messages, string? Model);

/// <summary>Of each pair its prompt, or why there is none.</summary>
public sealed record PromptBatchAnswer(IReadOnlyList<PromptBatchItem> Items);

public sealed record PromptBatchItem(string? User, string? Personality, Guid? UserPersona, PromptBatchProblem? Problem, string? Version, JsonText? Prompt);

public sealed record PromptBatchProblem(int Status, string Code, string Detail, string? Field);
