using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Harness;

/// <summary>An answer, with its JSON body where it has one.</summary>
public sealed record ApiAnswer(HttpStatusCode Status, HttpResponseHeaders Headers, string Text)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();

    public string? Code => (string?)Json["code"];

    public Guid Id => Guid.Parse((string)Json["id"]!);

    public override string ToString() => $"{(int)Status} {Text}";

    public ApiAnswer Should(HttpStatusCode status)
    {
        Assert.True(Status == status, $"expected {(int)status}, got {(int)Status}: {Text}");
        return this;
    }

    public ApiAnswer ShouldRefuse(HttpStatusCode status, string code)
    {
        Should(status);
        Assert.Equal(code, Code);
        return this;
    }
}

/// <summary>Speaks to the node as a user's program would: HTTP and JSON, nothing of ours.</summary>
public sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http;

    public ApiClient(Uri address, string? key)
    {
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 256 }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        if (key is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }
    }

    public Task<ApiAnswer> Get(string path, params (string, string)[] headers) => Send(HttpMethod.Get, path, null, headers);

    public Task<ApiAnswer> Post(string path, object? body, params (string, string)[] headers) => Send(HttpMethod.Post, path, body, headers);

    public Task<ApiAnswer> Put(string path, object? body, params (string, string)[] headers) => Send(HttpMethod.Put, path, body, headers);

    public Task<ApiAnswer> Patch(string path, object? body, params (string, string)[] headers) => Send(HttpMethod.Patch, path, body, headers);

    public Task<ApiAnswer> Delete(string path, params (string, string)[] headers) => Send(HttpMethod.Delete, path, null, headers);

    /// <param name="body">An object to be sent as JSON, or a string or bytes to be sent as they are.</param>
    public async Task<ApiAnswer> Send(HttpMethod method, string path, object? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = body switch
        {
            null => null,
            byte[] bytes => new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
            string text => new StringContent(text, Encoding.UTF8, "application/json"),
            _ => new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json"),
        };
        // What will be refused for its size is asked about first, or the refusal could be lost in the broken upload.
        request.Headers.ExpectContinue = body is byte[] { Length: > 512 * 1024 };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await Sent(request);
        var said = await response.Content.ReadAsStringAsync();
        var complaint = (await Document())?.Complaint(method, path, response, said);
        Assert.True(complaint is null, complaint);
        return new ApiAnswer(response.StatusCode, response.Headers, said);
    }

    /// <summary>An answer that goes on: its head has come.</summary>
    public Task<HttpResponseMessage> Open(string path, CancellationToken cancel) => _http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancel);

    /// <summary>All of a list, page by page: in the order of the ids, which is all that what was made within a millisecond has.</summary>
    public async Task<List<JsonNode>> Pages(string path, int limit)
    {
        var items = new List<JsonNode>();
        string? after = null;
        do
        {
            var page = (await Get($"{path}{(path.Contains('?') ? '&' : '?')}limit={limit}{(after is null ? "" : $"&after={after}")}")).Should(HttpStatusCode.OK).Json;
            Assert.InRange(page["items"]!.AsArray().Count, after is null ? 0 : 1, limit);
            items.AddRange(page["items"]!.AsArray()!);
            after = (string?)page["next"];
        }
        while (after is not null);

        var ids = items.Select(item => (string)item["id"]!).ToList();
        Assert.Equal(ids.Distinct().Order(StringComparer.Ordinal), ids);
        return items;
    }

    /// <summary>Of a node that is just being killed there is none.</summary>
    private async Task<ApiDocument?> Document()
    {
        try
        {
            return await ApiDocument.Of(_http.BaseAddress!);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>A connection that is cut just as it comes about is cut all the same; the client lets that one error through as the socket's.</summary>
    private async Task<HttpResponseMessage> Sent(HttpRequestMessage request)
    {
        try
        {
            return await _http.SendAsync(request);
        }
        catch (SocketException cut)
        {
            throw new HttpRequestException(cut.Message, cut);
        }
    }

    /// <summary>Registers a user by an identity and answers its id.</summary>
    public async Task<Guid> Register(string username, string? subject = null)
    {
        var answer = await Post("/v1/users", new { username, identities = new[] { new { provider = "test", subject = subject ?? Guid.NewGuid().ToString("N") } } });
        Assert.True(answer.Status is HttpStatusCode.Created or HttpStatusCode.OK, answer.Text);
        return answer.Id;
    }

    public void Dispose() => _http.Dispose();
}
