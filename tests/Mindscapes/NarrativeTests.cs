using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PersonaActors.Tests.Embeddings;

namespace PersonaActors.Tests.Mindscapes;

/// <summary>What people say in words, over HTTP, with the real encoder.</summary>
[Long]
public sealed class NarrativeTests(Room room) : IClassFixture<Room>
{
    private readonly ApiClient _service = room.Service;

    private async Task<JsonObject> Say(Guid person, string text, string? source = null) =>
        (await _service.Post("/v1/narratives", new { person, text, source })).Should(HttpStatusCode.Created).Json;

    private async Task<JsonObject> Find(Guid person, string query, string mode = "vector", double? minSimilarity = null, int limit = 10) =>
        (await _service.Post("/v1/narratives:search", new { person, query, mode, minSimilarity, limit })).Should(HttpStatusCode.OK).Json;

    private static IEnumerable<string> Texts(JsonObject found) => found["results"]!.AsArray().Select(result => (string)result!["narrative"]!["text"]!);

    [Fact]
    public async Task What_was_said_is_found_by_what_it_means()
    {
        var person = Guid.NewGuid();
        foreach (var text in (string[])["I feel most productive in the morning", "90-minute morning blocks work best for my coding", "I love listening to music while cooking", "Hiking in the mountains is my favourite weekend"])
        {
            Assert.True((bool)(await Say(person, text))["embeddingGenerated"]!);
        }

        var productive = await Find(person, "when am I most productive");
        Assert.Equal("I feel most productive in the morning", Texts(productive).First());
        Assert.InRange((double)productive["results"]![0]!["similarity"]!, .7, 1);
        var blocks = await Find(person, "90-minute morning blocks", minSimilarity: 0);
        Assert.Equal("90-minute morning blocks work best for my coding", Texts(blocks).First());
        Assert.Equal(4, Texts(blocks).Count());
        Assert.Equal(1, (double)(await Find(person, "I love listening to music while cooking"))["results"]![0]!["similarity"]!, 4);
        Assert.Empty(Texts(await Find(person, "the price of copper in Chile")));
        Assert.Equal(["I love listening to music while cooking"], Texts(await Find(person, "cooking", "words")));
        var both = await Find(person, "hiking", "hybrid");
        Assert.Equal(("Hiking in the mountains is my favourite weekend", "both"), (Texts(both).First(), (string?)both["results"]![0]!["foundBy"]));
        Assert.Empty(Texts(await Find(Guid.NewGuid(), "hiking", "hybrid")));
    }

    [Fact]
    public async Task In_labelled_conversations_both_together_find_clearly_more_than_meaning_or_words_alone()
    {
        var (vector, words, hybrid) = await Found(Soak.Of([Labelled.Rowing], Labelled.Conversations));
        Assert.True(hybrid >= 1.04 * vector && hybrid >= Soak.Of(1.2, 1.3) * words, $"vector {vector}, words {words}, hybrid {hybrid}");
    }

    [SoakFact]
    public async Task In_a_diary_which_meaning_finds_nearly_all_of_both_together_lose_next_to_nothing()
    {
        var (vector, words, hybrid) = await Found([Labelled.Diary]);
        Assert.True(hybrid >= .97 * vector && hybrid > words && vector >= .9 * Labelled.Diary.Questions.Count, $"vector {vector}, words {words}, hybrid {hybrid}");
    }

    /// <summary>How many questions have what answers them among the first five, each conversation a person's.</summary>
    private async Task<(int Vector, int Words, int Hybrid)> Found(IReadOnlyList<LabelledTalk> talks)
    {
        var (vector, words, hybrid) = (0, 0, 0);
        foreach (var talk in talks)
        {
            var person = Guid.NewGuid();
            foreach (var chunk in talk.Turns.Chunk(16))
            {
                await Task.WhenAll(chunk.Select(turn => Say(person, turn)));
            }

            async Task<int> Hits(string mode)
            {
                var hits = 0;
                foreach (var (question, answer) in talk.Questions)
                {
                    hits += Texts(await Find(person, question, mode, mode == "vector" ? 0 : null, 5)).Contains(talk.Turns[answer]) ? 1 : 0;
                }

                return hits;
            }

            vector += await Hits("vector");
            words += await Hits("words");
            hybrid += await Hits("hybrid");
        }

        return (vector, words, hybrid);
    }

