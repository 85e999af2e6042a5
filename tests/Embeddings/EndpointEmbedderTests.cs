using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PersonaActors.Grains.Embeddings;

namespace PersonaActors.Tests.Embeddings;

/// <summary>An OpenAI-compatible endpoint as it should be, and as it shouldn't.</summary>
public sealed class EndpointEmbedderTests : IAsyncLifetime, IDisposable
{
    private WebApplication _endpoint = null!;
    private EndpointEmbedder _embedder = null!;
    private Func<JsonNode, IResult> _answer = null!;
    private string? _authorization;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _endpoint = builder.Build();
        _endpoint.MapPost("/v1/embeddings", (HttpContext http, JsonNode body) =>
        {
            _authorization = http.Request.Headers.Authorization;
            return _answer(body);
        });
        await _endpoint.StartAsync();
        _embedder = new EndpointEmbedder(new EmbeddingOptions { Endpoint = new Uri($"{_endpoint.Urls.First()}/v1"), Model = "tiny", Key = "secret" });
    }

    public async Task DisposeAsync() => await _endpoint.DisposeAsync();

    public void Dispose() => _embedder.Dispose();

    [Fact]
    public async Task Vectors_come_back_in_the_order_of_their_texts()
    {
        _answer = body =>
        {
            Assert.Equal("tiny", (string?)body["model"]);
            return Results.Json(new
            {
                data = body["input"]!.AsArray().Select((text, index) => new { index, embedding = new float[] { ((string)text!).Length, 1 } }).Reverse(),
            });
        };
        string[] texts = [.. Enumerable.Range(1, 100).Select(length => new string('a', length))];
        var vectors = await _embedder.Embed(EmbeddingKind.Passage, texts, default);

        Assert.Equal(texts.Select(text => (double)text.Length), vectors.Select(vector => Math.Round(vector[0] / (double)vector[1], 2)));
        Assert.All(vectors, vector => Assert.Equal(1, vector.Sum(x => (double)x * x), 5));
        Assert.Equal("Bearer secret", _authorization);
    }

    public static TheoryData<string, int> Wrong => new()
    {
        { "{}", 200 }, { "[]", 200 }, { "no json", 200 }, { """{"data":[]}""", 200 }, { """{"data":[{"index":7,"embedding":[1]}]}""", 200 },
        { """{"data":[{"index":0,"embedding":["x"]}]}""", 200 }, { """{"data":[{"index":0,"embedding":[]}]}""", 200 }, { "{}", 500 }, { "{}", 401 }, { "{}", 429 },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_is_no_answer_is_no_vector(string body, int status)
    {
        _answer = _ => Results.Text(body, "application/json", statusCode: status);
        await Assert.ThrowsAsync<EmbedderUnavailableException>(() => _embedder.Embed(EmbeddingKind.Query, "a text", default));
    }

    [Fact]
    public async Task An_endpoint_that_is_away_is_said_to_be()
    {
        await _endpoint.StopAsync();
        await Assert.ThrowsAsync<EmbedderUnavailableException>(() => _embedder.Embed(EmbeddingKind.Query, "a text", default));
    }
}
