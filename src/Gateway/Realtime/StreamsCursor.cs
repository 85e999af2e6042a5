using System.Globalization;

namespace PersonaActors.Gateway.Realtime;

/// <summary>
/// Where several streams stand, as one text: what one of them is at between each two '~', <c>{epoch}:{seq}</c>, in the order in
/// which they were named; an epoch that is the one before it is left out. Of a single stream it is the cursor that its events have.
/// </summary>
public sealed class StreamsCursor
{
    private const char Between = '~';

    private readonly (string Epoch, long Seq)?[] _at;

    private StreamsCursor((string Epoch, long Seq)?[] at) => _at = at;

    public int Count => _at.Length;

    /// <summary>Nothing where the stream begins now.</summary>
    public (string Epoch, long Seq)? this[int stream]
    {
        get => _at[stream];
        set => _at[stream] = value;
    }

    /// <returns>Nothing if it is no cursor of that many streams. No text is one too: all begin now.</returns>
    public static StreamsCursor? Parse(string? text, int streams)
    {
        var at = new (string Epoch, long Seq)?[streams];
        if (string.IsNullOrEmpty(text))
        {
            return new StreamsCursor(at);
        }

        var parts = text.Split(Between);
        if (parts.Length != streams)
        {
            return null;
        }

        string? before = null;
        for (var i = 0; i < streams; i++)
        {
            var colon = parts[i].LastIndexOf(':');
            if (parts[i].Length == 0 && streams > 1)
            {
                continue;
            }

            if (colon < 0 || !long.TryParse(parts[i].AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
                || (colon > 0 ? parts[i][..colon] : before) is not { } epoch)
            {
                return null;
            }

            at[i] = (before = epoch, seq);
        }

        return new StreamsCursor(at);
    }

    public override string ToString()
    {
        var parts = new string[_at.Length];
        string? before = null;
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = _at[i] is not var (epoch, seq) ? "" : epoch == before ? $":{seq}" : $"{before = epoch}:{seq}";
        }

        return string.Join(Between, parts);
    }
}
