using System.Text.Json;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Conversations;

/// <summary>A message with the forms in which it is read, each made once for all who read this version of the channel.</summary>
public sealed class Said(MessageView message)
{
    private PromptMessage? _asSaid;
    private PromptMessage? _asOthers;
    private byte[]? _json;

    public MessageView Message => message;

    /// <summary>As reads over HTTP have it.</summary>
    internal byte[] Json => _json ??= JsonSerializer.SerializeToUtf8Bytes(message, Wire.Json);

    /// <summary>
    /// As a prompt's format takes it. What somebody else than the prompt's user said has their name before it. Anthropic knows no
    /// system in between: what it said is said as if by a user.
    /// </summary>
    public PromptMessage As(Guid user, PromptFormat format) => message.Role switch
    {
        MessageRole.Assistant => _asSaid ??= new PromptMessage("assistant", message.Content),
        MessageRole.System when format == PromptFormat.Anthropic => _asOthers ??= new PromptMessage("user", $"System: {message.Content}"),
        MessageRole.System => _asSaid ??= new PromptMessage("system", message.Content),
        _ when message.UserId == user || message.Speaker is null => _asSaid ??= new PromptMessage("user", message.Content),
        _ => _asOthers ??= new PromptMessage("user", $"{message.Speaker.ReplaceLineEndings(" ")}: {message.Content}"),
    };
}
