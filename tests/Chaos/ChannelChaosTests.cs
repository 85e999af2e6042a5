using PersonaActors.Tests.Realtime;

namespace PersonaActors.Tests.Chaos;

/// <summary>Many who write to one channel of a cluster in which a silo is killed every ten seconds.</summary>
[Collection(nameof(Alone))]
public sealed class ChannelChaosTests
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    [SoakFact]
    public async Task Fifty_who_repeat_until_they_are_answered_are_read_and_heard_in_one_order()
    {
        const int writers = 50;
        await using var cluster = await Cluster.Start();
        await using var listeners = await NodeClients.Start();
        var clients = Enumerable.Range(0, Cluster.Nodes).Select(node => new ApiClient(cluster.Address(node), cluster.Key)).ToArray();
        var user = await clients[0].Register("somebody");
        (await clients[0].Put($"/v1/channels/harbour/members/{user}", null)).Should(HttpStatusCode.OK);
        var hearing = new List<NodeClient>();
        for (var node = 0; node < Cluster.Nodes; node++)
        {
            hearing.Add(await listeners.Resuming(cluster.Address(node), cluster.Key, ["channel:harbour"], messagePack: node % 2 == 1));
        }

        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(45));
        var written = Enumerable.Range(0, writers).Select(writer => Write(clients, user, writer, over.Token)).ToArray();
        using (var every = new PeriodicTimer(Between))
        {
            for (var node = 0; !over.IsCancellationRequested; node = (node + 1) % Cluster.Silos)
            {
                await every.WaitForNextTickAsync(CancellationToken.None);
                await cluster.Kill(node);
            }
        }

        var counts = await Task.WhenAll(written);
        var said = await Said(clients[^1]);
        Assert.Equal(Enumerable.Range(1, counts.Sum()).Select(number => (long)number), said.Select(message => message.Number));
        Assert.All(said.GroupBy(message => message.Content.Split('-')[0]), own => Assert.Equal(Enumerable.Range(0, counts[int.Parse(own.Key)]).Select(i => $"{own.Key}-{i}"), own.Select(message => message.Content)));
        foreach (var client in clients)
        {
            Assert.Equal(said, await Said(client));
            client.Dispose();
        }

        foreach (var listener in hearing)
        {
            var heard = new List<(long, string)>();
            while (heard.Count < said.Count)
            {
                var message = (await listener.Event())["data"]!["message"];
                if (message is not null)
                {
                    heard.Add(((long)message["number"]!, (string)message["content"]!));
                }
            }

            Assert.Equal(said, heard);
        }
    }

    private static async Task<int> Write(ApiClient[] clients, Guid user, int writer, CancellationToken over)
    {
        var random = new Random(writer);
        using var again = new PeriodicTimer(Pause);
        for (var i = 0; ; i++)
        {
            if (over.IsCancellationRequested)
            {
                return i;
            }

            while (!await Acknowledged(clients[random.Next(clients.Length)], user, $"{writer}-{i}"))
            {
                await again.WaitForNextTickAsync(CancellationToken.None);
            }
        }
    }

    /// <summary>The client id is all that makes a second try harmless: each has an idempotency key of its own.</summary>
    private static async Task<bool> Acknowledged(ApiClient client, Guid user, string content)
    {
        try
        {
            var answer = await client.Post("/v1/channels/harbour/messages", new { role = "user", content, clientId = content, user });
            return answer.Status is HttpStatusCode.Created or HttpStatusCode.OK || answer.Should(HttpStatusCode.ServiceUnavailable) is null;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private static async Task<List<(long Number, string Content)>> Said(ApiClient client)
    {
        var said = new List<(long, string)>();
        for (string? after = null; ;)
        {
            ApiAnswer? page = null;
            await Eventually.True("the channel answers", async () => (page = await client.Get($"/v1/channels/harbour/messages?limit=200{(after is null ? "" : $"&after={after}")}")).Status == HttpStatusCode.OK);
            said.AddRange(page!.Json["items"]!.AsArray().Select(message => ((long)message!["number"]!, (string)message["content"]!)));
            if ((after = (string?)page.Json["next"]) is null)
            {
                said.Reverse();
                return said;
            }
        }
    }
}
