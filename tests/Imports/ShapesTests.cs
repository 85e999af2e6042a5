using System.Text.Json;
using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Imports;

/// <summary>A character of shapes.inc comes to its user.</summary>
public sealed class ShapesTests(Room room) : IClassFixture<Room>
{
    private static string Export(string name, double temperature = 0.7, string jailbreak = "Be kind.") => JsonSerializer.Serialize(new
    {
        config = new { name, username = name, jailbreak, user_prompt = "Keeps a lighthouse.", engine_model = "m", engine_temperature = temperature, other = 1 },
        memories = new[] { new { result = "We met at sea.", metadata = new { created_at = 1700000000 } } },
        userPersonalization = new { backstory = "I sail.", preferred_name = "Cap" },
    });

    private static async Task<JsonNode> Done(ApiClient client, ApiAnswer started)
    {
        var job = await LegacyTests.Ended(client, started.Should(HttpStatusCode.Created).Id);
        Assert.True((string?)job["status"] == "done", job.ToJsonString());
        return job["report"]!;
    }

    [Fact]
    public async Task An_import_makes_what_the_next_one_finds()
    {
        var person = await room.NewPerson();
        using var mine = person.Client;
        var name = $"shape{Guid.NewGuid():N}"[..20];

        var dry = await Done(mine, await mine.Post("/v1/imports/shapes?dryRun=true", Export(name)));
        Assert.Equal(("created", name), ((string)dry["personality"]!["action"]!, (string)dry["slug"]!));
        (await mine.Get($"/v1/personalities/{name}")).Should(HttpStatusCode.NotFound);

        var first = await Done(mine, await mine.Post("/v1/imports/shapes", Export(name)));
        Assert.Equal(("created", "created", "created"), ((string)first["personality"]!["action"]!, (string)first["llmConfig"]!["action"]!, (string)first["persona"]!["action"]!));
        var made = (await mine.Get($"/v1/personalities/{name}")).Should(HttpStatusCode.OK).Json;
        Assert.False((bool)made["isPublic"]!);
        Assert.Equal(1, (int)made["customFields"]!["other"]!);
        var prompt = (await mine.Get($"/v1/personalities/{name}/prompt")).Should(HttpStatusCode.OK).Json;
        Assert.StartsWith("Be kind.", (string)prompt["systemPrompt"]!);
        Assert.Contains("I sail.", (string)prompt["systemPrompt"]!);
        Assert.Equal(0.7, (double)prompt["llm"]!["temperature"]!);

        Assert.Equal((1, 1, 0), ((int)first["memories"]!["read"]!, (int)first["memories"]!["created"]!, (int)first["memories"]!["known"]!));
        var memory = Assert.Single((await mine.Get($"/v1/memories?personality={name}")).Should(HttpStatusCode.OK).Json["items"]!.AsArray())!;
        Assert.Equal(("We met at sea.", "2023-11-14T22:13:20+00:00"), ((string)memory["content"]!, (string)memory["createdAt"]!));

        var second = await Done(mine, await mine.Post("/v1/imports/shapes", Export(name)));
        Assert.Equal(("unchanged", "reused", "unchanged", "reused"), ((string)second["personality"]!["action"]!, (string)second["llmConfig"]!["action"]!,
            (string)second["persona"]!["action"]!, (string)second["systemPrompt"]!["action"]!));
        Assert.Equal((0, 1), ((int)second["memories"]!["created"]!, (int)second["memories"]!["known"]!));
        Assert.Equal((long)made["version"]!, (long)(await mine.Get($"/v1/personalities/{name}")).Json["version"]!);

        var changed = await Done(mine, await mine.Post("/v1/imports/shapes", Export(name, 0.9, "Be stern.")));
        Assert.Equal((string)first["personality"]!["id"]!, (string)changed["personality"]!["id"]!);
        Assert.Equal(("updated", "updated", (string)first["llmConfig"]!["id"]!), ((string)changed["personality"]!["action"]!, (string)changed["llmConfig"]!["action"]!, (string)changed["llmConfig"]!["id"]!));
        prompt = (await mine.Get($"/v1/personalities/{name}/prompt")).Json;
        Assert.StartsWith("Be stern.", (string)prompt["systemPrompt"]!);
        Assert.Equal(0.9, (double)prompt["llm"]!["temperature"]!);

        // Somebody else's is another one.
        var other = await room.NewPerson("other");
        Assert.Equal($"{name}-2", (string)(await Done(other.Client, await other.Client.Post("/v1/imports/shapes", Export(name))))["slug"]!);
    }

    [Fact]
    public async Task What_is_no_export_is_refused_at_once()
    {
        var person = await room.NewPerson();
        (await person.Client.Post("/v1/imports/shapes", "[]")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_import");
        (await person.Client.Post("/v1/imports/shapes", """{"config":{}}""")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_import");
        (await person.Client.Post("/v1/imports/shapes", "{")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_json");
        (await room.Service.Post("/v1/imports/shapes", Export("x"))).ShouldRefuse(HttpStatusCode.BadRequest, "user_required");
        Assert.Empty((await person.Client.Get("/v1/jobs")).Json["items"]!.AsArray());
    }
}
