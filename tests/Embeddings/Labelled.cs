namespace PersonaActors.Tests.Embeddings;

/// <summary>What the encoder was chosen and its scale was made by.</summary>
internal static class Labelled
{
    /// <summary>Turns of one person's conversations.</summary>
    public static IReadOnlyList<string> Turns { get; } = [.. Lines("turns.txt").Where(line => !IsQuestion(line))];

    /// <summary>Questions, each with the place of the turn that answers it: the last before it in the file.</summary>
    public static IReadOnlyList<(string Question, int Answer)> Questions { get; } = [.. ReadQuestions()];

    /// <summary>Pairs that say the same in other words. Those of two pairs have nothing to do with each other.</summary>
    public static IReadOnlyList<(string One, string Other)> Paraphrases { get; } = [.. Lines("pairs.txt").Select(line => line.Split('\t')).Select(pair => (pair[0], pair[1]))];

    private static IEnumerable<(string, int)> ReadQuestions()
    {
        var turn = -1;
        foreach (var line in Lines("turns.txt"))
        {
            if (IsQuestion(line))
            {
                yield return (line[2..], turn);
            }
            else
            {
                turn++;
            }
        }
    }

    private static bool IsQuestion(string line) => line.StartsWith("? ", StringComparison.Ordinal);

    private static IEnumerable<string> Lines(string file)
    {
        using var reader = new StreamReader(typeof(Labelled).Assembly.GetManifestResourceStream(file)!);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
