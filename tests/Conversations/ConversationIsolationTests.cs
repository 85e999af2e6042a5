using PersonaActors.Tests.Prompts;

namespace PersonaActors.Tests.Conversations;

/// <summary>What is said in a channel is its members': as the app login, with no code of ours between.</summary>
public sealed class ConversationIsolationTests(Room room) : IClassFixture<Room>
{
    [Fact]
    public async Task Rows_are_seen_by_members_and_written_by_tenant_wide_work_only()
    {
        var (ada, ben) = (await room.NewPerson("Ada"), await room.NewPerson("Ben"));
        var (lila, _) = await ada.NewPersonality(isPublic: true);
        var channel = $"c-{Guid.NewGuid():N}";
        (await room.Service.Post($"/v1/channels/{channel}/messages", new { role = "user", content = "hers", user = ada.Id })).Should(HttpStatusCode.Created);
        (await ada.Client.Put($"/v1/channels/{channel}/active/{lila}", new { })).Should(HttpStatusCode.OK);
        (await ada.Client.Delete($"/v1/channels/{channel}/messages")).Should(HttpStatusCode.OK);
        (await ada.Client.Post($"/v1/channels/{channel}/messages", new { role = "user", content = "more" })).Should(HttpStatusCode.Created);
        foreach (var table in (string[])["channels", "channel_members", "activated_channels", "conversation_history", "conversation_clears"])
        {
            var count = $"SELECT count(*) FROM {table} WHERE channel_id = '{channel}'";
            Assert.True(await room.RowsAsApp(room.Tenant, ada.Id, null, count) > 0, table);
            Assert.True(await room.RowsAsApp(room.Tenant, null, "tenant", count) > 0, table);
            Assert.Equal(0, await room.RowsAsApp(room.Tenant, ben.Id, null, count));
            Assert.Equal(0, await room.RowsAsApp(room.Tenant, null, null, count));
            Assert.Equal(0, await room.RowsAsApp(null, null, null, count));
            Assert.Equal(0, await room.RowsAsApp(Guid.NewGuid(), ada.Id, "tenant", count));
            Assert.Equal(0, await room.RowsAsApp(room.Tenant, ada.Id, null, $"UPDATE {table} SET channel_id = channel_id WHERE channel_id = '{channel}'"));
            Assert.Equal(0, await room.RowsAsApp(room.Tenant, ada.Id, null, $"DELETE FROM {table} WHERE channel_id = '{channel}'"));
        }

        Assert.Equal(-1, await room.RowsAsApp(room.Tenant, ben.Id, null, $"INSERT INTO channel_members VALUES ('{room.Tenant}', '{channel}', '{ben.Id}', now())"));
    }
}
