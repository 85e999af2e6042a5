using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace PersonaActors.Bench;

/// <summary>
/// A hundred thousand prompts that somebody listens to and in which nothing moves: what one costs, and what everybody else
/// feels of them, then and while a change of the tenant's settings is told to them all.
/// </summary>
internal static class PromptStreams
{
    private const int Users = 10_000;
    private const int Personalities = 200;
    private const int Connections = 400;
    private const int StreamsEach = 250;
    private const int Streams = Connections * StreamsEach;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(5);

    internal static async Task<Result[]> RunAsync()
    {
        await using var node = await BenchNode.Start();
        var world = await World.Make(node, Users, Personalities);
        var key = await node.ServiceKey();
        // Who is listened to is in memory anyway: only the listening is counted.
        await HttpLoad.Each(node.Address, Connections, Users, i => Encoding.ASCII.GetBytes(world.Head(i, i % Personalities, key) + "\r\n"));
        await using var sockets = new Sockets();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await sockets.Connect(Connections, node.Address, "/hubs/persona", key, connection => Subscription(world, connection));
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Streams;

        var quiet = await Late(node.Address, Task.Delay(Quiet));
        var told = sockets.Received + Streams;
        var since = Stopwatch.GetTimestamp();
        var telling = Change(node.Address, await node.AdminKey(), sockets, told);
        var busy = await Late(node.Address, telling);
        var took = Stopwatch.GetElapsedTime(since).TotalSeconds;
        return
        [
            new($"{Streams:N0} prompt streams in which nothing moves: memory of each", Bytes(each), "4 KiB", 4096 / Math.Max(1, each), 1, AtLeastText: "≤ 4 KiB"),
            new("/health/live beside them: p99.9", Milliseconds(quiet), "50 ms", 50 / quiet, 1, AtLeastText: "≤ 50 ms"),
            new("a change that concerns all of them, told", $"{took.ToString("0.0", CultureInfo.InvariantCulture)} s", "30 s", 30 / took, 1, AtLeastText: "≤ 30 s"),
            new("/health/live meanwhile: p99.9", Milliseconds(busy), "50 ms", 50 / busy, 1, AtLeastText: "≤ 50 ms"),
        ];
    }

    /// <summary>Of each user as many personalities as of any other.</summary>
    private static string Subscription(World world, int connection)
    {
        var streams = Enumerable.Range(connection * StreamsEach, StreamsEach).Select(i =>
            $$"""{"stream":"prompt:{{Encoding.ASCII.GetString(world.Users[i % Users])}}:{{Encoding.ASCII.GetString(world.Personalities[(i + (i / Users)) % Personalities])}}"}""");
        return $$"""{"type":1,"target":"Subscribe","invocationId":"1","arguments":[[{{string.Join(',', streams)}}]]}""";
    }

    private static async Task Change(Uri address, string key, Sockets sockets, long told)
    {
        using var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var body = new StringContent("""{"maxMessages":7}""", Encoding.UTF8, "application/json");
        (await http.PatchAsync("/v1/tenant/settings", body)).EnsureSuccessStatusCode();
        await sockets.Reaches(told);
    }

    /// <summary>How late answers are that are asked for at a constant rate, whether or not the last one has come: the latest of a thousand, in milliseconds.</summary>
    private static async Task<double> Late(Uri address, Task until)
    {
        using var http = new HttpClient { BaseAddress = address };
        var late = new List<Task<double>>();
        using var clock = new PeriodicTimer(Every);
        while (!until.IsCompleted)
        {
            await clock.WaitForNextTickAsync();
            late.Add(Ask(http));
        }

        await until;
        var all = await Task.WhenAll(late);
        Array.Sort(all);
        return all[Math.Min(all.Length - 1, all.Length * 999 / 1000)];
    }

    private static async Task<double> Ask(HttpClient http)
    {
        var since = Stopwatch.GetTimestamp();
        (await http.GetAsync("/health/live")).EnsureSuccessStatusCode();
        return Stopwatch.GetElapsedTime(since).TotalMilliseconds;
    }

    private static string Bytes(double bytes) => $"{bytes.ToString("N0", CultureInfo.InvariantCulture)} B";

    private static string Milliseconds(double milliseconds) => $"{milliseconds.ToString("0.0", CultureInfo.InvariantCulture)} ms";
}
