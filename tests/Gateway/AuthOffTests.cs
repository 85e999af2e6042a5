using System.Text;
using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Gateway;

/// <summary>With auth off everybody on this machine is the demo tenant's admin, but no page that comes from elsewhere.</summary>
public sealed class AuthOffTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private Node _node = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.Create();
        _node = await Node.Start(_database, auth: false, settings: [("Persona:AllowedOrigins", "https://friend.example")]);
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Only_own_hosts_own_origins_and_JSON_are_served()
    {
        var own = _node.Address.GetLeftPart(UriPartial.Authority);
        var person = Guid.NewGuid();
        var start = $$"""{"person_id":"{{person}}","mode":"deep"}""";
        await Answers("/v1/keys", """{"kind":"tenant-admin","name":"x"}""", null, 403, "host_not_allowed", host: "evil.com");
        await Answers("/v1/users", null, null, 403, "host_not_allowed", host: "127.0.0.1.evil.com");
        await Answers("/focus/start", start, "text/plain", 403, "origin_not_allowed", origin: "https://evil.com");
        await Answers("/focus/start", start, "application/json", 403, "origin_not_allowed", origin: "null");
        await Answers("/v1/focus/sessions?user=" + person, null, null, 403, "origin_not_allowed", origin: "http://localhost:1");
        await Answers("/hubs/persona/negotiate?negotiateVersion=1", "", null, 403, "origin_not_allowed", origin: "https://evil.com");
        await Answers("/focus/start", start, "text/plain", 415, "unsupported_media_type");
        await Answers("/focus/start", start, "application/x-www-form-urlencoded", 415, "unsupported_media_type");
        using var local = _node.Client();
        Assert.Empty((await local.Get("/v1/users")).Should(HttpStatusCode.OK).Json["items"]!.AsArray());

        await Answers("/focus/start", start, "application/json", 200, null, origin: own);
        await Answers("/focus/start", start, "application/json; charset=utf-8", 200, null, origin: "https://friend.example");
        await Answers("/v1/users", null, null, 200, null, host: $"localhost:{_node.Address.Port}");
        await Answers("/hubs/persona/negotiate?negotiateVersion=1", "", null, 200, null, origin: own);
    }

    private async Task Answers(string path, string? body, string? type, int status, string? code, string? origin = null, string? host = null)
    {
        using var http = new HttpClient { BaseAddress = _node.Address };
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, path);
        request.Headers.Host = host;
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == status, $"{path} by {origin ?? host}: {(int)answer.StatusCode} {text}");
        Assert.Equal(code, status == 200 ? null : (string?)JsonNode.Parse(text)!["code"]);
    }
}
