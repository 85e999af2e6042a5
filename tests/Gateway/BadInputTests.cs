using System.Text;
using Npgsql;

namespace PersonaActors.Tests.Gateway;

/// <summary>Bad input has a code of its own, is never a 500, and changes nothing.</summary>
public sealed class BadInputTests(Room room) : IClassFixture<Room>
{
    private readonly ApiClient _service = room.Service;

    public static TheoryData<string, int, string, string?> Bodies => new()
    {
        { """{"username":"x","shoeSize":44}""", 400, "unknown_field", "shoeSize" },
        { """{"username":"x","identities":[{"provider":"p","subject":"s","x":1}]}""", 400, "unknown_field", "identities[0].x" },
        { """{"username":5}""", 400, "invalid_field", "username" },
        { """{"username":{}}""", 400, "invalid_field", "username" },
        { """{"username":"x","identities":{}}""", 400, "invalid_field", "identities" },
        { """{"username":"x","identities":[null]}""", 400, "invalid_field", "identities[0]" },
        { """{"username":"x","identities":[{"subject":"s"}]}""", 400, "invalid_field", "identities[0].provider" },
        { """{"username":"x","identities":[{"provider":"UPPER","subject":"s"}]}""", 400, "invalid_field", "identities[0].provider" },
        { """{"username":"x","identities":[{"provider":"discord","subject":"12"}]}""", 400, "invalid_field", "identities[0].subject" },
        { """{"username":"x","username":"y"}""", 400, "invalid_field", "username" },
        { """{"username":""", 400, "invalid_json", null },
        { """{"username":"x"} trailing""", 400, "invalid_json", null },
        { """[]""", 400, "invalid_json", null },
        { """null""", 400, "bad_request", null },
        { """{}""", 400, "invalid_field", "username" },
        { """{"username":"   "}""", 400, "invalid_field", "username" },
        { """{"username":"a\u0000b"}""", 400, "invalid_field", "username" },
        { """{"username":"\ud800"}""", 400, "invalid_field", "username" },
        { $$"""{"username":"{{new string('x', 256)}}"}""", 400, "invalid_field", "username" },
        { $$"""{"username":"x","bio":"{{new string('x', 4001)}}"}""", 400, "invalid_field", "bio" },
        { $"{string.Concat(Enumerable.Repeat("""{"a":""", 50))}1{new string('}', 50)}", 400, "unknown_field", "a" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_bad_body_is_refused_by_code_and_field(string body, int status, string code, string? field)
    {
        var before = await Users();
        var answer = await _service.Post("/v1/users", body);
        answer.ShouldRefuse((HttpStatusCode)status, code);
        Assert.Equal(field, (string?)answer.Json["field"]);
        Assert.DoesNotContain("Exception", answer.Text, StringComparison.Ordinal);
        Assert.Equal(before, await Users());
    }

    [Fact]
    public async Task Broken_UTF_8_oversized_and_foreign_bodies_are_refused()
    {
        var before = await Users();
        byte[] broken = [.. "{\"username\":\""u8, 0xff, 0xfe, .. "\"}"u8];
        (await _service.Post("/v1/users", broken)).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_json");
        var large = Encoding.UTF8.GetBytes($$"""{"username":"{{new string('x', 1024 * 1024)}}"}""");
        (await _service.Post("/v1/users", large)).ShouldRefuse(HttpStatusCode.RequestEntityTooLarge, "body_too_large");
        using var plain = new HttpClient { BaseAddress = room.Node.Address };
        plain.DefaultRequestHeaders.Add("Authorization", $"Bearer {await room.Node.ServiceKey()}");
        using var answer = await plain.PostAsync("/v1/users", new StringContent("{\"username\":\"x\"}", Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Contains("unsupported_media_type", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(before, await Users());
    }

    [Theory]
    [InlineData("POST", "/v1/users", "application/json; charset=klingon", "{}", 415, "unsupported_media_type")]
    [InlineData("POST", "/v1/users", "text/plain", "{}", 415, "unsupported_media_type")]
    [InlineData("POST", "/v1/users", "application/json; charset=bogus", "{}", 415, "unsupported_media_type")]
    [InlineData("POST", "/v1/focus/sessions", "application/json; charset=bogus", "{}", 415, "unsupported_media_type")]
    [InlineData("POST", "/v1/focus/sessions/00000000-0000-0000-0000-000000000000/break", "application/json; charset=bogus", "{}", 415, "unsupported_media_type")]
    [InlineData("GET", "/hubs/persona?id=nothing", null, null, 404, "connection_not_found")]
    [InlineData("POST", "/hubs/persona", "application/json", "{}", 400, "bad_request")]
    [InlineData("DELETE", "/hubs/persona?id=nothing", null, null, 404, "connection_not_found")]
    [InlineData("PUT", "/hubs/persona", null, null, 405, "method_not_allowed")]
    [InlineData("GET", "/openapi/v2.json", null, null, 404, "route_not_found")]
    [InlineData("POST", "/openapi/v1.json", null, null, 405, "method_not_allowed")]
    [InlineData("POST", "/v1/users", null, null, 400, "bad_request")]
    [InlineData("PUT", "/v1/users", "application/json", "{}", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/nowhere", null, null, 404, "route_not_found")]
    [InlineData("PATCH", "/v1/users/00000000-0000-0000-0000-000000000000", "application/json", """{"username":{"a":1}}""", 400, "invalid_field")]
    [InlineData("GET", "/v1/users", null, null, 401, "key_missing")]
    public async Task Every_refusal_of_the_framework_is_a_problem_with_a_code(string method, string path, string? type, string? body, int status, string code)
    {
        using var plain = new HttpClient { BaseAddress = room.Node.Address };
        // Whoever accepts no JSON is told all the same.
        plain.DefaultRequestHeaders.Add("Accept", "text/event-stream");
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (status != 401)
        {
            request.Headers.Add("Authorization", $"Bearer {await room.Node.ServiceKey()}");
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        using var answer = await plain.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == (HttpStatusCode)status, $"{(int)answer.StatusCode} {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = System.Text.Json.Nodes.JsonNode.Parse(text)!;
        Assert.Equal(code, (string?)problem["code"]);
        Assert.Equal(status, (int)problem["status"]!);
    }

    [Theory]
    [InlineData("GET", "/v1/nowhere", 404, "route_not_found")]
    [InlineData("DELETE", "/v1/users", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/users/not-an-id", 404, "user_not_found")]
    [InlineData("GET", "/v1/users/00000000-0000-0000-0000-000000000000", 404, "user_not_found")]
    [InlineData("GET", "/v1/users/discord:%20", 404, "user_not_found")]
    [InlineData("GET", "/v1/users?limit=0", 400, "invalid_field")]
    [InlineData("GET", "/v1/users?limit=201", 400, "invalid_field")]
    [InlineData("GET", "/v1/users?limit=many", 400, "invalid_field")]
    [InlineData("GET", "/v1/users?after=x", 400, "invalid_field")]
    [InlineData("GET", "/v1/personas", 400, "user_required")]
    [InlineData("GET", "/v1/tenants", 403, "operator_only")]
    [InlineData("GET", "/v1/keys", 403, "admin_only")]
    public async Task A_bad_request_line_is_refused(string method, string path, int status, string code) =>
        (await _service.Send(new HttpMethod(method), path, null)).ShouldRefuse((HttpStatusCode)status, code);

    public static TheoryData<string, string, string, string> Fields => new()
    {
        { "POST /v1/keys", """{"kind":"root","name":"x"}""", "kind", "one of user, service, tenant-admin, operator" },
        { "POST /v1/focus/sessions", """{"mode":"hard"}""", "mode", "one of deep, " },
        { "POST /v1/focus/sessions", """{"mode":7}""", "mode", "one of deep, " },
        { "POST /v1/focus/sessions", """{"plan":{"work":"long"}}""", "plan.work", "a whole number" },
        { "PATCH /v1/users/me/settings", """{"memoryScoreThreshold":"high"}""", "memoryScoreThreshold", "a number, or \"off\"" },
        { "PATCH /v1/users/me", """{"isFree":"yes"}""", "isFree", "true or false" },
        { "POST /v1/people/me/memories", """{"type":"n","expiresAt":"tomorrow"}""", "expiresAt", "a time" },
        { "POST /v1/people/me/memories", """{"type":"n","emotionTags":"sad"}""", "emotionTags", "a list" },
        { "PUT /v1/users/me/default-persona", """{"personaId":"mine"}""", "personaId", "an id" },
        { "GET /v1/people/me/focus/stats?days=many", "", "days", "wrong form" },
        { "GET /v1/focus/sessions?state=sleeping", "", "state", "one of active, " },
        { "GET /v1/personalities/x/aliases?limit=many", "", "limit", "a number from 1 to 200" },
    };

    [Theory, MemberData(nameof(Fields))]
    public async Task What_a_field_takes_is_said(string route, string body, string field, string expected)
    {
        var (method, path) = (route.Split(' ')[0], route.Split(' ')[1]);
        using var admin = room.Node.Client(await room.Node.AdminKey());
        var user = await _service.Register("ada");
        if (path.Contains("/aliases", StringComparison.Ordinal))
        {
            var made = (await _service.Post("/v1/personalities", new { name = "Xavier", characterInfo = "", personalityTraits = "" }, ("X-Persona-User", $"{user}"))).Should(HttpStatusCode.Created);
            path = path.Replace("/x/", $"/{made.Id}/", StringComparison.Ordinal);
        }

        // Who acts for a user makes no keys.
        (string, string)[] actsFor = path == "/v1/keys" ? [] : [("X-Persona-User", $"{user}")];
        var answer = (await admin.Send(new HttpMethod(method), path, body.Length == 0 ? null : body, actsFor)).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.Equal(field, (string?)answer.Json["field"]);
        Assert.Contains(expected, (string)answer.Json["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST /v1/llm-configs", """{"name":"x","model":"m","temperature":1e400}""", "temperature")]
    [InlineData("POST /v1/llm-configs", """{"name":"x","model":"m","maxTokens":1e400}""", "maxTokens")]
    [InlineData("PUT /v1/people/me/rhythm", """{"bodyEnergy":1e400}""", "bodyEnergy")]
    [InlineData("PUT /v1/people/me/rhythm/curve", """{"energy":[0.5,1e400]}""", "energy[1]")]
    [InlineData("POST /v1/people/me/tasks", """{"title":"x","energy":-1e400}""", "energy")]
    [InlineData("POST /v1/people/me/memories", """{"type":"n","sentiment":1e400}""", "sentiment")]
    [InlineData("PATCH /v1/users/me/settings", """{"memoryScoreThreshold":1e400}""", "memoryScoreThreshold")]
    [InlineData("POST /v1/focus/sessions/00000000-0000-0000-0000-000000000000/end", """{"completionScore":1e400}""", "completionScore")]
    public async Task A_number_that_is_too_large_to_be_one_is_refused(string route, string body, string field)
    {
        var user = await _service.Register("ada");
        var answer = await _service.Send(new HttpMethod(route.Split(' ')[0]), route.Split(' ')[1], body, ("X-Persona-User", $"{user}"));
        answer.ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.Equal(field, (string?)answer.Json["field"]);
    }

    [Fact]
    public async Task Free_JSON_may_hold_any_number()
    {
        var user = await _service.Register("ada");
        const string Huge = """{"x":1e400}""";
        (await _service.Post($"/v1/people/{user}/memories", $$"""{"type":"n","content":{{Huge}}}""")).Should(HttpStatusCode.Created);
        var session = (await _service.Post($"/v1/focus/sessions?user={user}", new { mode = "deep" })).Should(HttpStatusCode.Created).Id;
        (await _service.Post($"/v1/focus/sessions/{session}/ping", $$"""{"biomarkers":{{Huge}}}""")).Should(HttpStatusCode.OK);
        (await _service.Post($"/v1/focus/sessions/{session}/ping", """{"biomarkers":{"focus":1e400}}""")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await _service.Post($"/v1/focus/sessions/{session}/end", $$"""{"sessionQuality":{{Huge}}}""")).Should(HttpStatusCode.OK);
        (await _service.Post("/focus/end", $$"""{"session_id":"{{session}}","completion_score":1e400}""")).ShouldRefuse(HttpStatusCode.UnprocessableEntity, "invalid_field");
    }

    [Fact]
    public async Task What_is_no_text_is_nobodys_name()
    {
        var user = await _service.Register("ada");
        (await _service.Get("/v1/personas?user=discord:a%00b")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await _service.Get("/v1/personalities/x/prompt?user=dis%00cord:ab")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await _service.Post("/v1/focus/sessions", """{"user":"discord:a\u0000b"}""")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await _service.Post("/v1/tokens", """{"user":"discord:\ud800"}""")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await _service.Get("/v1/events?stream=user:discord:a%00b")).ShouldRefuse(HttpStatusCode.NotFound, "stream_not_found");
        var batch = (await _service.Post("/v1/prompts:batch", $$"""{"pairs":[{"user":"{{user}}","personality":"a\u0000b"},{"user":"a:\u0000b","personality":"x"}]}""")).Should(HttpStatusCode.OK);
        Assert.Equal(["personality_not_found", "user_not_found"], batch.Json["items"]!.AsArray().Select(item => (string)item!["problem"]!["code"]!));
    }

    [Theory]
    [InlineData("If-Match", "abc", 400, "invalid_field")]
    [InlineData("If-Match", "7", 412, "version_mismatch")]
    [InlineData("Idempotency-Key", "", 400, "invalid_field")]
    [InlineData("X-Persona-User", "nobody", 404, "user_not_found")]
    public async Task A_bad_header_is_refused_and_changes_nothing(string header, string value, int status, string code)
    {
        var user = await _service.Register("ada");
        var answer = await _service.Patch($"/v1/users/{user}", new { username = "other" }, (header, value));
        answer.ShouldRefuse((HttpStatusCode)status, code);
        Assert.Equal("ada", (string?)(await _service.Get($"/v1/users/{user}")).Json["username"]);
    }

    [Fact]
    public async Task No_key_and_wrong_keys_have_codes_of_their_own()
    {
        using var nobody = room.Node.Client();
        (await nobody.Get("/v1/users")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_missing");
        using var wrong = room.Node.Client("pa_" + new string('x', 43));
        (await wrong.Get("/v1/users")).ShouldRefuse(HttpStatusCode.Unauthorized, "key_unknown");
    }

    private async Task<long> Users()
    {
        await using var connection = new NpgsqlConnection(room.Database.Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM events WHERE stream LIKE 'user:%')", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
