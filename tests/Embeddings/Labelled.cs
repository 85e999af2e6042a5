namespace PersonaActors.Tests.Embeddings;

/// <param name="Questions">Each with the place of the turn that answers it: the last before it in the file.</param>
internal sealed record LabelledTalk(IReadOnlyList<string> Turns, IReadOnlyList<(string Question, int Answer)> Questions);

/// <summary>What the encoder was chosen and its scale was made by.</summary>
internal static class Labelled
{
    /// <summary>What one person tells of itself.</summary>
    public static LabelledTalk Diary { get; } = Read("talk-diary.txt");

    public static LabelledTalk Rowing { get; } = Read("talk-rowing.txt");

    /// <summary>Two of months, and two of years, which come back to the same few subjects again and again.</summary>
    public static IReadOnlyList<LabelledTalk> Conversations { get; } = [Read("talk-garden.txt"), Read("talk-office.txt"), Rowing, Read("talk-companion.txt")];

    /// <summary>Pairs that say the same in other words. Those of two pairs have nothing to do with each other.</summary>
    public static IReadOnlyList<(string One, string Other)> Paraphrases { get; } = [.. Lines("pairs.txt").Select(line => line.Split('\t')).Select(pair => (pair[0], pair[1]))];

    private static LabelledTalk Read(string file)
    {
        var (turns, questions) = (new List<string>(), new List<(string, int)>());
        foreach (var line in Lines(file))
        {
            if (line.StartsWith("? ", StringComparison.Ordinal))
            {
                questions.Add((line[2..], turns.Count - 1));
            }
            else
            {
                turns.Add(line);
            }
        }

        return new LabelledTalk(turns, questions);
    }

    private static IEnumerable<string> Lines(string file)
    {
        using var reader = new StreamReader(typeof(Labelled).Assembly.GetManifestResourceStream(file)!);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
