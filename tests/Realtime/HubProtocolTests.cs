using System.Text.Json;
using System.Text.Json.Nodes;
using MessagePack;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Gateway.Realtime;
using PersonaActors.Silo.Hosting;

namespace PersonaActors.Tests.Realtime;

/// <summary>What the hub says and hears has the same shape in both protocols.</summary>
public sealed class HubProtocolTests
{
    [Fact]
    public void Events_answers_and_clocks_look_as_they_do_in_JSON()
    {
        var data = new JsonText("""{"text":"ä\n\"☂\"","n":[0,-1,127,-129,65536,9007199254740993,-9223372036854775808,18446744073709551615,2.5,-1e-7,1e300],"yes":true,"no":false,"nothing":null,"empty":{},"none":[],"deep":{"a":[{"b":[[1]]}]}}""");
        var at = new DateTimeOffset(2031, 4, 5, 6, 7, 8, 9, TimeSpan.Zero);
        var e = new StreamEvent("user:x", "epoch", 3, Guid.CreateVersion7(at), "user.updated", at, data);
        object[] said =
        [
            new[] { e, e with { Seq = 4, Data = JsonText.EmptyObject } },
            new[] { new StreamAnswer { Stream = "user:x", Epoch = "epoch", Reset = true, Oldest = 1, Newest = 9, State = data }, StreamAnswer.No("y", StreamDirectory.NotFound) },
            new ServerClock(at), new Refreshed(at, null), new Refreshed(null, StreamRefusal.BadCursor), "user:x", 60,
        ];
        foreach (var value in said)
        {
            var packed = MessagePackSerializer.ConvertToJson(MessagePackSerializer.Serialize(value.GetType(), value, HubProtocols.Options), HubProtocols.Options);
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(JsonSerializer.Serialize(value, value.GetType(), Wire.Json)), JsonNode.Parse(packed)), packed);
        }
    }

    [Fact]
    public void Requests_are_heard_as_they_are_in_JSON()
    {
        foreach (var json in (string[])["""[{"stream":"user:x"},null,{"stream":"user:y","epoch":"e","after":9007199254740993}]""", "[]"])
        {
            var heard = MessagePackSerializer.Deserialize<StreamRequest?[]>(MessagePackSerializer.ConvertFromJson(json), HubProtocols.Options);
            Assert.Equal(JsonSerializer.Deserialize<StreamRequest?[]>(json, Wire.Json), heard);
        }
    }

    [Fact]
    public void What_is_no_request_is_refused()
    {
        var deep = Enumerable.Repeat((byte)0x91, 100_000).ToArray();
        foreach (var bytes in (byte[][])[[0x91, 0x81, 0xa1, (byte)'x', 0xc7, 0x01, 0x05, 0x00], [0x91, 0x81, 0xc0, 0xc0], [0x91, 0x81, 0xa6, .. "stream"u8, 0x01], [0xdd, 0xff, 0xff, 0xff, 0xff], deep])
        {
            Assert.ThrowsAny<Exception>(() => MessagePackSerializer.Deserialize<StreamRequest?[]>(bytes, HubProtocols.Options));
        }
    }
}
