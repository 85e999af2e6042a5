using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using PersonaActors.Grains.Cards;
using PersonaActors.Grains.Imports;
using PersonaActors.Tests.Faults;
using PersonaActors.Tests.Imports;
using PersonaActors.Tests.Prompts;

namespace PersonaActors.Tests.Cards;

public sealed class CardTests(Room room) : IClassFixture<Room>
{
    private const string Second = """{"spec":"chara_card_v2","spec_version":"2.0","data":{"name":"Seraphina Blue","description":"A guardian of {{user}}.","personality":"kind","scenario":"","first_mes":"Hi","mes_example":"","extensions":{"x/y":[1.0,{"z":null}]},"character_book":{"entries":[]}}}""";

    private async Task<byte[]> Exported(HttpClient http, string slug, string format)
    {
        using var answer = await http.GetAsync(new Uri(room.Node.Address, $"/v1/personalities/{slug}/card?format={format}"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsByteArrayAsync();
    }

    [Fact]
    public async Task A_card_makes_a_private_personality_and_goes_out_as_it_came_in()
    {
        var person = await room.NewPerson();
        using var http = new HttpClient { DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", await room.Node.UserKey(person.Id)) } };
        var preview = (await person.Client.Post("/v1/imports/cards?dryRun=true", Second)).Should(HttpStatusCode.OK).Json;
        Assert.Empty((await person.Client.Get("/v1/personalities?search=seraphina")).Should(HttpStatusCode.OK).Json["items"]!.AsArray());
        var made = (await person.Client.Post("/v1/imports/cards", Second)).Should(HttpStatusCode.Created).Json;
        Assert.Equal((string)made["name"]!, (string)preview["personality"]!["name"]!);
        (await person.Client.Post("/v1/imports/cards?dryRun=true", "{}")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_card");
        // A name that makes no slug of its own gets one here as there.
        Assert.StartsWith("character", (string)(await person.Client.Post("/v1/imports/cards?dryRun=true", """{"spec":"chara_card_v2","spec_version":"2.0","data":{"name":"!!!","description":"Says little."}}""")).Should(HttpStatusCode.OK).Json["slug"]!);
        var slug = (string)made["slug"]!;
        Assert.Equal(("seraphina-blue", "A guardian of {{user}}.", false), (slug, (string)made["characterInfo"]!, (bool)made["isPublic"]!));
        Assert.Equal(Second, Encoding.UTF8.GetString(await Exported(http, slug, "json")));
        Assert.Contains("A guardian of somebody.", (await person.Client.Get($"/v1/personalities/{slug}/prompt?format=text")).Text);

        // The same picture, as a form's file, is another personality of the same card.
        var png = await Exported(http, slug, "png");
        using var form = new MultipartFormDataContent { { new ByteArrayContent(png), "file", "card.png" } };
        using var answer = await http.PostAsync(new Uri(room.Node.Address, "/v1/imports/cards"), form);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var second = (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["slug"]!;
        Assert.Equal("seraphina-blue-2", second);
        Assert.Equal(png, await Exported(http, second, "png"));
        Assert.Equal(Second, Encoding.UTF8.GetString(await Exported(http, second, "json")));
        var (third, _, _) = CardFile.Read(await Exported(http, second, "charx"));
        Assert.True(third!.IsThird);

        // What is changed later goes out too; what nobody here knows stays.
        (await person.Client.Patch($"/v1/personalities/{slug}", new { characterInfo = "Gone." })).Should(HttpStatusCode.OK);
        var changed = JsonNode.Parse(await Exported(http, slug, "json"))!["data"]!;
        Assert.Equal("Gone.", (string)changed["description"]!);
        Assert.Equal("""{"x/y":[1.0,{"z":null}]}""", changed["extensions"]!.ToJsonString());
    }

    [Fact]
    public async Task A_zip_of_cards_is_brought_card_by_card_and_again_it_changes_nothing()
    {
        var person = await room.NewPerson();
        var zip = CommandTable.Zipped(
            ("a/lila.json", """{"name":"Zora Grey","description":"d"}"""), ("b.json", """{"name":"Zora Grey","description":"other"}"""), ("c.txt", "no card"),
            ("d.json", """{"name":"Zora Grey","description":"d"}"""), ("__MACOSX/b.json", "{}"), (".DS_Store", "x"));
        async Task<JsonNode> Import(string query)
        {
            var job = await LegacyTests.Ended(person.Client, (await person.Client.Post($"/v1/imports/card-collections{query}", zip)).Should(HttpStatusCode.Created).Id);
            Assert.True((string?)job["status"] == "done", job.ToJsonString());
            return job["report"]!;
        }

        static string Told(JsonNode report) => string.Join(' ', report["cards"]!.AsArray().Select(card => $"{card!["file"]}:{card["action"]}:{card["slug"]}"));

        var dry = await Import("?dryRun=true");
        Assert.Equal((true, 2, 1, 1), ((bool)dry["dryRun"]!, (int)dry["created"]!, (int)dry["known"]!, (int)dry["refused"]!));
        Assert.Empty((await person.Client.Get("/v1/personalities?search=zora")).Should(HttpStatusCode.OK).Json["items"]!.AsArray());
        var first = await Import("");
        Assert.Equal("a/lila.json:created:zora-grey b.json:created:zora-grey-2 c.txt:refused: d.json:known:", Told(first));
        // What was made of it is the user's own now.
        (await person.Client.Patch("/v1/personalities/zora-grey", new { characterInfo = "Mine." })).Should(HttpStatusCode.OK);
        Assert.Equal("a/lila.json:known:zora-grey b.json:known:zora-grey-2 c.txt:refused: d.json:known:zora-grey", Told(await Import("")));
        Assert.Equal("Mine.", (string)(await person.Client.Get("/v1/personalities/zora-grey")).Should(HttpStatusCode.OK).Json["characterInfo"]!);
        Assert.Equal(2, (await person.Client.Get("/v1/personalities?search=zora")).Should(HttpStatusCode.OK).Json["items"]!.AsArray().Count);

        (await person.Client.Post("/v1/imports/card-collections", CommandTable.Zipped())).ShouldRefuse(HttpStatusCode.BadRequest, "no_cards");
        (await person.Client.Post("/v1/imports/card-collections", new byte[] { 1, 2, 3 })).ShouldRefuse(HttpStatusCode.BadRequest, "zip_broken");
        var many = CommandTable.Zipped([.. Enumerable.Range(0, CardsImport.MaxCards + 1).Select(i => ($"{i}.json", "{}"))]);
        (await person.Client.Post("/v1/imports/card-collections", many)).ShouldRefuse(HttpStatusCode.BadRequest, "too_many_cards");
    }

    [Fact]
    public async Task A_personality_that_came_from_no_card_goes_out_as_one()
    {
        var person = await room.NewPerson();
        var (_, slug) = await person.NewPersonality();
        (await person.Client.Patch($"/v1/personalities/{slug}", new { tone = "warm", tags = new[] { "sea" } })).Should(HttpStatusCode.OK);
        var card = (await person.Client.Get($"/v1/personalities/{slug}/card")).Should(HttpStatusCode.OK);
        var copy = (await person.Client.Post("/v1/imports/cards", card.Text)).Should(HttpStatusCode.Created).Json;
        Assert.Equal(("warm", "sea"), ((string)copy["tone"]!, (string)copy["tags"]![0]!));
        Assert.Equal(card.Text, (await person.Client.Get($"/v1/personalities/{copy["slug"]}/card")).Text);
    }

    [Fact]
    public async Task A_card_is_the_inside_of_a_personality()
    {
        var (person, other) = (await room.NewPerson(), await room.NewPerson("else"));
        var (_, slug) = await person.NewPersonality();
        (await other.Client.Get($"/v1/personalities/{slug}/card")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await person.Client.Patch($"/v1/personalities/{slug}", new { isPublic = true })).Should(HttpStatusCode.OK);
        (await other.Client.Get($"/v1/personalities/{slug}/card")).ShouldRefuse(HttpStatusCode.Forbidden, "definition_private");
        (await person.Client.Patch($"/v1/personalities/{slug}", new { definitionPublic = true })).Should(HttpStatusCode.OK);
        (await other.Client.Get($"/v1/personalities/{slug}/card")).Should(HttpStatusCode.OK);
        (await other.Client.Get($"/v1/personalities/{slug}/card?format=gif")).Should(HttpStatusCode.BadRequest);
        Assert.Equal(0, await Sql.CountAsApp(room.Database, room.Tenant, person.Id, null, "SELECT count(*) FROM personality_cards"));
    }

    [Fact]
    public async Task What_is_no_card_changes_nothing()
    {
        var person = await room.NewPerson();
        (await person.Client.Post("/v1/imports/cards", "{}")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_card");
        (await person.Client.Post("/v1/imports/cards", new byte[] { 0x7B, 0xFF })).ShouldRefuse(HttpStatusCode.BadRequest, "card_not_utf8");
        (await person.Client.Post("/v1/imports/cards", "")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await person.Client.Post("/v1/imports/cards", $$"""{"name":"x","description":"{{new string('a', 300_000)}}"}""")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await room.Service.Post("/v1/imports/cards", Second)).ShouldRefuse(HttpStatusCode.BadRequest, "user_required");
        Assert.DoesNotContain((await person.Client.Get("/v1/personalities?limit=200")).Json["items"]!.AsArray(), item => (string?)item!["role"] == "owner");
    }

    [Fact]
    public async Task A_repeat_makes_no_second_one()
    {
        var person = await room.NewPerson();
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = (await person.Client.Post("/v1/imports/cards", Second.Replace("Seraphina Blue", "日本"), key)).Should(HttpStatusCode.Created);
        Assert.StartsWith("character-", (string)first.Json["slug"]!);
        Assert.Equal(first.Text, (await person.Client.Post("/v1/imports/cards", Second.Replace("Seraphina Blue", "日本"), key)).Should(HttpStatusCode.Created).Text);
        (await person.Client.Post("/v1/imports/cards", Second, key)).ShouldRefuse(HttpStatusCode.UnprocessableEntity, "idempotency_key_reused");
    }
}
