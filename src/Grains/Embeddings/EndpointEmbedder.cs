using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Threading.RateLimiting;

namespace PersonaActors.Grains.Embeddings;

/// <summary>An OpenAI-compatible endpoint that the operator named: the texts leave this machine.</summary>
public sealed class EndpointEmbedder : IEmbedder, IDisposable
{
    private const int TextsOfCall = 64;
    private const int CallsAtOnce = 4;
    private const int CallsWaiting = 64;

    private readonly HttpClient _http;
    private readonly Uri _address;
    private readonly ConcurrencyLimiter _calls = new(new ConcurrencyLimiterOptions { PermitLimit = CallsAtOnce, QueueLimit = CallsWaiting });

    public EndpointEmbedder(EmbeddingOptions options)
    {
        _address = new Uri($"{options.Endpoint!.ToString().TrimEnd('/')}/embeddings");
        Model = options.Model!;
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            Timeout = TimeSpan.FromSeconds(10),
            MaxResponseContentBufferSize = 16 * 1024 * 1024,
        };
        if (options.Key is { Length: > 0 } key)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }
    }

    public string Model { get; }

    public SimilarityScale Scale => SimilarityScale.Plain;

    public async Task<IReadOnlyList<float[]>> Embed(EmbeddingKind kind, IReadOnlyList<string> texts, CancellationToken cancel)
    {
        var vectors = new List<float[]>(texts.Count);
        foreach (var chunk in texts.Chunk(TextsOfCall))
        {
            vectors.AddRange(await Call(chunk, cancel));
        }

        return vectors;
    }

    private async Task<float[][]> Call(string[] texts, CancellationToken cancel)
    {
        using var permit = await _calls.AcquireAsync(1, cancel);
        if (!permit.IsAcquired)
        {
            throw new EmbedderUnavailableException($"{CallsWaiting} calls wait for the embeddings endpoint: that is the most.");
        }

        try
        {
            using var answer = await _http.PostAsJsonAsync(_address, new { model = Model, input = texts, encoding_format = "float" }, cancel);
            if (!answer.IsSuccessStatusCode)
            {
                throw new EmbedderUnavailableException($"The embeddings endpoint answered {(int)answer.StatusCode}.");
            }

            using var body = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancel), cancellationToken: cancel);
            return Read(body.RootElement, texts.Length);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new EmbedderUnavailableException("The embeddings endpoint can't be reached, or what it answers can't be read.", e);
        }
    }

    private static float[][] Read(JsonElement body, int expected)
    {
        var vectors = new float[expected][];
        try
        {
            foreach (var item in body.GetProperty("data").EnumerateArray())
            {
                vectors[item.GetProperty("index").GetInt32()] = Embedding.Fit([.. item.GetProperty("embedding").EnumerateArray().Select(number => number.GetSingle())]);
            }
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new EmbedderUnavailableException("What the embeddings endpoint answers isn't what one answers.", e);
        }

        return vectors.All(vector => vector is not null)
            ? vectors
            : throw new EmbedderUnavailableException($"The embeddings endpoint answered fewer than the {expected} vectors it was asked for.");
    }

    public void Dispose()
    {
        _http.Dispose();
        _calls.Dispose();
    }
}
