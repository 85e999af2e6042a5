using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using PersonaActors.Tests.Realtime;

namespace PersonaActors.Tests.Gateway;

/// <summary>
/// Requests made from the document itself, most of them nearly right: none is answered 5xx, none hangs, every answer is one that
/// the document declares, and what is refused or only read has changed nothing.
/// </summary>
public sealed class FuzzTests : IAsyncLifetime
{
    /// <summary>The first callers name the user whom they act for; the others are users themselves.</summary>
    private const int Others = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Dictionary<string, List<string>> _ids = [];
    private readonly List<ApiClient> _callers = [];
    private TestDatabase _database = null!;
    private Node _node = null!;
    private ApiDocument _document = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.Create();
        // What is refused for its rate would be refused before anything that is tried here.
        _node = await Node.Start(_database, settings: [("Persona:Limits:RequestsPerMinute", "0")]);
        _document = await ApiDocument.Of(_node.Address);
        var service = _node.Client(await _node.ServiceKey());
        var admin = _node.Client(await _node.AdminKey());
        _callers.AddRange([service, service, admin, admin, _node.Client(await _node.OperatorKey()), _node.Client()]);
        Know("tenants", _node.Demo.ToString(), "demo");
        foreach (var name in (string[])["ada", "bob"])
        {
            var user = await service.Register(name, $"{name}-1");
            var own = _node.Client(await _node.UserKey(user));
            _callers.AddRange([own, own]);
            Know("users", user.ToString(), $"test:{name}-1");
            Know("personas", (string)(await service.Get($"/v1/users/{user}")).Json["defaultPersonaId"]!);
            var asUser = ("X-Persona-User", user.ToString());
            var character = (await service.Post("/v1/personalities", new { name, slug = $"{name}-s", characterInfo = "", personalityTraits = "", isPublic = true }, asUser)).Should(HttpStatusCode.Created);
            Know("personalities", character.Id.ToString(), $"{name}-s");
            Know("user-personas", $"{(await service.Post("/v1/user-personas", new { name, systemPrompt = "s", isPublic = true }, asUser)).Should(HttpStatusCode.Created).Id}");
            Know("llm-configs", $"{(await service.Post("/v1/llm-configs", new { name, model = "m" }, asUser)).Should(HttpStatusCode.Created).Id}");
            Know("taskId", $"{(await service.Post($"/v1/people/{user}/tasks", new { title = "t" })).Should(HttpStatusCode.Created).Id}");
            Know("focus", $"{(await service.Post("/v1/focus/sessions", new { mode = "deep" }, asUser)).Should(HttpStatusCode.Created).Id}");
        }

