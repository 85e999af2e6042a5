using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PersonaActors.Tests.Jobs;

namespace PersonaActors.Tests.Faults;

/// <summary>A tenant of its own with callers of every kind, a user and a character: where a command is tried once.</summary>
internal sealed partial class CutScene : IDisposable
{
    /// <summary>Written as the service writes: a plus is a plus.</summary>
    public static readonly JsonSerializerOptions AsSent = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly CutRoom _room;
    private readonly List<IDisposable> _open = [];

    private CutScene(CutRoom room) => _room = room;

    /// <summary>Part of every name that must be nobody else's.</summary>
    public string Tag { get; } = $"x{Guid.NewGuid():N}"[..12];

    public Guid Tenant { get; private set; }

    public ApiClient Operator => _room.Operator;

    public ApiClient Admin { get; private set; } = null!;

    public ApiClient Service { get; private set; } = null!;

    public Guid AdaId { get; private set; }

    /// <summary>With Ada's own key.</summary>
    public ApiClient Ada { get; private set; } = null!;

    /// <summary>A public personality of Ada's.</summary>
    public Guid Lila { get; private set; }

    public string LilaSlug => $"lila-{Tag}";

    public string AdaPrompt => Prompt(Lila.ToString(), AdaId);

    public static string Prompt(string personality, Guid user) => $"/v1/personalities/{personality}/prompt?user={user}";

    public static async Task<CutScene> Set(CutRoom room)
    {
        var scene = new CutScene(room);
        scene.Tenant = (await scene.Do(room.Operator.Post("/v1/tenants", new { name = scene.Tag, displayName = "A tenant" }))).Id;
        scene.Admin = await scene.Key(new { kind = "tenant-admin", name = "admin", mayDelegate = true });
        scene.Service = await scene.Key(new { kind = "service", name = "service" });
        (scene.AdaId, scene.Ada) = await scene.NewUser("ada");
        scene.Lila = await scene.Make(scene.Ada, "/v1/personalities", new { name = "Lila", slug = scene.LilaSlug, characterInfo = "Knows {{user}}.", personalityTraits = "calm", isPublic = true });
        return scene;
    }

    /// <summary>A user with an identity, test:name-tag, and a key.</summary>
    public async Task<(Guid Id, ApiClient Client)> NewUser(string name)
    {
        var id = await Make(Service, "/v1/users", new { username = name, identities = new[] { new { provider = "test", subject = $"{name}-{Tag}" } } });
        return (id, await Key(new { kind = "user", name, user = id }));
    }

    public Task<Guid> NewSession(object? more = null) => Make(Ada, "/v1/focus/sessions", more ?? new { mode = "deep" });

    /// <summary>A job of Ada's that runs until it is cancelled.</summary>
    public async Task<Guid> NewJob()
    {
        var job = await CountingJob.Start(_room.Node, Tenant, AdaId, new CountingJob.Input(2, WaitsAt: 1));
        await Eventually.True("the job waits", async () => (int)(await Do(Ada.Get($"/v1/jobs/{job}"))).Json["done"]! == 1);
        return job;
    }

    public async Task<Guid> Make(ApiClient by, string path, object body) => (await Do(by.Post(path, body))).Id;

    /// <summary>Something that has to succeed for the command to be tried at all. Each has a millisecond of its own, which is what ids are ordered by.</summary>
    public async Task<ApiAnswer> Do(Task<ApiAnswer> what)
    {
        var answer = await what;
        Assert.True((int)answer.Status < 300, $"the preparation failed: {(int)answer.Status} {answer.Text}");
        _room.Clock.Advance(TimeSpan.FromMilliseconds(1));
        return answer;
    }

    public Task Pass(TimeSpan time) => _room.Pass(time);

    public async Task<(Guid Id, ApiClient Client)> NewKey(object body)
    {
        var made = await Do(Operator.Post("/v1/keys", body, ("X-Persona-Tenant", Tenant.ToString())));
        var client = _room.Node.Client((string)made.Json["key"]!);
        _open.Add(client);
        return (made.Id, client);
    }

