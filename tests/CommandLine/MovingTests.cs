using System.Text.Json.Nodes;
using PersonaActors.Tests.Imports;

namespace PersonaActors.Tests.CommandLine;

/// <summary>Moving in and taking along, as an operator does it.</summary>
public sealed class MovingTests(Room room) : IClassFixture<Room>
{
    private Task<Ended> Run(string key, params string[] arguments) =>
        Terminal.Run([("PERSONA_KEY", key)], [.. arguments, "--url", room.Node.Address.ToString()]);

    [Fact]
    public async Task What_is_exported_on_the_command_line_is_imported_there()
    {
        var person = await room.NewPerson();
        var key = await room.Node.UserKey(person.Id);
        var folder = Directory.CreateTempSubdirectory("personactors-moving");
        try
        {
            string At(string name) => Path.Combine(folder.FullName, name);
            await File.WriteAllTextAsync(At("card.json"), $$"""{"name":"Cli {{person.Id.ToString()[..8]}}","description":"d"}""");
            var imported = await Run(key, "import", "cards", At("card.json"), "--json");
            Assert.True(imported.Code == 0, imported.Error);
            var slug = (string)JsonNode.Parse(imported.Output)!["imported"]![0]!["slug"]!;
            Assert.Equal(0, (await Run(key, "export", "card", slug, "--out", At("card.png"))).Code);
            Assert.Equal(0, (await Run(key, "import", "cards", At("card.png"))).Code);
            (await person.Client.Get($"/v1/personalities/{slug}-2")).Should(System.Net.HttpStatusCode.OK);

            var exported = await Run(key, "export", "user", person.Id.ToString(), "--out", At("all.zip"), "--json");
            Assert.True(exported.Code == 0, exported.Error);
            var (tenant, admin) = await room.NewTenant();
            using var _ = admin;
            var restored = await Run(await room.Node.OperatorKey(), "import", "archive", At("all.zip"), "--tenant", tenant.ToString());
            Assert.True(restored.Code == 0, restored.Error);
            Assert.Contains(person.Id.ToString(), restored.Output);

            await File.WriteAllTextAsync(At("broken.json"), "{}");
            var refused = await Run(key, "import", "cards", At("broken.json"));
            Assert.Equal((1, true), (refused.Code, refused.Error.Contains("invalid_card")));
            Assert.Equal(2, (await Run(key, "import", "cards", At("nothing.json"))).Code);
            var several = await Run(key, "import", "cards", At("card.json"), At("broken.json"), "--json");
            Assert.True(several.Code == 1, several.Error);
            Assert.Equal(["known", "refused"], JsonNode.Parse(several.Output)!["imported"]!.AsArray().Select(card => (string)card!["action"]!).Order());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_old_tables_come_over_on_the_command_line()
    {
        await using var from = await LegacyDatabase.Create(room.Database, 20);
        var (tenant, admin) = await room.NewTenant();
        using var _ = admin;
        var key = await room.Node.OperatorKey();
        var failed = await Run(key, "import", "legacy", "--from", from.ConnectionString, "--tenant", tenant.ToString());
        Assert.Equal((1, true), (failed.Code, failed.Error.Contains("orphans_need_owner")));
        var done = await Run(key, "import", "legacy", "--from", from.ConnectionString, "--tenant", tenant.ToString(), "--orphans-to", "discord:10000000000000001", "--json");
        Assert.True(done.Code == 0, done.Error);
        Assert.Equal(20, (int)JsonNode.Parse(done.Output)!["tables"]!.AsArray().Single(table => (string)table!["table"]! == "users")!["created"]!);
    }
}
