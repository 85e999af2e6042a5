using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace PersonaActors.Silo.CommandLine;

/// <summary>The service said no, or a job of it failed.</summary>
public sealed class RefusedException(string message) : Exception(message);

/// <summary>Speaks to a running service over HTTP, as anybody does, and shows how its jobs go.</summary>
public sealed class ServiceClient : IDisposable
{
    public static readonly Option<string?> Url = new("--url") { Description = "Where the service is (Persona:Url, else http://localhost:8000)" };

    public static readonly Option<string?> Key = new("--key") { Description = "The key to call with (else PERSONA_KEY, else the demo key of ./run)" };

    public static readonly Option<string?> Tenant = new("--tenant") { Description = "Of an operator's key: the tenant, by name or id", HelpName = "NAME-OR-ID" };

    public static readonly Option<string?> User = new("--user") { Description = "For whom: a user's id, or provider:subject", HelpName = "USER" };

    private const string KeyVariable = "PERSONA_KEY";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(300);

    private readonly HttpClient _http;

    /// <summary>What is asked for is printed to the output; how it goes is nobody's but who looks.</summary>
    private readonly TextWriter _progress;

    public ServiceClient(ParseResult given)
    {
        var configuration = given.Configuration();
        var settings = configuration.GetSection("Persona");
        _progress = given.GetValue(GlobalOptions.Json) ? TextWriter.Null : given.InvocationConfiguration.Error;
        var url = given.GetValue(Url) ?? settings["Url"] ?? "http://localhost:8000";
        _http = new HttpClient
        {
            BaseAddress = Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is ("http" or "https") ? address : throw new UsageException($"'{url}' is no http(s) address."),
            Timeout = TimeSpan.FromMinutes(5),
        };
        var key = given.GetValue(Key) ?? configuration[KeyVariable] ?? (settings["DemoKeyFile"] is { } file && File.Exists(file) ? File.ReadAllText(file).Trim() : null);
        if (key is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        Name("X-Persona-Tenant", given.GetValue(Tenant));
        Name("X-Persona-User", given.GetValue(User));
    }

    public static Symbol[] Options(params ReadOnlySpan<Symbol> more) => [.. more, Url, Key, Tenant];

    public async Task<byte[]> Get(string path, CancellationToken cancel)
    {
        using var answer = await Send(HttpMethod.Get, path, null, cancel);
        return await answer.Content.ReadAsByteArrayAsync(cancel);
    }

    public async Task<JsonObject> Post(string path, HttpContent? content, CancellationToken cancel)
    {
        using var answer = await Send(HttpMethod.Post, path, content, cancel);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))!.AsObject();
    }

    /// <summary>Begins a job, and shows how it goes until it has ended.</summary>
    public async Task<JsonObject> Run(string path, HttpContent? content, CancellationToken cancel)
    {
        var job = await Post(path, content, cancel);
        var screen = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(_progress) });
        await screen.Progress().AutoClear(true).StartAsync(async progress =>
        {
            var bar = progress.AddTask((string)job["kind"]!);
            while ((string)job["status"]! == "running")
            {
                await Task.Delay(Look, cancel);
                job = JsonNode.Parse(await Get($"/v1/jobs/{job["id"]}", cancel))!.AsObject();
                bar.Description = (string)job["phase"]!;
                bar.IsIndeterminate = job["total"] is null;
                bar.MaxValue = Math.Max(1, (double?)job["total"] ?? 1);
                bar.Value = (double)job["done"]!;
            }
        });
        return (string)job["status"]! == "done" ? job : throw new RefusedException(
            $"{job["kind"]} {job["status"]}{(job["failure"] is { } failure ? $" ({failure["code"]}): {failure["detail"]}" : ".")}{(job["stays"] is { } stays ? $" What stays: {stays}" : "")}");
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> Send(HttpMethod method, string path, HttpContent? content, CancellationToken cancel)
    {
        HttpResponseMessage answer;
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = content };
            answer = await _http.SendAsync(request, cancel);
        }
        catch (HttpRequestException e)
        {
            throw new RefusedException($"There is no service at {_http.BaseAddress}: {e.Message}");
        }

        if (answer.IsSuccessStatusCode)
        {
            return answer;
        }

        using (answer)
        {
            var said = await answer.Content.ReadAsStringAsync(cancel);
            throw new RefusedException(answer.Content.Headers.ContentType?.MediaType == "application/problem+json" && JsonNode.Parse(said) is { } problem
                ? $"{problem["detail"]} ({problem["code"]})" : $"The service answered {(int)answer.StatusCode}.");
        }
    }

    private void Name(string header, string? value)
    {
        if (value is not null)
        {
            _http.DefaultRequestHeaders.Add(header, value);
        }
    }
}