    private async Task<ApiClient> Key(object body) => (await NewKey(body)).Client;

    public async Task<CutListener> Listen(ApiClient by, string stream)
    {
        var listener = await CutListener.Open(by, stream);
        _open.Add(listener);
        return listener;
    }

    /// <summary>As another scene would have it: ids by the order in which they are met, no times, no names.</summary>
    public string Neutral(string text)
    {
        text = Time().Replace(text, "T").Replace(Tag, "~", StringComparison.Ordinal);
        text = Secret().Replace(PromptVersion().Replace(text, "\"version\":\"v\""), "pa_");
        var ids = new Dictionary<string, int>();
        return Id().Replace(text, id => $"#{(ids.TryGetValue(id.Value, out var known) ? known : ids[id.Value] = ids.Count)}");
    }

    public void Dispose()
    {
        foreach (var one in _open)
        {
            one.Dispose();
        }
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Id();

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)")]
    private static partial Regex Time();

    [GeneratedRegex("pa_[A-Za-z0-9_-]+")]
    private static partial Regex Secret();

    [GeneratedRegex("\"version\":\"[^\"]*\"")]
    private static partial Regex PromptVersion();
}

/// <summary>What came of one stream, over Server-Sent Events.</summary>
internal sealed class CutListener : IDisposable
{
    private readonly List<(string Type, string Id, string Data)> _got = [];
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _over = new();

    private CutListener(string stream) => Stream = stream;

    public string Stream { get; }

    public static async Task<CutListener> Open(ApiClient by, string stream)
    {
        var listener = new CutListener(stream);
        var response = await by.Open($"/v1/events?stream={stream}", listener._over.Token);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{stream} is answered {(int)response.StatusCode}");
        _ = listener.Read(response);
        await listener._subscribed.Task.WaitAsync(TimeSpan.FromSeconds(20));
        return listener;
    }

    /// <summary>
    /// The events in their order; of a prompt only that it changed, for it may tell two changes as one; of what was lost only
    /// that, for the last event may come before or not.
    /// </summary>
    public string Seen()
    {
        lock (_got)
        {
            var events = _got.Where(got => got.Id.Length > 0).Select(got => $"{got.Id[(got.Id.IndexOf(':') + 1)..]} {got.Type} {DataOf(got.Data)}");
            if (Stream.StartsWith("prompt:", StringComparison.Ordinal))
            {
                events = _got.Where(got => got.Id.Length > 0).Select(got => got.Type).Distinct();
            }

            var notices = _got.Where(got => got.Id.Length == 0).Select(got => got.Type).Order().ToList();
            return string.Join("\n  ", notices.Count > 0 ? notices : events);
        }
    }

    public void Dispose() => _over.Cancel();

    private static string DataOf(string json) => JsonNode.Parse(json)!["data"]!.ToJsonString(CutScene.AsSent);

    private async Task Read(HttpResponseMessage response)
    {
        try
        {
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(_over.Token), Encoding.UTF8);
            var (type, id) = ("", "");
            while (await lines.ReadLineAsync(_over.Token) is { } line)
            {
                if (line.StartsWith("event: ", StringComparison.Ordinal))
                {
                    (type, id) = (line[7..], "");
                }
                else if (line.StartsWith("id: ", StringComparison.Ordinal))
                {
                    id = line[4..];
                }
                else if (line.StartsWith("data: ", StringComparison.Ordinal))
                {
                    if (!_subscribed.TrySetResult())
                    {
                        Add((type, id, line[6..]));
                    }
                }
            }

            Add(("ended", "", ""));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or HttpRequestException)
        {
            Add(("broken", "", ""));
        }
    }

    private void Add((string, string, string) got)
    {
        lock (_got)
        {
            _got.Add(got);
        }
    }
}

/// <summary>One try of a command in its scene: the request, and where one looks for what it did.</summary>
internal sealed class CutTry(CutScene scene, ApiClient by, HttpMethod method, string path, object? body, params (string, string)[] sent)
{
    private readonly List<(ApiClient By, string Path, (string, string)[] Headers)> _looks = [];
    private readonly List<string> _gone = [];
    private readonly List<(ApiClient By, string Stream)> _streams = [];
    private Guid _of;
    private readonly List<CutListener> _listening = [];
    private string _made = Guid.Empty.ToString();

