using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;

namespace PersonaActors.Tests.PersonaKit;

/// <summary>A client that follows no redirect and compares statuses and bodies exactly, as those of the first server do.</summary>
public sealed class WireTests(WireTests.Room room) : IClassFixture<WireTests.Room>
{
    private readonly FakeTimeProvider _clock = room.Clock;
    private readonly HttpClient _http = room.Http;

    public sealed class Room : ClockedRoom
    {
        public HttpClient Http { get; private set; } = null!;

        public override async Task InitializeAsync()
        {
            await base.InitializeAsync();
            Http = Client();
            Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await Node.ServiceKey());
        }

        public HttpClient Client() => new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Node.Address };

        public override async Task DisposeAsync()
        {
            Http.Dispose();
            await base.DisposeAsync();
        }
    }

    private async Task<JsonNode> Call(HttpMethod method, string path, object? body, int status, HttpClient? by = null)
    {
        using var request = new HttpRequestMessage(method, $"/personakit{path}");
        request.Content = body switch
        {
            null => null,
            HttpContent content => content,
            string text => new StringContent(text, Encoding.UTF8, "application/json"),
            _ => new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json"),
        };
        using var answer = await (by ?? _http).SendAsync(request);
        var said = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == status, $"{method} {path}: {(int)answer.StatusCode} {said}");
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        return JsonNode.Parse(said)!;
    }

    private Task<JsonNode> Get(string path, int status = 200) => Call(HttpMethod.Get, path, null, status);

    private Task<JsonNode> Post(string path, object body, int status = 200) => Call(HttpMethod.Post, path, body, status);

    private static void Has(JsonNode node, params string[] names) => Assert.Equal(names.Order(), node.AsObject().Select(member => member.Key).Order());

    private async Task<Guid> Person(object? content = null)
    {
        var person = Guid.NewGuid();
        await Post("/observations/", new { person_id = person, type = "work_session", content = content ?? new { duration_minutes = 90, productivity_score = 5, start = "2026-05-04T09:00:00Z", interruptions = 3 } });
        return person;
    }

    private async Task Known(Guid person) => await Eventually.True("the mindscape is there", async () => (await _http.GetAsync($"/personakit/api/mindscapes/{person}")).StatusCode == HttpStatusCode.OK);

    [Fact]
    public async Task Every_resource_is_at_each_of_its_places_with_and_without_a_slash()
    {
        foreach (var place in (string[])["", "/api", "/api/v1"])
        {
            foreach (var slash in (string[])["", "/"])
            {
                foreach (var resource in (string[])["/health", "/health/ready", "/observations", "/personas", "/mappers", "/mappers/mappers", "/mappers/daily-work-optimizer", "/mappers/mappers/daily-work-optimizer/versions"])
                {
                    await Get($"{place}{resource}{slash}");
                }
            }
        }

        Assert.Equal("""{"detail":"Not Found"}""", (await Get("/nowhere", 404)).ToJsonString());
        Assert.Equal("""{"detail":"Method Not Allowed"}""", (await Call(HttpMethod.Delete, "/observations/", null, 405)).ToJsonString());
    }

    [Fact]
    public async Task Health_needs_no_key_and_all_else_does()
    {
        using var anybody = room.Client();
        Task<JsonNode> Get(string path, int status = 200) => Call(HttpMethod.Get, path, null, status, anybody);
        var health = await Get("/health/");
        Has(health, "status", "service", "version", "timestamp");
        Assert.Equal(("healthy", "PersonaKit", "0.1.0"), ((string?)health["status"], (string?)health["service"], (string?)health["version"]));
        Has(await Get("/health/ready"), "status", "database", "timestamp");
        Has(await Get("/observations/", 401), "detail");
    }

    [Fact]
    public async Task Observations()
    {
        var person = Guid.NewGuid();
        var one = await Post("/observations/", new { person_id = person, type = "work_session", content = new { duration_minutes = 90 }, meta = new { source = "wizard" }, nobody_knows = 1 });
        Has(one, "person_id", "type", "observation_type", "content", "meta", "metadata", "id", "created_at");
        Assert.Equal(("work_session", "wizard", "wizard"), ((string?)one["observation_type"], (string?)one["meta"]!["source"], (string?)one["metadata"]!["source"]));
        var two = await Post("/api/observations", new { person_id = person, observation_type = "custom_thing", content = new { }, metadata = new { a = 1 } });
        Assert.Equal(("custom_thing", 1), ((string?)two["type"], (int)two["meta"]!["a"]!));
        var all = (await Get($"/observations/?person_id={person}")).AsArray();
        Assert.Equal([(string)two["id"]!, (string)one["id"]!], all.Select(it => (string)it!["id"]!));
        Assert.Equal((string)one["id"]!, (string)Assert.Single((await Get($"/observations/?person_id={person}&limit=1&offset=1")).AsArray())!["id"]!);
        foreach (var ahead in (string[])[$"{_clock.GetUtcNow().AddMinutes(61):yyyy-MM-ddTHH:mm:ss}", $"{_clock.GetUtcNow().AddMinutes(61):yyyy-MM-ddTHH:mm:ss}Z"])
        {
            Has(await Post("/observations/", new { person_id = person, type = "user_input", content = new { timestamp = ahead } }, 400), "detail");
        }

        await Post("/observations/", new { person_id = person, type = "user_input", content = new { timestamp = $"{_clock.GetUtcNow().AddMinutes(59):O}" } });
    }

    [Fact]
    public async Task Users_are_service_keys_by_email_and_a_new_key_ends_the_former()
    {
        using var admin = room.Client();
        admin.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await room.Node.AdminKey());
        var made = await Call(HttpMethod.Post, "/api/users", new { email = "ada@example.com", full_name = "Ada" }, 201, admin);
        Has(made, "id", "email", "api_key");
        Assert.Equal("ada@example.com", (string?)made["email"]);
        Has(await Call(HttpMethod.Post, "/api/users/", new { email = "ADA@example.com" }, 409, admin), "detail");
        Assert.Equal("value_error", (string?)(await Call(HttpMethod.Post, "/api/users", new { email = "ada" }, 422, admin))["detail"]![0]!["type"]);
        Assert.Equal("missing", (string?)(await Call(HttpMethod.Post, "/users", new { }, 422, admin))["detail"]![0]!["type"]);
        Has(await Post("/api/users", new { email = "ben@example.com" }, 403), "detail");
        using var ada = room.Client();
        async Task<JsonNode> AsAda(JsonNode user, int status)
        {
            ada.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)user["api_key"]!);
            return await Call(HttpMethod.Get, "/observations/", null, status, ada);
        }

        await AsAda(made, 200);
        // Ids of one moment have no order.
        _clock.Advance(TimeSpan.FromSeconds(1));
        var again = await Call(HttpMethod.Post, $"/api/users/{made["id"]}/regenerate-key", null, 200, admin);
        Assert.Equal(((string?)made["id"], "ada@example.com"), ((string?)again["id"], (string?)again["email"]));
        await AsAda(made, 401);
        await AsAda(again, 200);
        var third = await Call(HttpMethod.Post, $"/api/users/{made["id"]}/regenerate-key/", null, 200, admin);
        await AsAda(again, 401);
        await AsAda(third, 200);
        var listed = Assert.Single((await Call(HttpMethod.Get, "/api/users", null, 200, admin)).AsArray())!;
        Assert.Equal(((string?)made["id"], "ada@example.com", true), ((string?)listed["id"], (string?)listed["email"], (bool)listed["is_active"]!));
        Assert.DoesNotContain("pa_", listed.ToJsonString(), StringComparison.Ordinal);
        Has(await Call(HttpMethod.Post, $"/api/users/{Guid.NewGuid()}/regenerate-key", null, 404, admin), "detail");
        Has(await Call(HttpMethod.Post, "/api/users/7/regenerate-key", null, 422, admin), "detail");
    }

    public static TheoryData<string, string, string?, string> Mistakes => new()
    {
        { "POST", "/observations/", "{}", "missing body.person_id,missing body.type,missing body.content" },
        { "POST", "/observations/", """{"person_id":"x","type":5,"content":[]}""", "uuid_parsing body.person_id,string_type body.type,dict_type body.content" },
        { "POST", "/observations/", "{", "json_invalid body.1" },
        { "POST", "/observations/", "[]", "model_attributes_type body,missing body.person_id,missing body.type,missing body.content" },
        { "GET", "/observations/?limit=0", null, "greater_than_equal query.limit" },
        { "GET", "/observations/?limit=1001&person_id=7", null, "uuid_parsing query.person_id,less_than_equal query.limit" },
        { "GET", "/observations/?offset=x", null, "int_parsing query.offset" },
        { "POST", "/personas/", """{"person_id":"565bdb63-124b-4692-a039-846fddceff90","mapper_id":"m","ttl_hours":0}""", "greater_than_equal body.ttl_hours" },
        { "POST", "/personas/", """{"person_id":"565bdb63-124b-4692-a039-846fddceff90","mapper_id":"m","ttl_hours":169,"context":1}""", "dict_type body.context,less_than_equal body.ttl_hours" },
        { "GET", "/personas/active", null, "missing query.person_id" },
        { "GET", "/personas/7", null, "uuid_parsing path.persona_id" },
        { "POST", "/feedback/", """{"persona_id":"565bdb63-124b-4692-a039-846fddceff90","rating":6,"helpful":"maybe"}""", "less_than_equal body.rating,bool_parsing body.helpful" },
        { "POST", "/mappers", """{"config_id":"x","configuration":{},"status":"done"}""", "enum body.status" },
        { "POST", "/mappers/upload", "{}", "missing body.file" },
        { "PUT", "/api/mindscapes/565bdb63-124b-4692-a039-846fddceff90", "{}", "missing body.traits" },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public async Task What_is_not_valid_is_422_with_each_mistake_in_its_place(string method, string path, string? body, string expected)
    {
        var detail = (await Call(new HttpMethod(method), path, body, 422))["detail"]!.AsArray();
        Assert.All(detail, error => Has(error!, "type", "loc", "msg", "input"));
        Assert.Equal(expected, string.Join(',', detail.Select(error => $"{error!["type"]} {string.Join('.', error["loc"]!.AsArray())}")));
    }

    [Fact]
    public async Task Personas()
    {
        var nobody = Guid.NewGuid();
        Assert.Equal($"No mindscape found for person {nobody}", (string?)(await Post("/personas/", new { person_id = nobody, mapper_id = "daily-work-optimizer" }, 404))["detail"]);
        var person = await Person();
        Assert.Equal("No active mapper configuration found for 'x'", (string?)(await Post("/personas/", new { person_id = person, mapper_id = "x" }, 422))["detail"]);
        var persona = await Post("/personas/", new { person_id = person, mapper_id = "daily-work-optimizer", context = new { current_time = "2026-05-04T09:30:00Z", time_of_day = "morning" }, ttl_hours = 2 });
        Has(persona, "id", "person_id", "mapper_id", "mapper_config_id", "mapper_version", "core", "overlay", "expires_at", "created_at", "narrative_context", "metadata");
        Assert.Equal(("daily-work-optimizer", 1), ((string?)persona["mapper_config_id"], (int)persona["mapper_version"]!));
        var core = persona["core"]!;
        Assert.Equal((90, 90, 45), ((int)core["work_style"]!["focus_blocks"]!["default"]!, (int)core["work_style"]!["focus_blocks"]!["deep_work"]!, (int)core["work_style"]!["focus_blocks"]!["light_work"]!));
        Assert.Equal(1, (int)core["generated_from_mindscape_version"]!);
        var state = persona["overlay"]!["current_state"]!;
        Assert.Equal(("high", true, true, "deep_work"), ((string?)state["energy_level"], (bool)state["is_peak_time"]!, (bool)state["focus_available"]!, (string?)state["recommended_task_type"]));
        Has(persona["overlay"]!, "current_state", "suggestions", "active_patterns");
        var suggestion = persona["overlay"]!["suggestions"]![0]!;
        Assert.Subset(suggestion.AsObject().Select(member => member.Key).ToHashSet(), new HashSet<string> { "id", "type", "title", "description", "priority", "metadata", "parameters", "rule_id", "weight" });
        Has(persona["metadata"]!, "generated_at", "rule_count", "fired_rules", "suggestion_count", "context", "narrative_usage", "stale");

        Assert.Equal((string)persona["id"]!, (string)(await Get($"/personas/{persona["id"]}"))["id"]!);
        Assert.Single((await Get($"/personas/active?person_id={person}")).AsArray());
        Assert.Equal($"Persona {nobody} not found", (string?)(await Get($"/personas/{nobody}", 404))["detail"]);
        _clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal("""{"detail":"Persona has expired"}""", (await Get($"/personas/{persona["id"]}", 410)).ToJsonString());
        Assert.Empty((await Get($"/personas/active?person_id={person}")).AsArray());
        Assert.Single((await Get($"/personas/?person_id={person}")).AsArray());
        await Post("/mappers", new { config_id = "strict", status = "active", configuration = new { metadata = new { id = "strict" }, required_traits = new[] { "a.b", "work.focus_duration", "c" }, rules = Array.Empty<object>() } });
        Assert.Equal("Mindscape missing required traits: a.b, c", (string?)(await Post("/personas/", new { person_id = person, mapper_id = "strict" }, 422))["detail"]);
    }

    [Fact]
    public async Task Feedback()
    {
        await Post("/mappers", new { config_id = "loved", configuration = (await Get("/mappers/daily-work-optimizer"))["configuration"], status = "active" });
        var persona = await Post("/personas/", new { person_id = await Person(), mapper_id = "loved" });
        var one = await Post("/feedback/", new { persona_id = (string)persona["id"]!, rating = 5, helpful = true, context = new { where = "here" }, rule_id = "batch_similar_tasks" });
        Has(one, "id", "persona_id", "rating", "helpful", "context", "rule_id", "mapper_version", "created_at");
        Has(one["context"]!, "where", "persona_mapper", "persona_created_at", "submission_time", "submission_hour", "suggestion_type", "suggestion_title");
        Assert.Equal(("task_batching", "Like with like", "loved"), ((string?)one["context"]!["suggestion_type"], (string?)one["context"]!["suggestion_title"], (string?)one["context"]!["persona_mapper"]));
        for (var i = 0; i < 9; i++)
        {
            await Post("/feedback/", new { persona_id = (string)persona["id"]!, rating = i % 2 == 0 ? 3 : 1 });
        }

        Assert.Equal("""{"detail":"Rate limit exceeded. Maximum 10 feedback per day."}""", (await Post("/feedback/", new { persona_id = (string)persona["id"]! }, 429)).ToJsonString());
        Has(await Post("/feedback/", new { persona_id = Guid.NewGuid() }, 404), "detail");
        var person = await Get($"/feedback/analytics?person_id={persona["person_id"]}");
        Has(person, "period_days", "total_feedback", "positive", "negative", "neutral", "positive_rate", "by_suggestion_type", "average_rating");
        Assert.Equal((7, 10, 1, 4, 5, .1), ((int)person["period_days"]!, (int)person["total_feedback"]!, (int)person["positive"]!, (int)person["negative"]!, (int)person["neutral"]!, (double)person["positive_rate"]!));
        var mapper = await Get("/feedback/analytics?mapper_id=loved&days=30");
        Has(mapper, "mapper_id", "period_days", "total_personas", "total_feedback", "positive", "negative", "neutral", "positive_rate", "negative_rate");
        Assert.Equal((30, 1, .4), ((int)mapper["period_days"]!, (int)mapper["total_personas"]!, (double)mapper["negative_rate"]!));
        Has(await Get("/feedback/analytics", 400), "detail");
        Assert.Equal(1.1, (double)(await Get("/mappers/loved"))["configuration"]!["rules"]!.AsArray().Single(rule => (string?)rule!["id"] == "batch_similar_tasks")!["weight"]!);
    }

    [Fact]
    public async Task Mappers()
    {
        var before = (int)(await Get("/mappers"))["total"]!;
        var configuration = new { metadata = new { id = "m", name = "M", description = "d" }, rules = Array.Empty<object>(), templates = new { } };
        var one = await Post("/mappers", new { config_id = "m", configuration });
        Has(one, "id", "config_id", "version", "configuration", "status", "usage_count", "created_at", "updated_at", "created_by");
        Assert.Equal((1, "draft"), ((int)one["version"]!, (string?)one["status"]));
        Assert.Equal("Mapper 'm' already exists. Use PUT to update.", (string?)(await Post("/mappers", new { config_id = "m", configuration }, 409))["detail"]);
        var refused = (await Post("/mappers", new { config_id = "n", configuration = new { rules = 5 } }, 400))["detail"]!;
        Has(refused, "message", "errors");
        Assert.Equal(("Invalid configuration", 2), ((string?)refused["message"], refused["errors"]!.AsArray().Count));
        Assert.Equal(2, (int)(await Call(HttpMethod.Put, "/mappers/m", new { configuration, status = "active" }, 200))["version"]!);
        Assert.Equal("""{"detail":"Mapper configuration not found"}""", (await Call(HttpMethod.Put, "/mappers/none", new { status = "active" }, 404)).ToJsonString());

        MultipartFormDataContent Form(string name, string text) => new() { { new ByteArrayContent(Encoding.UTF8.GetBytes(text)), "file", name }, { new StringContent("active"), "status" } };
        const string yaml = "metadata: {id: m}\nrules: []\n";
        Assert.Equal((3, "active"), await Post("/mappers/upload", Form("m.yaml", yaml)) is var third ? ((int)third["version"]!, (string?)third["status"]) : default);
        Has(await Post("/mappers/upload", Form("m.txt", yaml), 400), "detail");
        Has(await Post("/mappers/upload", Form("m.json", yaml), 400), "detail");
        Has(await Post("/mappers/upload", Form("m.yml", "a: ["), 400), "detail");
        Has(await Post("/mappers/upload", Form("m.yml", new string('#', (1024 * 1024) + 1)), 400), "detail");

        var list = await Get("/mappers?limit=2");
        Assert.Equal((2, before + 1), (list["mappers"]!.AsArray().Count, (int)list["total"]!));
        Assert.Equal((string?)list["mappers"]![1]!["config_id"], (string?)(await Get("/mappers?skip=1&limit=1"))["mappers"]![0]!["config_id"]);
        Assert.Equal("""{"detail":"Invalid status: x"}""", (await Get("/mappers?status=x", 400)).ToJsonString());
        Assert.Equal([3, 2, 1], (await Get("/mappers/m/versions")).AsArray().Select(version => (int)version!["version"]!));
        Assert.Equal(1, (int)(await Get("/mappers/m?version=1"))["version"]!);
        Assert.Equal(1, (int)(await Get($"/mappers/{one["id"]}"))["version"]!);
        Assert.Equal("""{"detail":"Mapper configuration not found"}""", (await Get("/mappers/none", 404)).ToJsonString());
        Assert.Equal("Deprecated 2 versions of mapper 'm'", (string?)(await Call(HttpMethod.Delete, "/mappers/m", null, 200))["message"]);
        await Call(HttpMethod.Delete, "/mappers/none", null, 404);
    }

    [Fact]
    public async Task Mindscapes()
    {
        var person = await Person();
        await Known(person);
        var known = await Get($"/api/mindscapes/{person}");
        Has(known, "person_id", "traits", "version", "updated_at");
        Has(known["traits"]!["work.focus_duration"]!, "value", "confidence", "sample_size", "first_seen", "last_seen");
        var set = await Call(HttpMethod.Put, $"/api/mindscapes/{person}", new { traits = new { work = new { chronotype = "morning" } }, version = 1 }, 200);
        Assert.Equal(("""{"work":{"chronotype":"morning"}}""", 2), (set["traits"]!.ToJsonString(), (int)set["version"]!));
        Has(await Call(HttpMethod.Put, $"/api/mindscapes/{person}", new { traits = new { }, version = 1 }, 409), "detail");
        Has(await Get($"/api/mindscapes/{Guid.NewGuid()}", 404), "detail");
    }

    [Fact]
    public async Task Narratives()
    {
        var person = Guid.NewGuid();
        var one = await Post("/api/narratives/self-observation", new { person_id = person, raw_text = "I feel most productive in the morning", context = new { mood = "good" }, source = "app" });
        Has(one, "id", "message", "embedding_generated");
        Assert.Equal(("Self-observation created successfully", true), ((string?)one["message"], (bool)one["embedding_generated"]!));
        var curation = new { person_id = person, raw_text = "It's 45", trait_path = "work.focus_duration", action = "correct", original_value = 60 };
        Assert.Equal("Curation for work.focus_duration created successfully", (string?)(await Post("/api/narratives/curate", curation))["message"]);
        await Post("/api/narratives/curation/", new { person_id = person, raw_text = "More of that", trait_path = "work.focus_duration", action = "expand", original_value = (int?)null });
        Assert.Equal(45, (double)(await Get($"/api/mindscapes/{person}"))["traits"]!["work.focus_duration"]!["value"]!);
        Assert.Equal("""{"detail":"Text cannot be empty"}""", (await Post("/api/narratives/self-observation", new { person_id = person, raw_text = "  " }, 400)).ToJsonString());
        await Post("/api/narratives/curate", new { person_id = person, raw_text = "x", trait_path = "a", action = "correct" }, 422);
        await Post("/api/narratives/curate", new { person_id = person, raw_text = "x", trait_path = "a", action = "burn", original_value = 1 }, 422);

        var found = await Post("/api/narratives/search", new { person_id = person, query = "when am I most productive", threshold = .5, narrative_type = "self_observation" });
        Has(found, "query", "results", "total_found", "search_time_ms", "mode");
        var result = Assert.Single(found["results"]!.AsArray())!;
        Assert.Equal((1, (string?)one["id"], "I feel most productive in the morning"), ((int)found["total_found"]!, (string?)result["narrative"]!["id"], (string?)result["excerpt"]));
        Assert.InRange((double)result["similarity_score"]!, .7, 1);
        await Post("/api/narratives/search", new { person_id = person, query = "x", min_similarity = 2 }, 422);

        var narrative = await Get($"/api/narratives/{one["id"]}");
        Has(narrative, "id", "person_id", "narrative_type", "raw_text", "curated_text", "tags", "context", "trait_path", "curation_action", "source", "embedding_generated", "version", "created_at", "updated_at");
        Assert.Equal(("self_observation", "good", "app"), ((string?)narrative["narrative_type"], (string?)narrative["context"]!["mood"], (string?)narrative["source"]));
        Assert.Equal(3, (await Get($"/api/narratives/person/{person}")).AsArray().Count);
        Assert.Equal(2, (await Get($"/api/narratives/?person_id={person}&narrative_type=curation")).AsArray().Count);
        Assert.Equal(2, (int)(await Call(HttpMethod.Put, $"/api/narratives/{one["id"]}", new { raw_text = new string('a', 250) }, 200))["version"]!);
        Assert.Equal(203, ((string)(await Post("/api/narratives/search", new { person_id = person, query = new string('a', 250), min_similarity = 0, limit = 1 }))["results"]![0]!["excerpt"]!).Length);
        using var gone = await _http.DeleteAsync($"/personakit/api/narratives/{one["id"]}");
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        Assert.Equal("""{"detail":"Narrative not found"}""", (await Get($"/api/narratives/{one["id"]}", 404)).ToJsonString());
    }
}
