using PersonaActors.Grains.Texts;

namespace PersonaActors.Grains.Conversations;

/// <summary>One message of the conversation, as every format carries it.</summary>
public sealed class PromptMessage(string role, string content)
{
    private byte[]? _utf8;

    public string Role => role;

    public string Content => content;

    /// <summary>The content as it stands inside a JSON string. What is said once is answered in many prompts.</summary>
    internal byte[] Utf8 => _utf8 ??= Piece.Encode(content);
}