    /// <summary>Which of its transactions is cut; the first that stores an answer, if nothing is said.</summary>
    public Regex? Commit { get; private set; }

    /// <summary>How soon all of it is seen.</summary>
    public TimeSpan Within { get; private set; } = TimeSpan.FromSeconds(1);

    /// <summary>What the command answers is only a beginning: a job goes on as fast as the machine lets it.</summary>
    public CutTry ByAJob()
    {
        Within = TimeSpan.FromSeconds(30);
        return this;
    }

    /// <summary>What GET answers, for the tenant's service; {id} is what the command made.</summary>
    public CutTry See(params string[] paths) => SeeAs(scene.Service, paths);

    public CutTry SeeAs(ApiClient who, params string[] paths)
    {
        _looks.AddRange(paths.Select(at => (who, at, Array.Empty<(string, string)>())));
        return this;
    }

    /// <summary>For a service that says for whom it asks.</summary>
    public CutTry SeeFor(Guid user, params string[] paths)
    {
        _looks.AddRange(paths.Select(at => (scene.Service, at, new[] { ("X-Persona-User", user.ToString()) })));
        return this;
    }

    /// <summary>What must be gone, too.</summary>
    public CutTry SeeGone(params string[] paths)
    {
        _gone.AddRange(paths);
        return See(paths).SeeFor(_of, paths);
    }

    /// <summary>For whom <see cref="SeeGone"/> asks.</summary>
    public CutTry Of(Guid user)
    {
        _of = user;
        return this;
    }

    /// <summary>What should be gone and is there.</summary>
    public async Task<List<string>> Left()
    {
        var left = new List<string>();
        foreach (var path in _gone)
        {
            foreach (var headers in ((string, string)[][])[[], [("X-Persona-User", _of.ToString())]])
            {
                if ((await scene.Service.Get(path, headers)).Status != HttpStatusCode.NotFound)
                {
                    left.Add(path);
                }
            }
        }

        return left;
    }

    public CutTry Hear(params string[] streams) => HearAs(scene.Service, streams);

    public CutTry HearAs(ApiClient who, params string[] streams)
    {
        _streams.AddRange(streams.Select(stream => (who, stream)));
        return this;
    }

    public CutTry CutIn(string transaction)
    {
        Commit = new Regex(transaction);
        return this;
    }

    /// <summary>Everybody listens, and everything has been looked at: what might be remembered is.</summary>
    public async Task<string> Open()
    {
        foreach (var (who, stream) in _streams)
        {
            _listening.Add(await scene.Listen(who, stream));
        }

        return await Seen();
    }

    public async Task<ApiAnswer> Send(string? id)
    {
        var answer = await by.Send(method, path, body, id is null ? sent : [.. sent, ("Idempotency-Key", id)]);
        _made = answer.Text.StartsWith('{') && answer.Json["id"] is { } made ? (string)made! : _made;
        return answer;
    }

    public async Task<string> Seen()
    {
        var seen = new StringBuilder();
        foreach (var (who, at, headers) in _looks)
        {
            var answer = await who.Get(at.Replace("{id}", _made, StringComparison.Ordinal), headers);
            seen.Append($"GET {at}\n  {(int)answer.Status} {(at.EndsWith("/events", StringComparison.Ordinal) ? ByType(answer) : answer.Text)}\n");
        }

        foreach (var listener in _listening)
        {
            seen.Append($"{listener.Stream}\n  {listener.Seen()}\n");
        }

        return scene.Neutral(seen.ToString());
    }

    /// <summary>What happened in one millisecond comes in any order.</summary>
    private static string ByType(ApiAnswer answer) => answer.Status == HttpStatusCode.OK
        ? string.Join("\n  ", answer.Json["items"]!.AsArray().OrderBy(item => (string)item!["type"]!, StringComparer.Ordinal).Select(item => item!.ToJsonString(CutScene.AsSent)))
        : answer.Text;
}
