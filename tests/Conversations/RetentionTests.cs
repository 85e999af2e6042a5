using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Grains.Conversations;

namespace PersonaActors.Tests.Conversations;

/// <summary>What was said is kept as long as the tenant wants it, and what was cleared as long as it can be restored.</summary>
public sealed class RetentionTests
{
    [Fact]
    public async Task What_is_past_retention_is_neither_read_nor_kept()
    {
        var clock = FakeTime.Start();
        await using var database = await TestDatabase.Create();
        await using var node = await Node.Start(database, clock);
        using var admin = node.Client(await node.AdminKey());
        var ada = await admin.Register("ada");
        var personality = (await admin.Post("/v1/personalities", new { name = "Lila", slug = "lila", characterInfo = "", personalityTraits = "", isPublic = true }, ("X-Persona-User", $"{ada}"))).Should(HttpStatusCode.Created).Id;
        var path = "/v1/channels/c/messages";
        async Task Say(string content) => (await admin.Post(path, new { role = "user", content, user = ada, clientId = content })).Should(HttpStatusCode.Created);
        async Task<string[]> Read(string query, string field = "items") =>
            [.. (await admin.Get(query)).Should(HttpStatusCode.OK).Json[field]!.AsArray().Select(message => (string)message!["content"]!)];
        Task Prune() => node.Services.GetRequiredService<ConversationPruner>().Prune(CancellationToken.None);
        Task<long> Rows() => Sql.Ask<long>(database.Superuser, "SELECT count(*) FROM conversation_history");
        await Say("old");
        clock.Skip(TimeSpan.FromDays(6));
        await Say("new");
        await Prune();
        Assert.Equal(2, await Rows());
        clock.Skip(TimeSpan.FromDays(1.5));
        // Before anybody has pruned, too.
        Assert.Equal(["new"], await Read($"{path}?last=5"));
        Assert.Equal(["new"], await Read(path));
        Assert.Equal(["new"], await Read($"/v1/personalities/{personality}/prompt?user={ada}&channel=c", "messages"));
        await Prune();
        Assert.Equal(1, await Rows());
        // What was let go stays so.
        await Say("newer");
        (await admin.Patch("/v1/tenant/settings", new { conversationRetentionDays = 60 })).Should(HttpStatusCode.OK);
        clock.Skip(TimeSpan.FromDays(20));
        await Prune();
        Assert.Equal(["new", "newer"], await Read($"{path}?last=5"));

        (await admin.Delete(path)).Should(HttpStatusCode.OK);
        await Say("newest");
        clock.Skip(TimeSpan.FromDays(29));
        await Prune();
        Assert.Equal(3, await Rows());
        clock.Skip(TimeSpan.FromDays(1.1));
        (await admin.Post($"{path}:restore", null)).ShouldRefuse(HttpStatusCode.NotFound, "clear_not_found");
        await Prune();
        Assert.Equal(1, await Rows());
        Assert.Equal(0, await Sql.Ask<long>(database.Superuser, "SELECT count(*) FROM conversation_clears"));
        Assert.Equal(["newest"], await Read($"{path}?last=5"));
    }

    [Fact]
    public async Task Retention_takes_many_in_small_batches()
    {
        var rows = Soak.Of(20_000, 1_000_000);
        await using var database = await TestDatabase.Create();
        await using var node = await Node.Start(database);
        using var service = node.Client(await node.ServiceKey());
        (await service.Patch("/v1/channels/c/settings", new { maxAge = 60 })).Should(HttpStatusCode.OK);
        await Sql.Run(database.Superuser, $"""
            INSERT INTO conversation_history (tenant_id, channel_id, number, client_id, role, content, tokens, created_at)
            SELECT '{node.Demo}', 'c', i, i::text, 'assistant', repeat('x', 100), 1, now() - interval '8 days' FROM generate_series(1, {rows}) i;
            UPDATE channels SET last_number = {rows};
            ANALYZE conversation_history
            """);
        var keeper = node.Services.GetRequiredService<PersonaActors.Storage.Conversations.ConversationKeeper>();
        var (taken, longest) = (0L, TimeSpan.Zero);
        while (taken < rows)
        {
            var since = TimeProvider.System.GetTimestamp();
            var now = await keeper.Prune(node.Demo, TimeProvider.System.GetUtcNow().AddDays(-7), ConversationPruner.Batch, CancellationToken.None);
            var took = TimeProvider.System.GetElapsedTime(since);
            longest = took > longest ? took : longest;
            taken += now;
            if (now == 0)
            {
                break;
            }
        }

        // The node's own pruner may have taken some.
        Assert.Equal(0, await Sql.Ask<long>(database.Superuser, "SELECT count(*) FROM conversation_history"));
        // The time is the soak's to measure, which has the machine to itself.
        Assert.True(longest < TimeSpan.FromMilliseconds(Soak.Of(2000, 100)), $"{longest.TotalMilliseconds:0} ms");
    }
}
