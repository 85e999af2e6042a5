using PersonaActors.Tests.Prompts;

namespace PersonaActors.Tests.Faults;

/// <summary>A backup takes the place of the database under a node that goes on running.</summary>
public sealed class RestoreTests(OwnRoom room) : IClassFixture<OwnRoom>
{
    [Fact]
    public async Task What_was_in_memory_is_loaded_anew_before_anything_is_answered_under_the_new_epoch()
    {
        var ana = await room.NewPerson("Ana");
        var (id, slug) = await ana.NewPersonality("of today");
        Assert.Contains("of today", (await ana.Client.Prompt(slug)).Text(), StringComparison.Ordinal);
        var before = Epoch(await ana.Client.Get($"/v1/personalities/{id}"));

        await Sql.Run(room.Database.Superuser, $"""
            UPDATE personalities SET character_info = 'of yesterday' WHERE id = '{id}';
            UPDATE database_epoch SET counter = counter + 1;
            """);

        await Eventually.True("the node names the new epoch", async () =>
        {
            var read = await ana.Client.Get($"/v1/personalities/{id}");
            var isNew = Epoch(read) != before;
            Assert.Equal(isNew ? "of yesterday" : "of today", (string)read.Should(HttpStatusCode.OK).Json["characterInfo"]!);
            return isNew;
        });
        Assert.Contains("of yesterday", (await ana.Client.Prompt(slug)).Text(), StringComparison.Ordinal);
        (await ana.Client.Patch($"/v1/personalities/{id}", new { characterInfo = "of tomorrow" })).Should(HttpStatusCode.OK);
        Assert.Contains("of tomorrow", (await ana.Client.Prompt(slug)).Text(), StringComparison.Ordinal);
    }

    private static string Epoch(ApiAnswer read) => (string)read.Json["cursor"]!["epoch"]!;
}
