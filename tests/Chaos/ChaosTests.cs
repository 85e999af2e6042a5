using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using PersonaActors.Grains.Replicas;
using PersonaActors.Tests.Realtime;
using Xunit.Abstractions;

namespace PersonaActors.Tests.Chaos;

/// <summary>
/// A cluster to which something happens every few seconds, while clients write, read and listen everywhere. Afterwards every
/// acknowledged command has happened exactly once, every listener was told all of it in order, and no prompt was older than
/// what had been acknowledged when it was asked for.
/// </summary>
[Collection(nameof(Alone))]
public sealed partial class ChaosTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(10);

    /// <summary>Killed twice, and then long enough for who had a change under way there to go on: what the silo held is waited out.</summary>
    [Fact]
    public Task A_killed_silo_costs_nothing_that_was_acknowledged_and_shows_nothing_old()
    {
        var kills = 0;
        return Run(Random.Shared.Next(), TimeSpan.FromSeconds(17), (cluster, _) => ++kills <= 2 ? cluster.Kill(1) : Task.CompletedTask);
    }

    [SoakTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public Task Whatever_happens_for_two_minutes(int seed) => Run(seed, TimeSpan.FromMinutes(2), (cluster, random) => random.Next(9) switch
    {
        0 or 1 => cluster.Kill(random.Next(Cluster.Nodes)),
        2 => cluster.Pause(random.Next(Cluster.Silos), TimeSpan.FromSeconds(2)),
        3 => cluster.Pause(random.Next(Cluster.Silos), TimeSpan.FromSeconds(5)),
        4 => cluster.Pause(random.Next(Cluster.Silos), TimeSpan.FromSeconds(15)),
        5 => cluster.LosePostgres(TimeSpan.FromSeconds(10)),
        6 => cluster.Part(0, [1], TimeSpan.FromSeconds(random.Next(1, 8))),
        7 => cluster.Part(2, [0, 1], TimeSpan.FromSeconds(random.Next(1, 8))),
        _ => Task.WhenAll(cluster.Kill(random.Next(Cluster.Silos)), cluster.Pause(random.Next(Cluster.Silos), TimeSpan.FromSeconds(2))),
    });

    [SoakFact]
    public Task A_rolling_restart_under_load() => Run(Random.Shared.Next(), TimeSpan.FromSeconds(60), (cluster, _) => cluster.RollingRestart());

    [SoakFact]
    public async Task A_silo_that_cannot_reach_the_others_refuses_what_they_own_within_3_seconds_and_serves_again_within_3()
    {
        await using var cluster = await Cluster.Start();
        using var client = new ApiClient(cluster.Address(0), cluster.Key);
        var personality = (await client.Post("/v1/personalities", new { name = "Lila", slug = "lila", characterInfo = "i", personalityTraits = "t", isPublic = true })).Should(HttpStatusCode.Created).Id;
        var users = new List<Guid>();
        for (var i = 0; i < 12; i++)
        {
            users.Add(await client.Register($"user-{i}"));
        }

        Task<HttpStatusCode[]> Ask() => Task.WhenAll(users.Select(async user => (await client.Get($"/v1/personalities/{personality}/prompt?user={user}&format=text")).Status));

        // Until the silos have known each other for long enough to miss one.
        var since = Stopwatch.StartNew();
        while (since.Elapsed < Times.Acquaintance + Times.Lease)
        {
            Assert.All(await Ask(), status => Assert.Equal(HttpStatusCode.OK, status));
        }

        var refused = new TaskCompletionSource();
        var parted = cluster.Part(0, [1, 2], refused.Task);
        since.Restart();
        async Task<(HttpStatusCode Status, TimeSpan After)> Rename(Guid user, string name) => ((await client.Patch($"/v1/users/{user}", new { username = name })).Status, since.Elapsed);
        var renamed = Task.WhenAll(users.Select((user, i) => Rename(user, $"renamed-{i}")));
        HttpStatusCode[] answers;
        do
        {
            answers = await Ask();
        }
        while (answers.All(status => status == HttpStatusCode.OK));
        output.WriteLine($"refused after {since.Elapsed}: {string.Join(' ', answers.Select(status => (int)status))}");
        Assert.InRange(since.Elapsed, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        Assert.All(answers, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{status}"));
        output.WriteLine($"renamed: {string.Join(' ', (await renamed).Select(one => $"{(int)one.Status} after {one.After.TotalSeconds:0.00}"))}");
        Assert.All(await renamed, one =>
        {
            Assert.True(one.Status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{one.Status}");
            Assert.InRange(one.After, TimeSpan.Zero, TimeSpan.FromSeconds(3));
        });

        refused.SetResult();
        await parted;
        since.Restart();
        while ((await Ask()).Any(status => status != HttpStatusCode.OK) && since.Elapsed < TimeSpan.FromSeconds(10))
        {
        }

        output.WriteLine($"served again after {since.Elapsed}");
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(3));
    }

    private async Task Run(int seed, TimeSpan length, Func<Cluster, Random, Task> happen)
    {
        output.WriteLine($"seed {seed}");
        await using var cluster = await Cluster.Start();
        await using var listeners = await NodeClients.Start();
        var people = new List<Pair>();
        for (var i = 0; i < 4; i++)
        {
            people.Add(await Pair.Make(cluster, listeners, new Random(HashCode.Combine(seed, i))));
        }

        var ticks = await Ticks.Begin(cluster.Superuser, length);
        using var over = new CancellationTokenSource(length);
        var work = people.SelectMany(pair => pair.Work(over.Token)).ToList();
        var random = new Random(seed);
        using (var every = new PeriodicTimer(Between))
        {
            try
            {
                do
                {
                    await happen(cluster, random);
                }
                while (await every.WaitForNextTickAsync(over.Token));
            }
            catch (OperationCanceledException)
            {
                // Over.
            }
        }

        try
        {
            await Task.WhenAll(work);
            foreach (var pair in people)
            {
                await pair.Finish();
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}\nwhat the nodes said:\n{string.Join('\n', cluster.Failures())}\nwhat happened:\n{string.Join('\n', cluster.Log)}", e);
        }

        var wrong = people.SelectMany(pair => pair.Violations()).Concat(await ticks.Violations()).Take(20).ToList();
        output.WriteLine($"{people.Sum(pair => pair.Written)} commands, {people.Sum(pair => pair.Reads)} reads, {ticks.Due} ticks");
        Assert.True(wrong.Count == 0, $"seed {seed}:\n{string.Join('\n', wrong)}\nwhat happened:\n{string.Join('\n', cluster.Log)}");
        Assert.True(ticks.Due > length.TotalSeconds, $"only {ticks.Due} ticks");
        Assert.All(people, pair => Assert.True(pair.Written > 10 && pair.Reads > 100, $"only {pair.Written} commands and {pair.Reads} reads"));
    }

    /// <summary>A user and a character of theirs: what each says of itself is a number that rises.</summary>
    private sealed partial class Pair(Cluster cluster, Random random, Guid user, Guid persona, Guid personality)
    {
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

        private readonly History _persona = new($"persona {persona}");
        private readonly History _character = new($"personality {personality}");
        private readonly List<(NodeClient Client, Heard Heard, History Of)> _listeners = [];
        private readonly ApiClient[] _clients = [.. Enumerable.Range(0, Cluster.Nodes).Select(node => new ApiClient(cluster.Address(node), cluster.Key))];

        public long Written => _persona.Written + _character.Written;

        public int Reads => _persona.Reads;

        public static async Task<Pair> Make(Cluster cluster, NodeClients listeners, Random random)
        {
            using var client = new ApiClient(cluster.Address(0), cluster.Key);
            var user = await client.Register("somebody");
            var acting = ("X-Persona-User", user.ToString());
            var persona = (Guid)(await client.Get($"/v1/users/{user}")).Should(HttpStatusCode.OK).Json["defaultPersonaId"]!;
            var personality = (await client.Post("/v1/personalities", new { name = "Lila", slug = $"lila-{user.ToString()[^6..]}", characterInfo = "at 0.", personalityTraits = "t" }, acting))
                .Should(HttpStatusCode.Created).Id;
            (await client.Patch($"/v1/personas/{persona}", new { content = "at 0." }, acting)).Should(HttpStatusCode.OK);
            var pair = new Pair(cluster, random, user, persona, personality);
            await pair.Listen(listeners, $"persona:{persona}", pair._persona, cluster.Address(random.Next(Cluster.Nodes)), messagePack: false);
            await pair.Listen(listeners, $"personality:{personality}", pair._character, cluster.Address(random.Next(Cluster.Nodes)), messagePack: true);
            return pair;
        }

        private async Task Listen(NodeClients listeners, string stream, History of, Uri node, bool messagePack) =>
            _listeners.Add((await listeners.Resuming(node, cluster.Key, [stream], messagePack: messagePack), new Heard(stream), of));

        /// <summary>A writer of each, and a reader on each node.</summary>
        public IEnumerable<Task> Work(CancellationToken over) =>
        [
            Write(_persona, n => ($"/v1/personas/{persona}", new { content = $"at {n}." }), over),
            Write(_character, n => ($"/v1/personalities/{personality}", new { characterInfo = $"at {n}." }), over),
            .. _clients.Select(client => Read(client, over)),
        ];

        public async Task Finish()
        {
            foreach (var (client, heard, of) in _listeners)
            {
                for (long? told = null; told != of.Written;)
                {
                    var e = await client.Event();
                    told = e["data"]!["changes"]!.AsObject() switch
                    {
                        { } changes when changes["content"] is { } content => Number(Numbers().Match((string)content!)),
                        { } changes when changes["characterInfo"] is { } info => Number(Numbers().Match((string)info!)),
                        _ => null,
                    };
                    heard.Event((long)e["seq"]!, told);
                }
            }

            foreach (var client in _clients)
            {
                client.Dispose();
            }
        }

        public IEnumerable<string> Violations() =>
            _persona.Violations().Concat(_character.Violations()).Concat(_listeners.SelectMany(listener => listener.Heard.Violations(listener.Of.Written)));

        /// <summary>The next number only when the last was acknowledged; until then the same command, to another node.</summary>
        private async Task Write(History history, Func<long, (string Path, object Body)> change, CancellationToken over)
        {
            for (var n = 1; !over.IsCancellationRequested; n++)
            {
                var (path, body) = change(n);
                var start = History.Now;
                using var again = new PeriodicTimer(Pause);
                while (!await Acknowledged(path, body, $"{history.What} {n}"))
                {
                    await again.WaitForNextTickAsync(CancellationToken.None);
                }

                history.Wrote(start, History.Now);
            }
        }

        private async Task<bool> Acknowledged(string path, object body, string id)
        {
            try
            {
                var answer = await _clients[random.Next(_clients.Length)].Patch(path, body, ("X-Persona-User", user.ToString()), ("Idempotency-Key", id));
                return answer.Status != HttpStatusCode.ServiceUnavailable && answer.Should(HttpStatusCode.OK).Status == HttpStatusCode.OK;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                return false;
            }
        }

        private async Task Read(ApiClient client, CancellationToken over)
        {
            using var again = new PeriodicTimer(Pause);
            while (!over.IsCancellationRequested)
            {
                try
                {
                    var start = History.Now;
                    var answer = await client.Get($"/v1/personalities/{personality}/prompt?user={user}&format=text");
                    var end = History.Now;
                    if (answer.Status == HttpStatusCode.ServiceUnavailable)
                    {
                        await again.WaitForNextTickAsync(CancellationToken.None);
                        continue;
                    }

                    var said = Numbers().Matches(answer.Should(HttpStatusCode.OK).Text);
                    Assert.Equal(2, said.Count);
                    _character.Read(Number(said[0]), start, end);
                    _persona.Read(Number(said[1]), start, end);
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
                {
                    await again.WaitForNextTickAsync(CancellationToken.None);
                }
            }
        }

        private static long Number(Match said) => long.Parse(said.Groups[1].ValueSpan, CultureInfo.InvariantCulture);

        [GeneratedRegex(@"at (\d+)\.")]
        private static partial Regex Numbers();
    }
}
