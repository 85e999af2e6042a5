using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Grains.Embeddings;

namespace PersonaActors.Tests.Embeddings;

/// <summary>What another model embedded.</summary>
public sealed class ReembeddingTests(OwnRoom room) : IClassFixture<OwnRoom>
{
    [Fact]
    public async Task It_counts_for_nothing_until_a_job_has_embedded_it_anew()
    {
        var service = room.Service;
        var person = await service.Register("Ana");
        var texts = Enumerable.Range(0, 40).Select(i => $"I drink tea at {i} past four").ToList();
        foreach (var text in texts)
        {
            (await service.Post("/v1/narratives", new { person, text })).Should(HttpStatusCode.Created);
        }

        (await service.Post($"/v1/memories?user={person}", new { content = "Ana likes oolong tea." })).Should(HttpStatusCode.Created);
        Task<long> Memories(string model) => Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM memories WHERE embedding_model = '{model}'");
        await Eventually.True("the note is embedded", async () => await Memories("snowflake-arctic-embed-xs") == 1);
        await Sql.Run(room.Database.Superuser, "UPDATE narrative_vectors SET model = 'old'; UPDATE memories SET embedding_model = 'old'");
        var narrative = (await service.Get($"/v1/narratives?person={person}&limit=1")).Should(HttpStatusCode.OK).Json["items"]![0]!;
        Assert.False((bool)narrative["embeddingGenerated"]!);
        Task<ApiAnswer> Find(string mode) => service.Post("/v1/narratives:search", new { person, query = "drinking tea", mode, limit = 100 });
        Assert.Empty((await Find("vector")).Should(HttpStatusCode.OK).Json["results"]!.AsArray());
        var byWords = (await Find("hybrid")).Should(HttpStatusCode.OK).Json["results"]!.AsArray();
        Assert.Equal(40, byWords.Count);
        Assert.All(byWords, found => Assert.Null(found!["similarity"]));

        var others = room.Node.Services.GetRequiredService<OtherModels>();
        await others.Look(CancellationToken.None);
        // It runs, or ran just now: a second look begins no other.
        await others.Look(CancellationToken.None);
        using var admin = room.Node.Client(await room.Node.AdminKey());
        JsonNode? job = null;
        await Eventually.True("the job is done", async () =>
        {
            job = Assert.Single((await admin.Get("/v1/jobs")).Should(HttpStatusCode.OK).Json["items"]!.AsArray());
            return (string?)job!["status"] == "done";
        });
        Assert.Equal(("re-embedding", 41, 41), ((string?)job!["kind"], (int)job["done"]!, (int)job["total"]!));
        Assert.Equal("""{"model":"snowflake-arctic-embed-xs","narratives":40,"memories":1}""", job["report"]!.ToJsonString());
        Assert.True((bool)(await service.Get($"/v1/narratives/{narrative["id"]}")).Should(HttpStatusCode.OK).Json["embeddingGenerated"]!);
        Assert.Equal(40, (await Find("vector")).Should(HttpStatusCode.OK).Json["results"]!.AsArray().Count);
        Assert.Equal(1, await Memories("snowflake-arctic-embed-xs"));
    }
}
