using System.Net;
using System.Text.Json.Nodes;
using PersonaActors.Tests.Catalogues;
using PersonaActors.Tests.Harness;
using PersonaActors.Tests.Prompts;
using PersonaActors.Tests.Realtime;

namespace PersonaActors.Tests.Conversations;

/// <summary>Channels over HTTP: who is in them, what is said, and how it is told.</summary>
public sealed class ChannelTests(Room room) : IClassFixture<Room>
{
    private static string NewChannel() => $"c-{Guid.NewGuid():N}";

    private static (string, string) As(Person person) => ("X-Persona-User", person.Id.ToString());

    private static string[] Said(ApiAnswer window) => [.. window.Should(HttpStatusCode.OK).Json["items"]!.AsArray().Select(message => (string)message!["content"]!)];

    [Fact]
    public async Task What_is_said_is_read_in_its_order_and_told()
    {
        var ada = await room.NewPerson("Ada");
        var channel = NewChannel();
        var path = $"/v1/channels/{channel}/messages";
        (await ada.Client.Post(path, new { role = "user", content = "Is anybody there?" })).ShouldRefuse(HttpStatusCode.NotFound, "channel_not_found");
        var first = (await room.Service.Post(path, new { role = "user", content = "Good evening", clientId = "m1" }, As(ada))).Should(HttpStatusCode.Created);
        Assert.Equal(1, (long)first.Json["number"]!);
        Assert.Equal("Ada", (string?)first.Json["speaker"]);
        Assert.Equal(2, (int)first.Json["tokens"]!);
        using var reader = await EventStreamTests.Reader.Open(room.Node, await room.Node.UserKey(ada.Id), $"/v1/events?stream=channel:{channel}&from={room.Node.Database.Epoch}:0");
        Assert.Equal("subscribed", (await reader.Next()).Type);
        Assert.Equal("member.added", (await reader.Next()).Type);
        Assert.Equal("message.appended", (await reader.Next()).Type);
        (await ada.Client.Post(path, new { role = "user", content = "How are you?" })).Should(HttpStatusCode.Created);
        (await room.Service.Post(path, new { role = "assistant", content = "Well, thank you.", user = ada.Id, replyTo = "m1" })).Should(HttpStatusCode.Created);
        Assert.Equal("How are you?", (string)(await reader.Next()).Data["data"]!["message"]!["content"]!);
        var told = await reader.Next();
        Assert.Equal(("message.appended", 3), (told.Type, (long)told.Data["data"]!["changes"]!["lastNumber"]!));

        string[] all = ["Good evening", "How are you?", "Well, thank you."];
        var window = await ada.Client.Get($"{path}?last=10");
        Assert.Equal(all, Said(window));
        Assert.Equal((long)told.Data["seq"]!, (long)window.Json["cursor"]!["seq"]!);
        Assert.Equal(all.Reverse(), Said(await ada.Client.Get(path)));
        var page = await ada.Client.Get($"{path}?limit=2");
        Assert.Equal(all[1..].Reverse(), Said(page));
        Assert.Equal(all[..1], Said(await ada.Client.Get($"{path}?limit=2&after={page.Json["next"]}")));
        Assert.Equal(all[2..], Said(await room.Service.Get($"{path}?last=1")));
    }
}