        Know("system-prompts", $"{(await admin.Post("/v1/system-prompts", new { name = "p", content = "c" })).Should(HttpStatusCode.Created).Id}");
        Know("focus-modes", $"{(await admin.Post("/v1/focus-modes", new { modeName = "m", systemPrompt = "s" })).Should(HttpStatusCode.Created).Id}");
        Know("keys", $"{(await admin.Post("/v1/keys", new { kind = "service", name = "k" })).Should(HttpStatusCode.Created).Id}");
        Know("any", [.. _ids.SelectMany(known => known.Value)]);
    }

    public async Task DisposeAsync()
    {
        foreach (var caller in _callers.Distinct())
        {
            caller.Dispose();
        }

        await _node.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public Task Four_hundred_requests_made_of_the_document_meet_no_failure_and_refusals_change_nothing() => Run(400);

    [SoakFact]
    public Task Twenty_thousand_requests_made_of_the_document_meet_no_failure_and_refusals_change_nothing() => Run(20_000);

    private Task Run(int requests) => Seeded.Run(async random =>
    {
        var operations = _document.Operations.Where(operation => !operation.Path.StartsWith("/health/", StringComparison.Ordinal) && operation.Path != "/v1/events").ToList();
        var answers = new Dictionary<HttpStatusCode, int>();
        var failures = new Dictionary<string, string>();
        await using var look = new NpgsqlConnection(_database.Superuser);
        await look.OpenAsync();
        var before = await State(look);
        for (var i = 0; i < requests; i++)
        {
            var operation = operations[random.Next(operations.Count)];
            var fuzz = new Fuzz(random, _document, _ids);
            var caller = random.Next(_callers.Count);
            var (path, body, headers) = (fuzz.Path(operation), fuzz.Body(operation), fuzz.Headers(operation, speaksForOthers: caller < Others));
            var said = $"{operation.Method} {path} {string.Join(' ', headers)} {body}";
            try
            {
                var answer = await _callers[caller].Send(new HttpMethod(operation.Method), path, body, headers).WaitAsync(Patience);
                answers[answer.Status] = answers.GetValueOrDefault(answer.Status) + 1;
                if ((int)answer.Status >= 500)
                {
                    failures.TryAdd(operation.Name, $"{said}: {(int)answer.Status} {answer.Text}");
                }

                await Eventually.True("what was begun is done", async () => !await IsBusy(look));
                var after = await State(look);
                // Who asks which characters answer in a channel makes it known, once, that one of them may not any more.
                if (before != after && ((operation.Method == "GET" && !path.EndsWith("/active", StringComparison.Ordinal)) || (int)answer.Status >= 400))
                {
                    failures.TryAdd($"{operation.Name} changes", $"{said}: {(int)answer.Status} {answer.Text} changed {before} to {after}");
                }

                before = after;
                if (answer.Status == HttpStatusCode.Created && answer.Json["id"] is { } made && operation.Segments.Length == 3)
                {
                    Know(operation.Segments[2], (string)made!);
                }
            }
            catch (TimeoutException)
            {
                failures.TryAdd($"{operation.Name} hangs", $"no answer to {said}");
            }
            catch (Xunit.Sdk.XunitException e)
            {
                // Not among the answers that are declared.
                failures.TryAdd(operation.Name, $"{said}: {e.Message}");
            }
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures.Values));
        // What is only ever refused at the door tries nothing.
        Assert.True(answers.GetValueOrDefault(HttpStatusCode.OK) + answers.GetValueOrDefault(HttpStatusCode.Created) > requests / 20,
            string.Join(", ", answers.Select(answer => $"{answer.Value} × {(int)answer.Key}")));
    });

    private void Know(string kind, params string[] ids)
    {
        if (!_ids.TryGetValue(kind, out var known))
        {
            _ids[kind] = known = [];
        }

        known.AddRange(ids);
    }

    /// <summary>Jobs and the outbox go on after their request was answered, and what they do is that request's doing.</summary>
    private static async Task<bool> IsBusy(NpgsqlConnection look)
    {
        await using var command = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM jobs WHERE status = 'running') OR EXISTS (SELECT FROM outbox_tasks WHERE status = 'pending' AND run_after <= now())", look);
        return (bool)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>How far every stream is and how many rows there are; without what time does by itself.</summary>
    private static async Task<string> State(NpgsqlConnection look)
    {
        await using var command = new NpgsqlCommand("""
            SELECT concat_ws(' ',
              (SELECT count(*) FROM events WHERE type NOT IN ('tick', 'nudge', 'emotion_changed', 'flow_entered', 'flow_left', 'idle_started', 'updated')),
              (SELECT count(*) FROM streams), (SELECT count(*) FROM command_log WHERE caller <> '00000000-0000-0000-0000-000000000000'), (SELECT count(*) FROM users),
              (SELECT count(*) FROM personalities), (SELECT count(*) FROM personas), (SELECT count(*) FROM api_keys WHERE revoked_at IS NULL), (SELECT count(*) FROM focus_sessions),
              (SELECT sum(version) FROM users), (SELECT sum(version) FROM personalities), (SELECT count(*) FROM personality_aliases), (SELECT count(*) FROM planned_items))
            """, look);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Makes one request: what the document asks for, now and then in a way that it doesn't.</summary>
    private sealed class Fuzz(Random random, ApiDocument document, Dictionary<string, List<string>> ids)
    {
        private static readonly string[] Wild =
        [
            "null", "true", "0", "-1", "1e400", "-1e400", "1e-400", "9223372036854775808", "0.1", "\"\"", "\" \"", "\"a\\u0000b\"", "\"\\ud800\"", "\"\\u202e\"", "[]", "{}", "[null]",
            "{\"a\":1e400}", "\"off\"", "\"00000000-0000-0000-0000-000000000000\"", "\"9999-12-31T23:59:59Z\"", "\"0001-01-01T00:00:00Z\"", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        ];

        private static readonly string[] Words =
        [
            "a", "lila", "Ünïcödé 🌊", "a b", "x'--", "{{user}}", "</character>", "%s", "me", "system", "null", "off", "demo-x", "test:ada-1", "Europe/Vienna", "2026-01-01T00:00:00Z",
        ];

        private bool Once(int of) => random.Next(of) == 0;

        private T Any<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];

        public string Path(ApiDocument.Operation operation)
        {
            var path = string.Join('/', operation.Segments.Select(segment => segment.StartsWith('{') ? Uri.EscapeDataString(Segment(operation, segment.Trim('{', '}'))) : segment));
            var query = Parameters(operation, "query").Where(_ => Once(4)).Select(parameter => $"{parameter["name"]}={Uri.EscapeDataString(Plain(parameter))}").ToList();
            return query.Count == 0 ? path : $"{path}?{string.Join('&', query)}";
        }

        public (string, string)[] Headers(ApiDocument.Operation operation, bool speaksForOthers)
        {
            var headers = new List<(string, string)>();
            foreach (var name in Parameters(operation, "header").Select(parameter => (string)parameter["name"]!))
            {
                switch (name)
                {
                    case "Idempotency-Key" when Once(4):
                        headers.Add((name, Once(10) ? new string('k', 201) : $"k{random.Next(30)}"));
                        break;
                    case "If-Match" when Once(6):
                        headers.Add((name, Any(["\"1\"", "1", "*", "W/\"2\"", "abc", "\"99999999999999999999\""])));
                        break;
                    case "X-Persona-User" when (speaksForOthers ? !Once(3) : Once(10)):
                        headers.Add((name, Once(12) ? Any(["nobody", "a:b", Guid.NewGuid().ToString()]) : Any(ids["users"])));
                        break;
                    case "X-Persona-Tenant" when Once(2):
                        headers.Add((name, Once(12) ? Any(["nowhere", Guid.NewGuid().ToString()]) : Any(ids["tenants"])));
                        break;
                }
            }

            return [.. headers];
        }

        public object? Body(ApiDocument.Operation operation)
        {
            if (operation.Json["requestBody"]?["content"]?["application/json"]?["schema"] is not { } schema)
            {
                return null;
            }

            var body = new StringBuilder();
            Write(body, schema, 0);
            if (!Once(40))
            {
                return body.ToString();
            }

            var bytes = Encoding.UTF8.GetBytes(body.ToString());
            return Once(2) ? bytes[..random.Next(bytes.Length)] : (byte[])[.. bytes, 0xff];
        }

        private IEnumerable<JsonNode> Parameters(ApiDocument.Operation operation, string where) =>
            (operation.Json["parameters"] as JsonArray ?? []).Where(parameter => (string?)parameter!["in"] == where).Select(parameter => parameter!);

        private string Segment(ApiDocument.Operation operation, string name)
        {
            // Whoever deletes a person is answered by much that happens later; and what is gone can't be tried any more.
            if (operation.Name == "DELETE /v1/users/{id}" || (operation.Method == "DELETE" && !Once(4)))
            {
                return Guid.NewGuid().ToString();
            }

            return Once(12) ? Any([Guid.NewGuid().ToString(), "x", "-", "a:b", "…", new string('x', 400)])
                : ids.TryGetValue(name switch
                {
                    "user" => "users",
                    "personality" => "personalities",
                    "id" when operation.Segments[2] == "people" => "users",
                    "id" => operation.Segments[2],
                    _ => name,
                }, out var known) ? Any(known)
                : name is "alias" ? $"alias-{random.Next(5)}"
                : name is "provider" ? "test"
                : name is "subject" ? Any(["ada-1", "bob-1", "s"])
                : Any(ids["any"]);
        }

        private string Plain(JsonNode parameter)
        {
            if (Once(6))
            {
                return Any(["", "\0", "1e400", "-1", "99999999999999999999", "x", "true", "‮", new string('y', 300)]);
            }

            var name = (string)parameter["name"]!;
            return name is "user" ? Any(ids["users"]) : name is "confirm" ? "no" : Text(document.Resolve(parameter["schema"]!));
        }

        private string Text(JsonNode schema) =>
            schema["enum"] is JsonArray words ? (string)Any(words.ToList())!
            : TypeOf(schema) switch
            {
                "integer" or "number" => random.Next(60).ToString(CultureInfo.InvariantCulture),
                "boolean" => Any(["true", "false"]),
                _ when (string?)schema["format"] == "uuid" => Any(ids["any"]),
                _ => Any(Words),
            };

        private static string? TypeOf(JsonNode schema) => schema["type"] switch
        {
            JsonArray types => (string?)types.FirstOrDefault(type => (string?)type != "null"),
            var type => (string?)type,
        };

        private void Write(StringBuilder json, JsonNode schema, int depth)
        {
            if (Once(depth == 0 ? 60 : 40))
            {
                json.Append(Once(30) ? $"\"{new string('z', 70_000)}\"" : Any(Wild));
                return;
            }

            schema = document.Resolve(schema);
            if ((schema["anyOf"] ?? schema["oneOf"]) is JsonArray choices)
            {
                Write(json, Any(choices.ToList())!, depth + 1);
                return;
            }

            switch (TypeOf(schema))
            {
                case "object":
                    WriteObject(json, schema, depth);
                    break;
                case "array":
                    json.Append('[');
                    for (var count = random.Next(3); count > 0; count--)
                    {
                        Write(json, schema["items"]!, depth + 1);
                        json.Append(count > 1 ? "," : "");
                    }

                    json.Append(']');
                    break;
                case "null":
                    json.Append("null");
                    break;
                case "boolean":
                    json.Append(Any(["true", "false"]));
                    break;
                case "number":
                    json.Append(Any(["0.5", "0", "1", "0.25", "30"]));
                    break;
                case "integer":
                    json.Append(random.Next(60));
                    break;
                case "string":
                    json.Append(JsonSerializer.Serialize(Text(schema)));
                    break;
                default:
                    json.Append(Any(Wild));
                    break;
            }
        }

        private void WriteObject(StringBuilder json, JsonNode schema, int depth)
        {
            var required = schema["required"] as JsonArray ?? [];
            var members = new List<string>();
            foreach (var (name, member) in schema["properties"] as JsonObject ?? [])
            {
                // Who is switched off is refused at the door from then on.
                if (name == "isActive" || Once(required.Any(one => (string?)one == name) ? 40 : 2))
                {
                    continue;
                }

                var value = new StringBuilder();
                if (name == "user" || name.EndsWith("_id", StringComparison.Ordinal))
                {
                    value.Append(JsonSerializer.Serialize(Any(ids[name is "user" or "person_id" ? "users" : name is "session_id" ? "focus" : "any"])));
                }
                else
                {
                    Write(value, member!, depth + 1);
                }

                members.Add($"\"{name}\":{value}");
            }

            if (Once(40))
            {
                members.Add("\"nobodyKnows\":1");
            }

            json.Append('{').AppendJoin(',', members).Append('}');
        }
    }
}
