using PersonaActors.Grains.Embeddings;

namespace PersonaActors.Tests.Embeddings;

public sealed class EmbeddingRulesTests
{
    [Theory]
    [InlineData(0, "0..0")]
    [InlineData(1, "0..1")]
    [InlineData(128, "0..128")]
    [InlineData(129, "0..128 1..129")]
    [InlineData(224, "0..128 96..224")]
    [InlineData(300, "0..128 96..224 172..300")]
    public void A_long_text_is_read_in_windows_that_overlap(int tokens, string windows) =>
        Assert.Equal(windows, string.Join(' ', TextWindows.Of(tokens)));

    [Theory]
    [InlineData(-.5, 0)]
    [InlineData(0, 0)]
    [InlineData(.555, .3)]
    [InlineData(.625, .7)]
    [InlineData(1, 1)]
    [InlineData(1.0001, 1)]
    public void A_cosine_has_its_score(double cosine, double score) => Assert.Equal(score, SimilarityScale.ArcticXs.Score(cosine), 6);

    [Fact]
    public void The_scale_changes_no_order_and_can_be_turned_round()
    {
        var scores = Enumerable.Range(1, 99).Select(percent => SimilarityScale.ArcticXs.Score(percent / 100.0)).ToList();
        Assert.Equal(scores.Order(), scores);
        Assert.Equal(scores.Count, scores.Distinct().Count());
        Assert.All(Enumerable.Range(1, 99), percent => Assert.Equal(percent / 100.0, SimilarityScale.ArcticXs.Score(SimilarityScale.ArcticXs.Cosine(percent / 100.0)), 6));
        Assert.Equal(-1, SimilarityScale.ArcticXs.Cosine(0));
    }

    [Theory]
    [InlineData(384)]
    [InlineData(1000)]
    [InlineData(1536)]
    [InlineData(1)]
    public void Vectors_of_a_model_keep_their_cosines(int dimensions)
    {
        var random = new Random(7);
        float[] One() => [.. Enumerable.Range(0, dimensions).Select(_ => (float)(random.NextDouble() - .4))];
        var (one, other) = (One(), One());
        Assert.Equal(Embedding.Cosine(one, other), Embedding.Cosine(Embedding.Fit(one), Embedding.Fit(other)), 5);
    }

    [Fact]
    public void A_model_with_more_dimensions_than_the_tables_have_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Embedding.Fit(new float[Embedding.Dimensions + 1]));
}
