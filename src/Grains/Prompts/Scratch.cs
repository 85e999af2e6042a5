using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// What prompts and their JSON are written with.
/// </summary>
internal static class Scratch
{
    /// <summary>A room that one huge prompt has stretched isn't kept.</summary>
    private const int MostKept = 256 * 1024;

    [ThreadStatic]
    private static PromptWriter? _prompt;

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>One a thread, for synchronous work that doesn't nest: what is written is copied out once.</summary>
    public static PromptWriter Prompt()
    {
        if (_prompt is null || _prompt.Capacity > MostKept)
        {
            _prompt = new PromptWriter(16384);
        }

        _prompt.Clear();
        return _prompt;
    }

    public static Utf8JsonWriter Json(IBufferWriter<byte> output) => new(output, Writing);

    /// <summary>For what is kept.</summary>
    public static byte[] ToJson(Action<Utf8JsonWriter> write)
    {
        var output = new ArrayBufferWriter<byte>(512);
        using var json = Json(output);
        write(json);
        json.Flush();
        return output.WrittenSpan.ToArray();
    }
}
