using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;

namespace PersonaActors.Tests.Mindscapes;

/// <summary>Mappers and what feedback makes of them, over HTTP, on a clock of the test's.</summary>
public sealed class MapperTests(MapperTests.Room room) : IClassFixture<MapperTests.Room>
{
    private readonly FakeTimeProvider _clock = room.Clock;
    private readonly TestDatabase _database = room.Database;
    private readonly Node _node = room.Node;
    private readonly ApiClient _api = room.Api;

    /// <summary>Each test's own.</summary>
    private readonly string _mapper = $"m-{Guid.NewGuid():N}";

    public sealed class Room : ClockedRoom
    {
        public ApiClient Api { get; private set; } = null!;

        protected override bool HasAuth => false;

        public override async Task InitializeAsync()
        {
            await base.InitializeAsync();
            Api = Node.Client();
        }

        public override async Task DisposeAsync()
        {
            Api.Dispose();
            await base.DisposeAsync();
        }
    }

    private static JsonObject Mapper(string id, double weight = 1, string more = "") => JsonNode.Parse($$$"""
        {"metadata":{"id":"{{{id}}}","name":"M","description":"d"},"trait_mappings":{"rest":["a"]},
         "rules":[{"id":"r","weight":{{{weight.ToString(System.Globalization.CultureInfo.InvariantCulture)}}},"conditions":{"all":[{"trait_check":{"path":"a","operator":"exists"}}]},
           "actions":[{"generate_suggestion":{"type":"rest","title":"Rest","description":"a is {a}"}}]}]{{{more}}}}
        """)!.AsObject();

    private async Task<Guid> Person()
    {
        var person = Guid.NewGuid();
        (await _api.Post("/v1/observations", new { person, type = "note", content = new { traits = new { a = 1 } } })).Should(HttpStatusCode.Created);
        return person;
    }

    private async Task<JsonObject> Persona(Guid person, string mapper) => (await _api.Post("/v1/generated-personas", new { person, mapper })).Should(HttpStatusCode.Created).Json;

    private Task<ApiAnswer> Say(JsonObject persona, object what) => _api.Post("/v1/feedback", Merge(new { personaId = (string)persona["id"]! }, what));