    [Fact]
    public async Task A_correction_changes_the_trait_and_forgetting_it_takes_that_back()
    {
        var person = Guid.NewGuid();
        (await _service.Post("/v1/observations", new { person, type = "work_session", content = new { duration_minutes = 60 } })).Should(HttpStatusCode.Created);
        var path = $"/v1/mindscapes/{person}/traits/work.focus_duration";
        var curation = (await _service.Post("/v1/narratives", new
        {
            person,
            type = "curation",
            text = "It's 7654321 minutes, not an hour",
            traitPath = "work.focus_duration",
            action = "correct",
            originalValue = 60,
        })).Should(HttpStatusCode.Created).Json;
        Assert.Equal("curates", (string?)Assert.Single(curation["links"]!.AsArray())!["type"]);
        var trait = (await _service.Get(path)).Should(HttpStatusCode.OK).Json;
        Assert.Equal((7654321, 1, 2), ((double)trait["value"]!, (double)trait["confidence"]!, (long)trait["version"]!));
        var why = (await _service.Get($"{path}/why")).Should(HttpStatusCode.OK).Json["because"]!.AsArray();
        Assert.Equal(("curation", (string)curation["id"]!), ((string?)why[0]!["kind"], (string?)why[0]!["id"]));
        (await _service.Delete($"/v1/narratives/{curation["id"]}")).Should(HttpStatusCode.NoContent);
        trait = (await _service.Get(path)).Should(HttpStatusCode.OK).Json;
        Assert.Equal((60, .9), ((double)trait["value"]!, (double)trait["confidence"]!));
        (await _service.Get($"/v1/narratives/{curation["id"]}")).ShouldRefuse(HttpStatusCode.NotFound, "narrative_not_found");
        Assert.DoesNotContain("7654321", (await _service.Get($"/v1/mindscapes/{person}/history")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_it_says_of_traits_is_folded_and_linked()
    {
        var person = Guid.NewGuid();
        var one = (await _service.Post("/v1/narratives", new { person, text = "I work best early", traits = new Dictionary<string, object> { ["work.chronotype"] = "morning" } })).Should(HttpStatusCode.Created).Json;
        Assert.Equal(["extracted-from"], one["links"]!.AsArray().Select(link => (string)link!["type"]!));
        var two = (await _service.Post("/v1/narratives", new { person, text = "Still a morning person", traits = new Dictionary<string, object> { ["work.chronotype"] = "morning" } })).Should(HttpStatusCode.Created).Json;
        Assert.Equal(["extracted-from", "supports"], two["links"]!.AsArray().Select(link => (string)link!["type"]!));
        Assert.Equal(2, (int)(await _service.Get($"/v1/mindscapes/{person}/traits/work.chronotype")).Should(HttpStatusCode.OK).Json["sampleSize"]!);
    }

    [Fact]
    public async Task Narratives_are_read_listed_changed_and_told()
    {
        var person = Guid.NewGuid();
        var one = await Say(person, "My standing desk helps my back");
        var two = (await _service.Post("/v1/narratives", new { person, text = "Tea at four", tags = (string[])["tea"], source = "diary", clientId = "c1", context = new { mood = "calm" } })).Should(HttpStatusCode.Created).Json;
        Assert.Equal(["standing", "desk", "helps", "back"], one["tags"]!.AsArray().Select(tag => (string)tag!));
        Assert.Equal([(string)two["id"]!, (string)one["id"]!], (await _service.Get($"/v1/narratives?person={person}")).Should(HttpStatusCode.OK).Json["items"]!.AsArray().Select(item => (string)item!["id"]!));
        Assert.Equal((string)two["id"]!, (string)Assert.Single((await _service.Get($"/v1/narratives?person={person}&tag=tea")).Json["items"]!.AsArray())!["id"]!);
        Assert.Empty((await _service.Get($"/v1/narratives?person={person}&type=curation")).Should(HttpStatusCode.OK).Json["items"]!.AsArray());
        (await _service.Get($"/v1/narratives?person={person}&type=poem")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.Equal((string)two["id"]!, (await _service.Post("/v1/narratives", new { person, text = "Tea at five", clientId = "c1" })).Should(HttpStatusCode.OK).Id.ToString());

        var changed = (await _service.Put($"/v1/narratives/{two["id"]}", new { text = "Coffee at four", curatedText = "Has coffee at four." }, ("If-Match", "1"))).Should(HttpStatusCode.OK).Json;
        Assert.Equal((2, "calm"), ((int)changed["version"]!, (string?)changed["context"]!["mood"]));
        (await _service.Put($"/v1/narratives/{two["id"]}", new { text = "x" }, ("If-Match", "1"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        Assert.Equal("Coffee at four", Texts(await Find(person, "when do I drink coffee", minSimilarity: .3)).First());
        Assert.Empty(Texts(await Find(person, "tea", "words")));
        (await _service.Put($"/v1/narratives/{Guid.NewGuid()}", new { text = "x" })).ShouldRefuse(HttpStatusCode.NotFound, "narrative_not_found");
        (await _service.Delete($"/v1/narratives/{one["id"]}")).Should(HttpStatusCode.NoContent);
        (await _service.Delete($"/v1/narratives/{one["id"]}")).ShouldRefuse(HttpStatusCode.NotFound, "narrative_not_found");

        foreach (var body in (object[])[new { person, text = " " }, new { person, text = new string('a', 10_001) }, new { person, text = "x", tags = Enumerable.Repeat("t", 21) }, new { person, text = "x", traitPath = "a" },
            new { person, text = "x", type = "curation", traitPath = "a", action = "correct" }, new { person, type = "curation", text = "x", traitPath = "a", originalValue = 1 }])
        {
            (await _service.Post("/v1/narratives", body)).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        }

        foreach (var body in (object[])[new { person, query = "" }, new { person, query = new string('a', 1001) }, new { person, query = "x", limit = 0 }, new { person, query = "x", minSimilarity = 1.5 }])
        {
            (await _service.Post("/v1/narratives:search", body)).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        }

        (await _service.Put($"/v1/mindscapes/{person}/learning", new { paused = true })).Should(HttpStatusCode.OK);
        (await _service.Post("/v1/narratives", new { person, text = "not now" })).ShouldRefuse(HttpStatusCode.Conflict, "learning_paused");
    }

    [Fact]
    public async Task Recalled_text_that_is_sent_back_again_and_again_adds_nothing()
    {
        var person = Guid.NewGuid();
        const string text = "I like short meetings";
        var content = new { traits = new Dictionary<string, object> { ["meetings.length"] = "short" } };
        (await _service.Post("/v1/observations", new { person, type = "note", content })).Should(HttpStatusCode.Created);
        var said = await Say(person, text);
        await Eventually.True("it is known", async () => (await _service.Get($"/v1/mindscapes/{person}")).Status == HttpStatusCode.OK);
        var known = (await _service.Get($"/v1/mindscapes/{person}")).Json["traits"]!.ToJsonString();
        for (var i = 0; i < Soak.Of(10, 1000); i++)
        {
            Assert.Equal((string)said["id"]!, (await _service.Post("/v1/narratives", new { person, text = $" {text.ToUpperInvariant()} ", source = "agent" })).Should(HttpStatusCode.OK).Id.ToString());
            (await _service.Post("/v1/observations", new { person, type = "note", content, source = "recall" })).Should(HttpStatusCode.Created);
        }

        (await _service.Post("/v1/observations", new { person, type = "note", content = new { traits = new Dictionary<string, object> { ["end"] = true } } })).Should(HttpStatusCode.Created);
        await Eventually.True("all of it is folded", async () => (await _service.Get($"/v1/mindscapes/{person}")).Json["traits"]!["end"] is not null);
        var after = (await _service.Get($"/v1/mindscapes/{person}")).Json["traits"]!.AsObject();
        after.Remove("end");
        Assert.Equal(known, after.ToJsonString());
        Assert.Single((await _service.Get($"/v1/narratives?person={person}")).Json["items"]!.AsArray());
    }

    [Fact]
    public async Task A_rule_asks_what_was_said_and_what_it_found_goes_with_its_suggestions()
    {
        var person = Guid.NewGuid();
        var check = new { narrative_check = new { query = "when am I most productive", similarity_threshold = .7 } };
        object Rule(string id, object condition) => new { id, conditions = new { all = (object[])[condition] }, actions = (object[])[new { type = "suggestion", template = $"From {id}.", priority = "high" }] };
        var configuration = new { metadata = new { id = "said" }, rules = (object[])[Rule("near", check), Rule("plain", new { trait_check = new { path = "a", @operator = "exists" } }), Rule("far", new { narrative_check = new { query = "the price of copper", threshold = .7 } })] };
        await _service.Post("/v1/mappers", new { configId = "said", configuration, status = "active" });
        (await _service.Put($"/v1/mindscapes/{person}", new { traits = new { a = 1 } })).Should(HttpStatusCode.OK);
        var said = await Say(person, "I feel most productive in the morning");
        var persona = (await _service.Post("/v1/generated-personas", new { person, mapper = "said" })).Should(HttpStatusCode.Created).Json;
        var suggestions = persona["overlay"]!["suggestions"]!.AsArray();
        Assert.Equal(["near", "plain"], suggestions.Select(suggestion => (string)suggestion!["rule_id"]!).Order());
        var near = suggestions.Single(suggestion => (string)suggestion!["rule_id"]! == "near")!;
        Assert.Equal((string)said["id"]!, (string?)Assert.Single(near["narrative_context"]!.AsArray())!["narrative_id"]);
        Assert.Null(suggestions.Single(suggestion => (string)suggestion!["rule_id"]! == "plain")!["narrative_context"]);
        Assert.Equal((string)said["id"]!, (string?)Assert.Single(persona["metadata"]!["narrative_usage"]!.AsArray())!["narrative_id"]);
        Assert.Equal(1, await Sql.Ask<long>(room.Database.Migrator, $"SELECT count(*) FROM persona_narrative_usage WHERE person_id = '{person}'"));
    }

    [Fact]
    public async Task What_cannot_be_embedded_is_kept_found_by_its_words_and_embedded_later()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var endpoint = builder.Build();
        var isAway = true;
        endpoint.MapPost("/embeddings", (JsonNode body) => isAway
            ? Results.StatusCode(503)
            : Results.Json(new { data = body["input"]!.AsArray().Select((text, index) => new { index, embedding = (float[])[((string)text!).Contains("tea", StringComparison.Ordinal) ? 1 : 0, .1f] }) }));
        await endpoint.StartAsync();
        var clock = FakeTime.Start();
        await using var database = await TestDatabase.Create();
        await using var node = await Node.Start(database, clock, settings: [("Persona:Embeddings:Endpoint", endpoint.Urls.First()), ("Persona:Embeddings:Model", "tiny")]);
        using var service = node.Client(await node.ServiceKey());
        var person = Guid.NewGuid();
        var kept = (await service.Post("/v1/narratives", new { person, text = "I drink tea" })).Should(HttpStatusCode.Created).Json;
        Assert.False((bool)kept["embeddingGenerated"]!);
        var found = (await service.Post("/v1/narratives:search", new { person, query = "tea", mode = "hybrid" })).Should(HttpStatusCode.OK).Json;
        Assert.Equal(("words", 1), ((string?)found["mode"], found["results"]!.AsArray().Count));
        isAway = false;
        await Eventually.True("it has its vector", async () =>
        {
            clock.Advance(TimeSpan.FromSeconds(31));
            return (bool)(await service.Get($"/v1/narratives/{kept["id"]}")).Should(HttpStatusCode.OK).Json["embeddingGenerated"]!;
        });
        found = (await service.Post("/v1/narratives:search", new { person, query = "tea please", mode = "vector" })).Should(HttpStatusCode.OK).Json;
        Assert.Equal(("vector", 1), ((string?)found["mode"], (double)found["results"]![0]!["similarity"]!));
        Assert.Equal(0, await Sql.Ask<long>(database.Migrator, "SELECT count(*) FROM outbox_tasks WHERE attempts > 0"));
    }
}
