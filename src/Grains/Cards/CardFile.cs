using System.Text;
using PersonaActors.Contracts.Personalities;

namespace PersonaActors.Grains.Cards;

/// <summary>Cards as files: JSON, inside a picture, or in an archive. What a file is, its first bytes say.</summary>
public static class CardFile
{
    /// <summary>Of a card with its picture or archive.</summary>
    public const int MaxSize = 32 * 1024 * 1024;

    private const string Third = "ccv3";
    private const string Second = "chara";

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static (Card? Card, ImportedCard? Imported, Refusal? Refusal) Read(byte[] file)
    {
        if (PngChunks.IsPng(file))
        {
            if (PngChunks.Read(file, out var why) is not { } picture)
            {
                return (null, null, CardRefusals.BrokenPng(why));
            }

            return FromBase64(picture.Text(Third) ?? picture.Text(Second)) is { } json
                ? Parse(json, CardFormat.Png, picture.Without(Third, Second).ToBytes())
                : (null, null, CardRefusals.NotInPng);
        }

        if (CharxFile.IsZip(file))
        {
            var (json, refusal) = CharxFile.Read(file);
            return json is null ? (null, null, refusal) : Parse(json, CardFormat.Charx, file);
        }

        return Parse(file, CardFormat.Json, null);
    }

    public static byte[] Write(Card card, ImportedCard? imported, CardFormat format) => format switch
    {
        CardFormat.Json => Strict.GetBytes(card.Json.Json),
        CardFormat.Charx => CharxFile.Write(imported?.Format == CardFormat.Charx ? imported.File : null, Strict.GetBytes(card.As(third: true).Json.Json)),
        _ => Picture(card, imported).ToBytes(),
    };

    private static PngChunks Picture(Card card, ImportedCard? imported)
    {
        var picture = (imported?.Format == CardFormat.Png ? PngChunks.Read(imported.File, out _) : null) ?? PngChunks.Plain(400, 600, 0x80);
        return card.IsThird
            // Who doesn't know the third version reads the second.
            ? picture.With(Second, ToBase64(card.As(third: false))).With(Third, ToBase64(card))
            : picture.With(Second, ToBase64(card));
    }

    private static string ToBase64(Card card) => Convert.ToBase64String(Strict.GetBytes(card.Json.Json));

    private static byte[]? FromBase64(string? text)
    {
        if (text is null)
        {
            return null;
        }

        text = text.Trim();
        try
        {
            // Some leave the end away.
            return Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static (Card?, ImportedCard?, Refusal?) Parse(byte[] json, CardFormat format, byte[]? carrier)
    {
        if (json.Length > Card.MaxSize)
        {
            return (null, null, CardRefusals.TooLarge);
        }

        string text;
        try
        {
            text = Strict.GetString(json.AsSpan().StartsWith("\uFEFF"u8) ? json.AsSpan(3) : json);
        }
        catch (DecoderFallbackException)
        {
            return (null, null, CardRefusals.NotUtf8);
        }

        var (card, refusal) = Card.Parse(text);
        return card is null ? (null, null, refusal) : (card, new ImportedCard(card.Json, format, carrier), null);
    }
}
