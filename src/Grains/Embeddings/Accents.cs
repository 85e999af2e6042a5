using System.Collections.Frozen;

namespace PersonaActors.Grains.Embeddings;

/// <summary>
/// The model was trained on text without accents. The framework takes them off only with ICU's data, which this service does
/// without.
/// </summary>
public static class Accents
{
    private static readonly FrozenDictionary<char, char> Plain = Pairs().ToFrozenDictionary(pair => pair.Accented, pair => pair.Letter);

    public static string Strip(string text) => text.AsSpan().ContainsAnyExceptInRange('\0', '\u007f')
        ? string.Create(text.Length, text, static (output, text) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                output[i] = Plain.GetValueOrDefault(text[i], text[i]);
            }
        })
        : text;

    private static IEnumerable<(char Accented, char Letter)> Pairs()
    {
        string[] letters =
        [
            "aàáâãäåāăą", "cçćĉċč", "dďđ", "eèéêëēĕėęě", "gĝğġģ", "hĥħ", "iìíîïĩīĭįı", "jĵ", "kķ", "lĺļľŀł", "nñńņňŉ", "oòóôõöøōŏő",
            "rŕŗř", "sśŝşš", "tţťŧ", "uùúûüũūŭůűų", "wŵ", "yýÿŷ", "zźżž",
        ];
        return letters.SelectMany(group => group[1..].Select(accented => (accented, group[0])))
            .SelectMany(pair => ((char, char)[])[pair, (char.ToUpperInvariant(pair.accented), char.ToUpperInvariant(pair.Item2))])
            .DistinctBy(pair => pair.Item1);
    }
}
