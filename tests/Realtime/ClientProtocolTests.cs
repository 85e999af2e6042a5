using System.Net.WebSockets;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using MessagePack;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace PersonaActors.Tests.Realtime;

/// <summary>Real clients of both languages in both protocols: they hear the same, and resume alike.</summary>
public sealed class ClientProtocolTests(RealtimeFixture fixture) : IClassFixture<RealtimeFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_dotnet_client_resumes_after_a_cut_without_a_hole_or_a_repeat(bool messagePack)
    {
        var user = await fixture.Service.Register("Ada");
        var key = await fixture.Node.ServiceKey();
        var heard = Channel.CreateUnbounded<Heard>();
        var (epoch, after) = ((string?)null, (long?)null);
        ClientWebSocket? socket = null;
        var builder = new HubConnectionBuilder().WithAutomaticReconnect([TimeSpan.Zero, TimeSpan.Zero]).WithUrl(new Uri(fixture.Node.Address, "/hubs/persona"), http =>
        {
            http.Transports = HttpTransportType.WebSockets;
            http.SkipNegotiation = true;
            http.WebSocketFactory = async (context, cancel) =>
            {
                socket = new ClientWebSocket();
                socket.Options.SetRequestHeader("Authorization", $"Bearer {key}");
                await socket.ConnectAsync(context.Uri, cancel);
                return socket;
            };
        });
        if (messagePack)
        {
            builder.AddMessagePackProtocol();
        }

        await using var hub = builder.Build();
        hub.On<Heard[]>("events", events =>
        {
            foreach (var e in events)
            {
                (epoch, after) = (e.Epoch, e.Seq);
                heard.Writer.TryWrite(e);
            }
        });
        Task<Answer[]> Subscribe() => hub.InvokeAsync<Answer[]>("Subscribe", new[] { new Request { Stream = $"user:{user}", Epoch = epoch, After = after } });
        hub.Reconnected += _ => Subscribe();
        await hub.StartAsync();
        var first = Assert.Single(await Subscribe());
        await fixture.Change(user, 3);
        await Until(first.Seq + 3);

        // While it is away, more happens.
        var away = new TaskCompletionSource();
        hub.Reconnecting += _ => fixture.Change(user, 3).ContinueWith(_ => away.SetResult(), TaskScheduler.Default);
        socket!.Abort();
        await away.Task.WaitAsync(Patience);
        await fixture.Change(user, 2);
        await Until(first.Seq + 8);
        await hub.StopAsync();
        Assert.False(heard.Reader.TryRead(out _));

        async Task Until(long last)
        {
            for (var seq = last - (last == first.Seq + 3 ? 2 : 4); seq <= last; seq++)
            {
                var e = await heard.Reader.ReadAsync().AsTask().WaitAsync(Patience);
                Assert.Equal((seq, $"user:{user}", "user.updated"), (e.Seq, e.Stream, e.Type));
            }
        }
    }

    [Fact]
    public async Task JavaScript_clients_hear_the_same_in_both_protocols()
    {
        var user = await fixture.Service.Register("Ada");
        var key = await fixture.Node.ServiceKey();
        var json = await fixture.Clients.Raw(fixture.Node.Address, key);
        var packed = await fixture.Clients.Raw(fixture.Node.Address, key, messagePack: true);
        Assert.True(JsonNode.DeepEquals(await json.Subscribe($"user:{user}"), await packed.Subscribe($"user:{user}")));
        await fixture.Change(user, 3);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((await json.Event()).ToJsonString(), (await packed.Event()).ToJsonString());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_JavaScript_client_resumes_after_a_cut_without_a_hole_or_a_repeat(bool messagePack)
    {
        var user = await fixture.Service.Register("Ada");
        var cursor = (await fixture.Service.Get($"/v1/users/{user}")).Json["cursor"]!;
        var (epoch, seq) = ((string)cursor["epoch"]!, (long)cursor["seq"]!);
        var client = await fixture.Clients.Resuming(fixture.Node.Address, await fixture.Node.ServiceKey(), [$"user:{user}"], new { epoch, seq }, messagePack);
        await fixture.Change(user, 3);
        var heard = await client.EventsUntil(seq + 3);
        await client.Cut();
        await fixture.Change(user, 5);
        heard.AddRange(await client.EventsUntil(seq + 8));
        Assert.Equal(Enumerable.Range(1, 8).Select(n => seq + n), heard.Select(e => (long)e["seq"]!));
    }

    [Fact]
    public async Task The_READMEs_client_in_dotnet_is_the_one_that_is_tried_here_and_hears_what_happens()
    {
        var root = Path.GetDirectoryName(Path.GetDirectoryName(PostgresServer.Script))!;
        var readme = await File.ReadAllTextAsync(Path.Combine(root, "README.md"));
        var program = readme.Split("```csharp\n")[1].Split("```")[0].Split('\n').SkipWhile(line => !line.StartsWith("var ", StringComparison.Ordinal)).Select(line => line.Trim());
        var own = await File.ReadAllTextAsync(Path.Combine(root, "tests", "Realtime", "ReadmeClient.cs"));
        Assert.Contains(string.Join('\n', program).Trim(), string.Join('\n', own.Split('\n').Select(line => line.Trim())), StringComparison.Ordinal);

        var user = await fixture.Service.Register("Ada");
        var listening = Task.Run(async () => await ReadmeClient.Listen([fixture.Node.Address.GetLeftPart(UriPartial.Authority), await fixture.Node.ServiceKey(), $"user:{user}"]));
        await ReadmeClient.Listens.Task.WaitAsync(Patience);
        await fixture.Change(user, 2);
        foreach (var seq in (int[])[3, 4])
        {
            var said = await ReadmeClient.Said.Reader.ReadAsync().AsTask().WaitAsync(Patience);
            Assert.StartsWith($"{seq} user.updated ", said, StringComparison.Ordinal);
        }

        ReadmeClient.Enter.SetResult();
        await listening.WaitAsync(Patience);
    }

    [MessagePackObject]
    public sealed class Heard
    {
        [Key("stream")]
        public string Stream { get; set; } = "";

        [Key("epoch")]
        public string Epoch { get; set; } = "";

        [Key("seq")]
        public long Seq { get; set; }

        [Key("type")]
        public string Type { get; set; } = "";
    }

    [MessagePackObject]
    public sealed class Request
    {
        [Key("stream")]
        public string Stream { get; set; } = "";

        [Key("epoch")]
        public string? Epoch { get; set; }

        [Key("after")]
        public long? After { get; set; }
    }

    [MessagePackObject]
    public sealed class Answer
    {
        [Key("seq")]
        public long Seq { get; set; }
    }
}
