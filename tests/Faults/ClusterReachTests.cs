namespace PersonaActors.Tests.Faults;

/// <summary>What a silo does when PostgreSQL, and with it the cluster's membership, is really gone.</summary>
[Long]
public sealed class ClusterReachTests
{
    [Fact]
    public async Task A_silo_without_membership_answers_nothing_from_memory_after_three_seconds_and_serves_within_three_of_its_return()
    {
        using var cluster = PrivateCluster.Create();
        await using var database = await TestDatabase.CreateOn(cluster.Superuser);
        await using var node = await ProcessNode.Start(database);
        using var client = node.Client();
        var user = await client.Register("ada");
        var personality = (await client.Post("/v1/personalities", new { name = "Lila", characterInfo = "i", personalityTraits = "t", isPublic = true }, ("X-Persona-User", user.ToString())))
            .Should(HttpStatusCode.Created).Id;
        Task<ApiAnswer> Prompt() => client.Get($"/v1/personalities/{personality}/prompt?user={user}");
        (await Prompt()).Should(HttpStatusCode.OK);

        cluster.Stop();
        try
        {
            await Eventually.True("it resolves nothing", async () => (await Prompt()).Status == HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(3));
            (await Prompt()).ShouldRefuse(HttpStatusCode.ServiceUnavailable, "database_unavailable");
            (await client.Get($"/v1/users/{user}")).ShouldRefuse(HttpStatusCode.ServiceUnavailable, "database_unavailable");
            (await client.Get("/health/live")).Should(HttpStatusCode.OK);
        }
        finally
        {
            cluster.Start();
        }

        await Eventually.True("it resolves again", async () => (await Prompt()).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(3));
    }
}
