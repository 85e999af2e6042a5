using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR.Client;

namespace PersonaActors.Tests.Realtime;

/// <summary>The client that the README shows, word for word (ClientProtocolTests compares them), with a console of the test's.</summary>
public static class ReadmeClient
{
    /// <summary>It has subscribed, and waits for Enter.</summary>
    public static TaskCompletionSource Listens { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static TaskCompletionSource Enter { get; } = new();

    public static Channel<string> Said { get; } = Channel.CreateUnbounded<string>();

    public static async Task Listen(string[] args)
    {
        var (stream, epoch, after) = (args[2], (string?)null, (long?)null);
        await using var hub = new HubConnectionBuilder().WithAutomaticReconnect()
            .WithUrl($"{args[0]}/hubs/persona", http => http.AccessTokenProvider = () => Task.FromResult<string?>(args[1])).Build();
        hub.On("events", (JsonElement[] events) => Array.ForEach(events, e =>
        {
            (epoch, after) = (e.GetProperty("epoch").GetString(), e.GetProperty("seq").GetInt64());
            Console.WriteLine($"{after} {e.GetProperty("type")} {e.GetProperty("data")}");
        }));
        Task Subscribe() => hub.InvokeAsync("Subscribe", new[] { new { stream, epoch, after } });
        hub.Reconnected += _ => Subscribe();
        await hub.StartAsync();
        await Subscribe();
        Console.ReadLine();
    }

    private static class Console
    {
        public static void WriteLine(string line) => Said.Writer.TryWrite(line);

        public static void ReadLine()
        {
            Listens.SetResult();
            Enter.Task.Wait();
        }
    }
}