    private static JsonObject Merge(object one, object other)
    {
        var merged = JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(one))!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(other))!.AsObject())
        {
            merged[name] = value?.DeepClone();
        }

        return merged;
    }

    private async Task<double> Weight(string mapper) => (double)(await _api.Get($"/v1/mappers/{mapper}")).Should(HttpStatusCode.OK).Json["configuration"]!["rules"]![0]!["weight"]!;

    [Fact]
    public async Task Versions_follow_each_other_and_one_at_most_is_active()
    {
        (await _api.Post("/v1/mappers", new { configId = _mapper, configuration = Mapper(_mapper), status = "active" })).Should(HttpStatusCode.Created);
        (await _api.Post("/v1/mappers", new { configId = _mapper, configuration = Mapper(_mapper) })).ShouldRefuse(HttpStatusCode.Conflict, "mapper_exists");
        var second = (await _api.Put($"/v1/mappers/{_mapper}", new { configuration = Mapper(_mapper, 1.5), status = "active" })).Should(HttpStatusCode.Created).Json;
        Assert.Equal(2, (int)second["version"]!);
        (await _api.Put($"/v1/mappers/{_mapper}", new { status = "draft" })).Should(HttpStatusCode.Created);
        var versions = (await _api.Get($"/v1/mappers/{_mapper}/versions")).Json["items"]!.AsArray();
        Assert.Equal([(3, "draft"), (2, "active"), (1, "deprecated")], versions.Select(version => ((int)version!["version"]!, (string)version["status"]!)));
        var person = await Person();
        var persona = await Persona(person, _mapper);
        Assert.Equal(2, (int)persona["mapperVersion"]!);
        Assert.Equal("a is 1", (string?)persona["overlay"]!["suggestions"]![0]!["description"]);
        Assert.Equal(1, (int)(await _api.Get($"/v1/mappers/{second["id"]}")).Json["usageCount"]!);
        Assert.Equal(2, (int)(await _api.Delete($"/v1/mappers/{_mapper}")).Should(HttpStatusCode.OK).Json["versions"]!);
        (await _api.Post("/v1/generated-personas", new { person, mapper = _mapper })).ShouldRefuse(HttpStatusCode.UnprocessableEntity, "no_active_mapper");
        (await _api.Put("/v1/mappers/nothing", new { status = "active" })).ShouldRefuse(HttpStatusCode.NotFound, "mapper_not_found");
        Assert.Equal(["daily-work-optimizer", _mapper, "therapy-insights"], (await _api.Get("/v1/mappers")).Json["items"]!.AsArray().Select(mapper => (string)mapper!["configId"]!).Where(name => !name.StartsWith("m-", StringComparison.Ordinal) || name == _mapper).Except(["y"]));
        const string two = "INSERT INTO mapper_configs (tenant_id, id, mapper, config_id, version, configuration, status, created_at, updated_at) SELECT tenant_id, gen_random_uuid(), mapper, config_id, 9, '{}', 'active', now(), now() FROM mapper_configs WHERE config_id = 'daily-work-optimizer'";
        Assert.Equal("mapper_configs_active", (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => Sql.Run(_database.Superuser, two))).ConstraintName);
    }

    [Fact]
    public async Task A_file_is_uploaded_and_its_mistakes_are_named()
    {
        const string yaml = "metadata: {id: y}\nrules:\n  - id: r\n    conditions: {all: []}\n    actions: [{type: suggestion, template: Rest.}]\n";
        using var http = new HttpClient { BaseAddress = _node.Address };
        async Task<ApiAnswer> Upload(string text)
        {
            using var answer = await http.PostAsync("/v1/mappers/upload?status=active", new StringContent(text, System.Text.Encoding.UTF8, "application/yaml"));
            return new ApiAnswer(answer.StatusCode, answer.Headers, await answer.Content.ReadAsStringAsync());
        }

        Assert.Equal(1, (int)(await Upload(yaml)).Should(HttpStatusCode.Created).Json["version"]!);
        Assert.Equal(2, (int)(await Upload(yaml)).Should(HttpStatusCode.Created).Json["version"]!);
        var refused = (await Upload(yaml.Replace("all", "every", StringComparison.Ordinal).Replace("suggestion", "hint", StringComparison.Ordinal))).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_mapper");
        Assert.Equal(2, refused.Json["errors"]!.AsArray().Count);
        (await Upload("a: [")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await Upload("rules: []")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_mapper");
    }

    [Fact]
    public async Task A_mapper_is_tried_on_a_person_without_a_trace()
    {
        var person = await Person();
        (await _api.Post("/v1/mappers", new { configId = _mapper, configuration = Mapper(_mapper), status = "active" })).Should(HttpStatusCode.Created);
        var tried = (await _api.Post($"/v1/mappers/{_mapper}:simulate", new { person, traits = new Dictionary<string, object> { ["a"] = "blue" } })).Should(HttpStatusCode.OK).Json;
        Assert.Equal("a is blue", (string?)tried["suggestions"]![0]!["description"]);
        Assert.Equal("trait a exists: it is \"blue\"", (string?)tried["rules"]![0]!["condition"]!["of"]![0]!["why"]);
        var other = (await _api.Post($"/v1/mappers/{_mapper}:simulate", new { person, configuration = Mapper(_mapper, 0) })).Should(HttpStatusCode.OK).Json;
        Assert.Empty(other["suggestions"]!.AsArray());
        Assert.False((bool)other["rules"]![0]!["fired"]!);
        (await _api.Post($"/v1/mappers/{_mapper}:simulate", new { person, configuration = new { } })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_mapper");
        Assert.Equal(0, await Sql.Ask<long>(_database.Superuser, $"SELECT count(*) FROM generated_personas WHERE mapper_config_id = '{_mapper}'"));
        Assert.Equal(0, (int)(await _api.Get($"/v1/mappers/{_mapper}")).Json["usageCount"]!);
    }

    [Fact]
    public async Task Helpful_answers_raise_a_rule_and_the_fifth_that_is_not_lowers_it()
    {
        (await _api.Post("/v1/mappers", new { configId = _mapper, configuration = Mapper(_mapper), status = "active" })).Should(HttpStatusCode.Created);
        var person = await Person();
        var persona = await Persona(person, _mapper);
        (await Say(persona, new { ruleId = "r", helpful = true })).Should(HttpStatusCode.Created);
        Assert.Equal(1.1, await Weight(_mapper));
        for (var i = 1; i <= 4; i++)
        {
            (await Say(persona, new { ruleId = "r", rating = 1 })).Should(HttpStatusCode.Created);
        }

        Assert.Equal(1.1, await Weight(_mapper));
        (await Say(persona, new { ruleId = "r", helpful = false })).Should(HttpStatusCode.Created);
        Assert.Equal(.88, await Weight(_mapper));
        Assert.Equal(.88, (double)(await Persona(person, _mapper))["overlay"]!["suggestions"]![0]!["weight"]!);
        _clock.Advance(TimeSpan.FromMinutes(1));
        // Another person's six the same day: the rule goes down once a day.
        var other = await Persona(await Person(), _mapper);
        for (var i = 0; i < 6; i++)
        {
            (await Say(other, new { ruleId = "r", helpful = false })).Should(HttpStatusCode.Created);
        }

        Assert.Equal(.88, await Weight(_mapper));
        _clock.Advance(TimeSpan.FromHours(25));
        other = await Persona(await Person(), _mapper);
        (await Say(other, new { ruleId = "r", helpful = false })).Should(HttpStatusCode.Created);
        Assert.Equal(.704, await Weight(_mapper));
        var told = await Sql.Rows(_database.Superuser, $"SELECT data ->> 'after' FROM events WHERE stream LIKE 'mindscape:%' AND type = 'mapper.adjusted' AND data ->> 'mapper' = '{_mapper}' ORDER BY at, seq", row => row.GetString(0));
        Assert.Equal(["1.1", "0.88", "0.704"], told);
        (await _api.Put($"/v1/mappers/{_mapper}/rules/r/lock", new { locked = true })).Should(HttpStatusCode.OK);
        (await Say(other, new { ruleId = "r", helpful = true })).Should(HttpStatusCode.Created);
        Assert.Equal(.704, await Weight(_mapper));
        var published = (await _api.Post($"/v1/mappers/{_mapper}/weights:publish", null)).Should(HttpStatusCode.Created).Json;
        Assert.Equal((2, .704), ((int)published["version"]!, (double)published["configuration"]!["rules"]![0]!["weight"]!));
        Assert.Equal(.704, await Weight(_mapper));
        // Somebody sets it anew: what feedback made of the old one counts no longer.
        (await _api.Put($"/v1/mappers/{_mapper}", new { configuration = Mapper(_mapper, 2) })).Should(HttpStatusCode.Created);
        Assert.Equal(2, await Weight(_mapper));
    }

    [Fact]
    public async Task Feedback_without_a_rule_weighs_the_traits_behind_the_suggestion()
    {
        (await _api.Post("/v1/mappers", new { configId = _mapper, configuration = Mapper(_mapper), status = "active" })).Should(HttpStatusCode.Created);
        var person = await Person();
        var persona = await Persona(person, _mapper);
        async Task<double> Of() => (double)(await _api.Get($"/v1/mindscapes/{person}/traits/a")).Json["weight"]!;
        var said = (await Say(persona, new { helpful = true, context = new { suggestion_id = (string)persona["overlay"]!["suggestions"]![0]!["id"]! } })).Should(HttpStatusCode.Created).Json;
        Assert.Equal(("rest", "Rest", _mapper), ((string?)said["context"]!["suggestion_type"], (string?)said["context"]!["suggestion_title"], (string?)said["context"]!["persona_mapper"]));
        Assert.Equal(1.1, await Of());
        for (var i = 0; i < 4; i++)
        {
            (await Say(persona, new { helpful = false, context = new { suggestion_type = "rest" } })).Should(HttpStatusCode.Created);
        }

        Assert.Equal(1.1, await Of());
        (await Say(persona, new { helpful = false, context = new { suggestion_type = "rest" } })).Should(HttpStatusCode.Created);
        Assert.Equal(.88, await Of());
        (await Say(persona, new { helpful = false, context = new { suggestion_type = "rest" } })).Should(HttpStatusCode.Created);
        Assert.Equal(.88, await Of());
        var report = (await _api.Get($"/v1/feedback/analytics?person={person}")).Json;
        Assert.Equal((7, 1, 6), ((int)report["totalFeedback"]!, (int)report["positive"]!, (int)report["negative"]!));
    }

    [Fact]
    public async Task Ten_answers_within_a_day_are_the_most_and_repeats_are_none()
    {
        (await _api.Post("/v1/mappers", new { configId = _mapper, configuration = Mapper(_mapper), status = "active" })).Should(HttpStatusCode.Created);
        var persona = await Persona(await Person(), _mapper);
        for (var i = 0; i < 10; i++)
        {
            (await Say(persona, new { rating = 3, clientId = $"{i}" })).Should(HttpStatusCode.Created);
            (await Say(persona, new { rating = 3, clientId = $"{i}" })).Should(HttpStatusCode.OK);
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        (await Say(persona, new { rating = 3 })).ShouldRefuse(HttpStatusCode.TooManyRequests, "feedback_rate_limit");
        _clock.Advance(TimeSpan.FromHours(23) + TimeSpan.FromMinutes(50.5));
        (await Say(persona, new { rating = 3 })).Should(HttpStatusCode.Created);
        (await Say(persona, new { rating = 3 })).ShouldRefuse(HttpStatusCode.TooManyRequests, "feedback_rate_limit");
    }

    [Fact]
    public async Task A_persona_holds_for_its_time_and_knows_of_a_focus_session()
    {
        (await _api.Post("/v1/mappers", new { configId = _mapper, configuration = Mapper(_mapper, 1, ""","required_traits":["a","b.c"]"""), status = "active" })).Should(HttpStatusCode.Created);
        var person = await Person();
        var missing = (await _api.Post("/v1/generated-personas", new { person, mapper = _mapper })).ShouldRefuse(HttpStatusCode.UnprocessableEntity, "missing_traits");
        Assert.Equal("Mindscape missing required traits: b.c", (string?)missing.Json["detail"]);
        (await _api.Post("/v1/observations", new { person, type = "note", content = new { traits = new Dictionary<string, object> { ["b.c"] = 1 } } })).Should(HttpStatusCode.Created);
        var persona = (await _api.Post("/v1/generated-personas", new { person, mapper = _mapper, ttlHours = 1 })).Should(HttpStatusCode.Created);
        Assert.True((bool)persona.Json["overlay"]!["current_state"]!["focus_available"]!);
        var session = (await _api.Post("/v1/focus/sessions", new { user = person, mode = "deep" })).Should(HttpStatusCode.Created).Id;
        var state = (await Persona(person, _mapper))["overlay"]!["current_state"]!;
        Assert.False((bool)state["focus_available"]!);
        Assert.Equal(("active", session.ToString()), ((string?)state["focus_session"]!["state"], (string?)state["focus_session"]!["id"]));
        (await _api.Post($"/v1/focus/sessions/{session}/end", null)).Should(HttpStatusCode.OK);
        Assert.True((bool)(await Persona(person, _mapper))["overlay"]!["current_state"]!["focus_available"]!);
        _clock.Advance(TimeSpan.FromHours(1));
        (await _api.Get($"/v1/generated-personas/{persona.Id}")).ShouldRefuse(HttpStatusCode.Gone, "persona_expired");
        Assert.Equal(3, (await _api.Get($"/v1/generated-personas?person={person}")).Json["items"]!.AsArray().Count);
        Assert.Equal(2, (await _api.Get($"/v1/generated-personas?person={person}&active=true")).Json["items"]!.AsArray().Count);
        (await _api.Post("/v1/generated-personas", new { person = Guid.NewGuid(), mapper = _mapper })).ShouldRefuse(HttpStatusCode.NotFound, "mindscape_not_found");
        (await _api.Post("/v1/generated-personas", new { person, mapper = _mapper, ttlHours = 169 })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }
}
