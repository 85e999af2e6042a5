using Microsoft.Extensions.Logging.Abstractions;
using PersonaActors.Grains.Embeddings;

namespace PersonaActors.Tests.Embeddings;

public sealed class Encoder : IDisposable
{
    public BuiltInEmbedder Embedder { get; } = new(new EmbeddingOptions(), NullLogger<BuiltInEmbedder>.Instance);

    public void Dispose() => Embedder.Dispose();
}

/// <summary>The real encoder with its scale, by labelled texts.</summary>
public sealed class BuiltInEmbedderTests(Encoder encoder) : IClassFixture<Encoder>
{
    private readonly BuiltInEmbedder _embedder = encoder.Embedder;

    [Fact]
    public async Task A_text_becomes_a_vector_of_unit_length_and_the_same_one_alone_and_among_others()
    {
        const string text = "I feel most productive in the morning";
        var alone = await _embedder.Embed(EmbeddingKind.Passage, text, default);
        var among = (await _embedder.Embed(EmbeddingKind.Passage, ["Hiking", text, "I love music", "I feel least productive in the evening"], default))[1];

        Assert.Equal(Embedding.Dimensions, alone.Length);
        Assert.Equal(1, alone.Sum(x => (double)x * x), 5);
        Assert.Equal(alone, among);
    }

    [Fact]
    public async Task What_lies_near_is_near_and_what_does_not_is_not()
    {
        Assert.InRange(await Score("when am I most productive", "I feel most productive in the morning"), .7, 1);
        var blocks = await Score("90-minute morning blocks", "90-minute morning blocks work best for my coding");
        Assert.True(blocks > await Score("90-minute morning blocks", "I listen to music while cooking"));
        Assert.True(blocks > await Score("90-minute morning blocks", "Hiking in the mountains is what I like best"));
        Assert.Equal(await _embedder.Embed(EmbeddingKind.Passage, "the cafe is naive", default), await _embedder.Embed(EmbeddingKind.Passage, "the café is naïve", default));
    }

    [Fact]
    public async Task On_the_scale_unrelated_texts_lie_below_three_tenths_and_paraphrases_above_seven()
    {
        var ones = await _embedder.Embed(EmbeddingKind.Query, [.. Labelled.Paraphrases.Select(pair => pair.One)], default);
        var others = await _embedder.Embed(EmbeddingKind.Passage, [.. Labelled.Paraphrases.Select(pair => pair.Other)], default);
        var paraphrases = ones.Zip(others, Score).ToList();
        var unrelated = ones.SelectMany((one, i) => others.Where((_, j) => j != i).Select(other => Score(one, other))).ToList();

        Assert.True(paraphrases.Count(score => score > .7) >= .9 * paraphrases.Count, $"{paraphrases.Count(score => score > .7)} of {paraphrases.Count} paraphrases lie above .7.");
        Assert.True(unrelated.Count(score => score < .3) >= .92 * unrelated.Count, $"{unrelated.Count(score => score < .3)} of {unrelated.Count} unrelated pairs lie below .3.");
        Assert.True(paraphrases.Min() > .5 && unrelated.Max() < paraphrases.Max());
    }

    [Fact]
    public async Task The_threshold_that_holds_where_none_is_given_is_about_the_best()
    {
        var turns = await _embedder.Embed(EmbeddingKind.Passage, Labelled.Diary.Turns, default);
        var questions = await _embedder.Embed(EmbeddingKind.Query, [.. Labelled.Diary.Questions.Select(question => question.Question)], default);
        var scores = questions.SelectMany((question, i) => turns.Select((turn, at) => (Score: Score(question, turn), IsAnswer: at == Labelled.Diary.Questions[i].Answer))).ToList();

        double F1(double threshold)
        {
            var found = scores.Where(score => score.Score >= threshold).ToList();
            return 2.0 * found.Count(score => score.IsAnswer) / (found.Count + questions.Count);
        }

        var best = Enumerable.Range(1, 90).Select(percent => percent / 100.0).MaxBy(F1);
        Assert.True(F1(SimilarityScale.DefaultThreshold) > F1(best) - .05, $"{F1(SimilarityScale.DefaultThreshold):f3} at the default, {F1(best):f3} at {best}.");
    }

    [Fact]
    public async Task Nothing_of_a_long_text_is_lost()
    {
        var filler = string.Concat(Enumerable.Repeat("We talked about the weather and the garden for a while. ", 60));
        var with = await _embedder.Embed(EmbeddingKind.Passage, $"{filler} My passport expires in March and I have to renew it. {filler}", default);
        var without = await _embedder.Embed(EmbeddingKind.Passage, $"{filler} {filler}", default);
        var question = await _embedder.Embed(EmbeddingKind.Query, "when does my passport expire", default);
        var (found, missed) = (Embedding.Cosine(question, with), Embedding.Cosine(question, without));
        Assert.True(found > missed + .01, $"{found} with it, {missed} without.");
    }

    [Fact]
    public async Task What_the_queue_has_no_room_for_is_refused_and_the_rest_is_done()
    {
        var many = Enumerable.Repeat("one of very many texts", (BuiltInEmbedder.LaneLength * 2) + 1).ToList();
        await Assert.ThrowsAsync<EmbedderUnavailableException>(() => _embedder.Embed(EmbeddingKind.Passage, many, default));
        Assert.NotEmpty(await _embedder.Embed(EmbeddingKind.Query, "a question has its own lane", default));
    }

    [Fact]
    public async Task Who_no_longer_waits_holds_up_nobody()
    {
        using var gone = new CancellationTokenSource();
        var left = _embedder.Embed(EmbeddingKind.Passage, [.. Enumerable.Repeat("a text that nobody waits for", 400)], gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Assert.NotEmpty(await _embedder.Embed(EmbeddingKind.Passage, "the next text", default));
    }

    private async Task<double> Score(string one, string other) =>
        Score(await _embedder.Embed(EmbeddingKind.Query, one, default), await _embedder.Embed(EmbeddingKind.Passage, other, default));

    private double Score(float[] one, float[] other) => _embedder.Scale.Score(Embedding.Cosine(one, other));
}
