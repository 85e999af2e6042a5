namespace PersonaActors.Grains.Embeddings;

/// <summary>
/// What a model's cosines mean, on the one scale that thresholds are said in: what has nothing to do with each other lies below
/// .3, what says the same above .7. Straight between its points, and never falling, so that it changes no order.
/// </summary>
public sealed class SimilarityScale
{
    /// <summary>Where a search doesn't say how near is near enough: as the turns of the tests have it, the best of both, found and not found wrongly.</summary>
    public const double DefaultThreshold = .7;

    private readonly (double Cosine, double Score)[] _points;

    private SimilarityScale(params (double, double)[] points) => _points = points;

    /// <summary>snowflake-arctic-embed-xs, asked, by the pairs of the tests: more than nine in ten of what isn't related lie below .555, of paraphrases above .625.</summary>
    public static SimilarityScale ArcticXs { get; } = new((0, 0), (.555, .3), (.625, .7), (1, 1));

    /// <summary>Of a model that nothing is known of.</summary>
    public static SimilarityScale Plain { get; } = new((0, 0), (1, 1));

    public double Score(double cosine) => Between(cosine, static point => point.Cosine, static point => point.Score);

    /// <summary>The least cosine of that score.</summary>
    public double Cosine(double score) => score <= 0 ? -1 : Between(score, static point => point.Score, static point => point.Cosine);

    private double Between(double value, Func<(double Cosine, double Score), double> from, Func<(double Cosine, double Score), double> to)
    {
        if (value <= 0)
        {
            return 0;
        }

        var next = Array.FindIndex(_points, point => from(point) >= value);
        if (next < 0)
        {
            return 1;
        }

        var (low, high) = (_points[next - 1], _points[next]);
        return to(low) + ((value - from(low)) / (from(high) - from(low)) * (to(high) - to(low)));
    }
}
