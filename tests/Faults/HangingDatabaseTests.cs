using System.Diagnostics;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Tests.Faults;

/// <summary>A database that answers nothing any more and closes nothing: no connection ends, and no command comes to its end.</summary>
[Collection(nameof(Alone))]
public sealed class HangingDatabaseTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task A_silo_refuses_within_three_seconds_and_serves_within_three_of_its_return()
    {
        using var cluster = PrivateCluster.Create();
        await using var database = await TestDatabase.CreateOn(cluster.Superuser);
        await using var node = await Node.StartToBeCutOff(database);
        using var client = node.Client(await node.AdminKey());
        var user = await client.Register("ada");
        var personality = (await client.Post("/v1/personalities", new { name = "Lila", characterInfo = "i", personalityTraits = "t", isPublic = true })).Should(HttpStatusCode.Created).Id;
        var prompt = $"/v1/personalities/{personality}/prompt?user={user}";
        (await client.Get(prompt)).Should(HttpStatusCode.OK);

        // A command, one by an id of the caller's, and what is read of the database itself.
        Task<ApiAnswer[]> Ask() => Task.WhenAll(
            client.Patch($"/v1/users/{user}", new { username = "bea" }),
            client.Patch($"/v1/users/{user}", new { username = "eva" }, (Commands.Header, Guid.NewGuid().ToString())),
            client.Get("/v1/users"));

        cluster.Freeze();
        try
        {
            var since = Stopwatch.StartNew();
            Assert.All(await Ask(), answer => answer.ShouldRefuse(HttpStatusCode.ServiceUnavailable, "database_unavailable"));
            Assert.InRange(since.Elapsed, TimeSpan.Zero, Soon);
            (await client.Get(prompt)).ShouldRefuse(HttpStatusCode.ServiceUnavailable, "database_unavailable");
            Assert.InRange(since.Elapsed, TimeSpan.Zero, Soon);
        }
        finally
        {
            cluster.Thaw();
        }

        await Eventually.True("it resolves again", async () => (await client.Get(prompt)).Status == HttpStatusCode.OK, Soon);
        await Eventually.True("it takes commands and reads again", async () => (await Ask()).All(answer => answer.Status == HttpStatusCode.OK), Soon);
    }
}
