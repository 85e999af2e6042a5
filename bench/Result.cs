using System.Globalization;

namespace PersonaActors.Bench;

/// <summary>
/// One row: a figure, the same of an anchor that ran beside it, and the least that must come out.
/// <paramref name="Score"/> is what <paramref name="AtLeast"/> is asked of: the ratio, unless said otherwise.
/// </summary>
internal sealed record Result(string What, string Measured, string Anchor, double Ratio, double AtLeast, double? Score = null, string? AtLeastText = null)
{
    internal bool Holds => (Score ?? Ratio) >= AtLeast;

    internal static string PerSecond(double rate) => $"{rate.ToString("N0", CultureInfo.InvariantCulture)}/s";
}

internal static class ResultTable
{
    /// <summary>True when every row reaches what it must.</summary>
    internal static bool Print(IReadOnlyList<Result> results)
    {
        string[][] rows =
        [
            ["what", "measured", "anchor", "ratio", "at least"],
            .. results.Select(result => new[]
            {
                result.What, result.Measured, result.Anchor, result.Ratio.ToString("0.00", CultureInfo.InvariantCulture) + " ×",
                (result.AtLeastText ?? result.AtLeast.ToString("0.##", CultureInfo.InvariantCulture) + " ×") + (result.Holds ? "" : "  (missed)"),
            }),
        ];
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        for (var i = 0; i < rows.Length; i++)
        {
            Console.WriteLine("| " + string.Join(" | ", rows[i].Select((cell, column) => cell.PadRight(widths[column]))) + " |");
            if (i == 0) Console.WriteLine("|" + string.Join("|", widths.Select(width => new string('-', width + 2))) + "|");
        }
        return results.All(result => result.Holds);
    }
}
