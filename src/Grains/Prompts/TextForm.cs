using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;

namespace PersonaActors.Grains.Prompts;

/// <summary>The form in which a prompt's text stands in its answer.</summary>
public enum TextForm
{
    Plain,

    /// <summary>Inside a JSON string.</summary>
    Json,
}

/// <summary>Text on its way into an answer, as UTF-8 of the answer's form.</summary>
internal static class TextWriting
{
    private static readonly JavaScriptEncoder Escapes = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static void Write(this PromptWriter output, TextForm form, ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return;
        }

        var room = output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, room);
        var escapeFrom = form == TextForm.Json ? Escapes.FindFirstCharacterToEncodeUtf8(room[..length]) : -1;
        if (escapeFrom < 0)
        {
            output.Advance(length);
            return;
        }

        var rest = ArrayPool<byte>.Shared.Rent(length - escapeFrom);
        var escaped = rest.AsSpan(0, length - escapeFrom);
        room[escapeFrom..length].CopyTo(escaped);
        output.Advance(escapeFrom);
        Escape(output, escaped);
        ArrayPool<byte>.Shared.Return(rest);
    }

    private static void Escape(PromptWriter output, ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            Escapes.EncodeUtf8(text, output.GetSpan(text.Length + Escapes.MaxOutputCharactersPerInputCharacter), out var read, out var written);
            output.Advance(written);
            text = text[read..];
        }
    }
}

/// <summary>A stretch of text that many prompts share, in either form ready to be copied.</summary>
public sealed class Piece(string text)
{
    private byte[]? _plain;
    private byte[]? _json;

    public string Text => text;

    /// <summary>It could make a tag together with what stands around it.</summary>
    public bool HasBracket { get; } = ProtectedTags.HasBracket(text);

    /// <summary>Nobody changes it.</summary>
    internal byte[] In(TextForm form) => form == TextForm.Json ? _json ??= Encode(form) : _plain ??= Encode(form);

    private byte[] Encode(TextForm form)
    {
        var bytes = new PromptWriter(text.Length + 16);
        bytes.Write(form, text);
        return bytes.Written.ToArray();
    }
}
