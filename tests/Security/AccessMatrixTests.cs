using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Grains.Jobs;
using PersonaActors.Tests.Jobs;

namespace PersonaActors.Tests.Security;

/// <summary>Who may what: every family of routes, by every kind of key, on what is one's own, another's, and another tenant's.</summary>
public sealed class AccessMatrixTests(AccessMatrixTests.Place place) : IClassFixture<AccessMatrixTests.Place>, IAsyncLifetime
{
    public sealed class Place : IAsyncLifetime
    {
        private TestDatabase _database = null!;

        public Node Node { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            _database = await TestDatabase.Create();
            Node = await Node.Start(_database, with: services => services.AddSingleton<IJobKind, CountingJob>(), settings: ("Persona:Limits:RequestsPerMinute", "0"));
        }

        public async Task DisposeAsync()
        {
            await Node.DisposeAsync();
            await _database.DisposeAsync();
        }
    }

    private static readonly HttpClient Http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 64 });
    private readonly Node _node = place.Node;
    private ApiClient _service = null!;
    private readonly List<Caller> _callers = [];
    private Thing _user = null!;
    private Thing _persona = null!;
    private Thing _assistant = null!;
    private Thing _personality = null!;
    private Thing _config = null!;
    private Thing _session = null!;
    private Thing _ended = null!;
    private Thing _channel = null!;
    private Thing _memory = null!;
    private Thing _job = null!;
    private Guid _tenant;
    private Guid _other;

    /// <summary>What a route is tried on: Ada's, Ben's for himself, Ben's for all (if there is that), and Eve's, who is in another tenant.</summary>
    private sealed record Thing(Guid Own, Guid Private, Guid? Public, Guid Foreign)
    {
        public Guid?[] All => [Own, Private, Public, Foreign];
    }

    /// <param name="Column">Which answers are expected; all that act for Ada are Ada.</param>
    private sealed record Caller(string Name, string Column, string? Key, params (string Name, string Value)[] Headers);

    /// <summary>Statuses on own, private, public, foreign; of a batch that of its one pair.</summary>
    /// <param name="Ada">Her key, her token, and every key that acts for her.</param>
    /// <param name="Anybody">An operator's key, and an admin's that may delegate, where no user is named.</param>
    /// <param name="Service">One that may delegate.</param>
    /// <param name="Admin">One that may not delegate.</param>
    /// <param name="Bare">A service's that may not.</param>
    private sealed record Row(string Method, string Path, Thing On, object? Body, string Ada, string Anybody, string Service, string Admin, string Bare)
    {
        public string Of(string column) => column switch
        {
            "ada" => Ada,
            "anybody" => Anybody,
            "service" => Service,
            "admin" => Admin,
            "bare" => Bare,
            "nobody" => "401 401 401 401",
            _ => "403 403 403 403",
        };
    }

    public async Task InitializeAsync()
    {
        var node = _node;
        using var operators = node.Client(await node.OperatorKey());
        async Task<Guid> NewTenant() => (await operators.Post("/v1/tenants", new { name = $"t{Guid.NewGuid():N}"[..20] })).Should(HttpStatusCode.Created).Id;
        _tenant = node.Demo = await NewTenant();
        _other = await NewTenant();
        _service = node.Client(await node.ServiceKey());
        using var elsewhere = node.Client(await node.ServiceKey(_other));
        _user = new Thing(await _service.Register("ada"), await _service.Register("ben"), null, await elsewhere.Register("eve"));
        var (ada, ben, eve) = (_service, _service, elsewhere);
        foreach (var (client, person) in ((ApiClient, Guid)[])[(ada, _user.Own), (ben, _user.Private), (eve, _user.Foreign)])
        {
            (await client.Put($"/v1/mindscapes/{person}", new { traits = new { likes = "tea" } })).Should(HttpStatusCode.OK);
        }

        async Task<Guid> Make(ApiClient client, Guid user, string path, object body) =>
            (await client.Post(path, body, ("X-Persona-User", user.ToString()))).Should(HttpStatusCode.Created).Id;
        async Task<Thing> Things(string path, Func<bool, object> body) => new(
            await Make(ada, _user.Own, path, body(false)), await Make(ben, _user.Private, path, body(false)), await Make(ben, _user.Private, path, body(true)),
            await Make(eve, _user.Foreign, path, body(true)));
        _persona = await Things("/v1/personas", _ => new { name = $"p{Guid.NewGuid():N}" }) with { Public = null };
        _assistant = await Things("/v1/user-personas", isPublic => new { name = "Helper", systemPrompt = "Help.", isPublic });
        _personality = await Things("/v1/personalities", isPublic => new { name = "Lila", slug = $"p{Guid.NewGuid():N}"[..20], characterInfo = "", personalityTraits = "", isPublic });
        _config = await Things("/v1/llm-configs", _ => new { name = $"c{Guid.NewGuid():N}", model = "m" });
        Task<Guid> Session(ApiClient client, Guid user) => Make(client, user, "/v1/focus/sessions", new { mode = "deep", takeover = true });
        async Task<Thing> Sessions() => new(await Session(ada, _user.Own), await Session(ben, _user.Private), null, await Session(eve, _user.Foreign));
        // The first are ended by those that take over.
        _ended = await Sessions();
        _session = await Sessions();
        _memory = await Things("/v1/memories", _ => new { content = $"note {Guid.NewGuid()}" }) with { Public = null };
        async Task<Guid> Channel(ApiClient client, Guid user)
        {
            var channel = Guid.NewGuid();
            (await client.Post($"/v1/channels/{channel}/messages", new { role = "user", content = "x", clientId = "m", user })).Should(HttpStatusCode.Created);
            return channel;
        }

        _channel = new Thing(await Channel(ada, _user.Own), await Channel(ben, _user.Private), null, await Channel(eve, _user.Foreign));
        var once = new CountingJob.Input(1);
        _job = new Thing(
            await CountingJob.Start(node, _tenant, _user.Own, once), await CountingJob.Start(node, _tenant, _user.Private, once), null,
            await CountingJob.Start(node, _other, _user.Foreign, once));
        using var admins = node.Client(await node.AdminKey());
        _config = _config with { Public = (await admins.Post("/v1/llm-configs", new { name = "everybody's", model = "m" })).Should(HttpStatusCode.Created).Id };

        var inTenant = ("X-Persona-Tenant", _tenant.ToString());
        var asAda = ("X-Persona-User", _user.Own.ToString());
        var token = (string)(await _service.Post("/v1/tokens", new { user = _user.Own, audience = "api" })).Should(HttpStatusCode.Created).Json["token"]!;
        var (ops, admin, lesser, service, bare, user) = (
            await node.OperatorKey(), await node.AdminKey(), await node.AdminKey(mayDelegate: false), await node.ServiceKey(), await node.ServiceKey(mayDelegate: false),
            await node.UserKey(_user.Own));
        _callers.AddRange([
            new("Ada", "ada", user), new("Ada's token", "ada", token), new("operator for Ada", "ada", ops, inTenant, asAda), new("admin for Ada", "ada", admin, asAda),
            new("service for Ada", "ada", service, asAda),
            new("operator", "anybody", ops, inTenant), new("admin", "anybody", admin), new("service", "service", service),
            new("admin without delegation", "admin", lesser), new("service without delegation", "bare", bare),
            new("admin without delegation for Ada", "refused", lesser, asAda), new("service without delegation for Ada", "refused", bare, asAda),
            new("Ada for Ben", "refused", user, ("X-Persona-User", _user.Private.ToString())),
            new("nobody", "nobody", null)]);
    }

    public Task DisposeAsync()
    {
        _service.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Every_kind_of_key_gets_what_it_may_and_nothing_else()
    {
        const string all = "200 200 200 200", never = "403 403 403 403", unnamed = "400 400 400 400";
        var shared = _personality.Public;
        Row[] rows =
        [
            // Accounts: an admin looks after them, whether or not it may act for their users.
            new("GET", "/v1/users/{0}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "200 200 - 404", never),
            new("PATCH", "/v1/users/{0}", _user, new { timeZone = "UTC" }, "200 404 - 404", "200 200 - 404", "200 200 - 404", "200 200 - 404", never),
            new("PATCH", "/v1/users/{0}", _user, new { isFree = true }, "403 404 - 404", "200 200 - 404", "200 200 - 404", "200 200 - 404", never),
            new("GET", "/v1/users/{0}/overrides", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "200 200 - 404", never),
            new("GET", "/v1/users?limit=1", _user, null, all, all, all, all, never),
            new("STREAM", "user:{0}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404"),
            new("STREAM", "presence:user:{0}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404"),

            // What is a user's own.
            new("GET", "/v1/personas?user={0}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/personas/{0}", _persona, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("PATCH", "/v1/personas/{0}", _persona, new { content = "x" }, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("STREAM", "persona:{0}", _persona, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404", "404 404 - 404"),
            new("GET", "/v1/people/{0}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/people/{0}/context", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/people/{0}/rhythm", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/people/{0}/memories", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/people/{0}/tasks", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/people/{0}/focus/stats", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/people/{0}/focus/export", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("POST", "/v1/people/{0}/tasks", _user with { Foreign = _user.Own }, new { title = "t" }, "201 404 - 201", "201 201 - 201", "201 201 - 201", never, never),
            new("PUT", "/v1/people/{0}/rhythm", _user with { Foreign = _user.Own }, new { bodyEnergy = 0.5 }, "200 404 - 200", "200 200 - 200", "200 200 - 200", never, never),
            new("STREAM", "companion:{0}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404", "404 404 - 404"),
            new("GET", "/v1/focus/sessions?user={0}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/focus/sessions/{0}", _session, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/focus/sessions/{0}/events", _session, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("POST", "/v1/focus/sessions/{0}/ping", _session, new { biomarkers = new { } }, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("POST", "/focus/ping", _session, "session_id", "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("POST", "/focus/end", _ended, "session_id", "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("STREAM", "session:{0}", _session, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404", "404 404 - 404"),
            new("GET", "/v1/llm-configs/{0}", _config, null, "200 404 200 404", "200 200 200 404", "200 200 200 404", "404 404 200 404", "404 404 200 404"),
            new("PATCH", "/v1/llm-configs/{0}", _config, new { description = "x" }, "200 404 403 404", "200 200 200 404", "200 200 200 404", "404 404 200 404", "404 404 200 404"),

            new("GET", "/v1/memories?user={0}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/memories/{0}", _memory, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("PATCH", "/v1/memories/{0}", _memory, new { source = "x" }, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),

            // What is known of a person: whom nobody knows yet may be asked about by who may bring them in.
            new("GET", "/v1/mindscapes/{0}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("PUT", "/v1/mindscapes/{0}/learning", _user with { Foreign = _user.Own }, new { paused = false }, "200 404 - 200", "200 200 - 200", "200 200 - 200", never, never),
            new("GET", "/v1/observations?person={0}", _user, null, "200 404 - 404", "200 200 - 200", "200 200 - 200", never, never),
            new("GET", "/v1/narratives?person={0}", _user, null, "200 404 - 404", "200 200 - 200", "200 200 - 200", never, never),
            new("GET", "/v1/generated-personas?person={0}", _user, null, "200 404 - 404", "200 200 - 200", "200 200 - 200", never, never),
            new("STREAM", "mindscape:{0}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404", "404 404 - 404"),
            new("GET", "/v1/mappers", _user, null, all, all, all, all, all),

            // Channels: of those who are in them.
            new("GET", "/v1/channels/{0}", _channel, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/channels/{0}/messages", _channel, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/channels/{0}/messages?last=5", _channel, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/channels/{0}/members", _channel, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("GET", "/v1/channels/{0}/active", _channel, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("PATCH", "/v1/channels/{0}/settings", _channel with { Foreign = _channel.Own }, new { maxAge = 60 }, "200 404 - 200", "200 200 - 200", "200 200 - 200", never, never),
            new("PATCH", "/v1/channels/{0}/messages/m", _channel, new { content = "y" }, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("STREAM", "channel:{0}", _channel, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404", "404 404 - 404"),
            // Jobs: of whom one acts for; admins see all.
            new("GET", "/v1/jobs", _user, null, all, all, all, all, all),
            new("GET", "/v1/jobs/{0}", _job, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404"),
            new("GET", "/v1/jobs/{0}/notes", _job, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404"),
            new("GET", "/v1/jobs/{0}/file", _job, null, "404 404 - 404", "404 404 - 404", "404 404 - 404", "404 404 - 404", "404 404 - 404"),
            new("STREAM", "job:{0}", _job, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404"),

            // User personas: what is public all may use, and nobody but the owner change.
            new("GET", "/v1/user-personas/{0}", _assistant, null, "200 404 200 404", "200 200 200 404", "200 200 200 404", "404 404 200 404", "404 404 200 404"),
            new("GET", "/v1/user-personas/{0}/stats", _assistant, null, "200 404 200 404", "200 200 200 404", "200 200 200 404", "404 404 200 404", "404 404 200 404"),
            new("PATCH", "/v1/user-personas/{0}", _assistant, new { voiceId = "v" }, "200 404 403 404", unnamed, unnamed, unnamed, unnamed),
            new("POST", "/v1/user-personas/{0}/usage", _assistant, new { tokens = 1 }, "201 404 201 404", unnamed, unnamed, unnamed, unnamed),
            new("POST", "/v1/user-personas/{0}/duplicate", _assistant, null, "201 404 201 404", unnamed, unnamed, unnamed, unnamed),
            new("GET", "/v1/user-personas/{0}/prompt", _assistant, null, "200 404 200 404", unnamed, unnamed, unnamed, unnamed),
            new("GET", $"/v1/user-personas/{{0}}?user={_user.Own}", _assistant, null, "200 404 200 404", "200 404 200 404", "200 404 200 404", never, never),
            new("GET", $"/v1/user-personas/{{0}}/prompt?user={_user.Own}", _assistant, null, "200 404 200 404", "200 404 200 404", "200 404 200 404", never, never),
            new("STREAM", "user-persona:{0}", _assistant, null, "200 404 200 404", "200 200 200 404", "200 200 200 404", "404 404 200 404", "404 404 200 404"),

            // Characters: the tenant's admins stand above roles, as long as they are admins.
            new("GET", "/v1/personalities/{0}", _personality, null, "200 404 200 404", "200 200 200 404", "404 404 200 404", "200 200 200 404", "404 404 200 404"),
            new("GET", "/v1/personalities/{0}/owners", _personality, null, "200 404 200 404", "200 200 200 404", "404 404 200 404", "200 200 200 404", "404 404 200 404"),
            new("GET", "/v1/personalities/{0}/card", _personality, null, "200 404 403 404", "200 200 200 404", "404 404 403 404", "200 200 200 404", "404 404 403 404"),
            new("PATCH", "/v1/personalities/{0}", _personality, new { tone = "x" }, "200 404 403 404", "200 200 200 404", "404 404 403 404", "200 200 200 404", "404 404 403 404"),
            new("PATCH", "/v1/personalities/{0}/settings", _personality, new { maxMessages = 5 }, "200 404 403 404", "200 200 200 404", "404 404 403 404", "200 200 200 404", "404 404 403 404"),
            new("GET", "/v1/personalities/{0}/prompt", _personality, null, "200 404 200 404", unnamed, unnamed, unnamed, unnamed),
            new("GET", $"/v1/personalities/{{0}}/prompt?user={_user.Own}", _personality, null, "200 404 200 404", "200 404 200 404", "200 404 200 404", never, never),
            new("GET", $"/v1/personalities/{shared}/prompt?user={{0}}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("STREAM", "personality:{0}", _personality, null, "200 404 200 404", "200 200 200 404", "404 404 200 404", "200 200 200 404", "404 404 200 404"),
            new("STREAM", "presence:personality:{0}", _personality, null, "200 404 200 404", "200 200 200 404", "404 404 200 404", "200 200 200 404", "404 404 200 404"),
            new("BATCH", "/v1/prompts:batch", _user, (Func<Guid, object>)(user => new { user, personality = shared }), "200 404 - 404", "200 200 - 404", "200 200 - 404", never, never),
            new("BATCH", "/v1/prompts:batch", _personality, (Func<Guid, object>)(personality => new { user = _user.Own, personality }), "200 404 200 404", "200 404 200 404", "200 404 200 404", never, never),
            new("STREAM", $"prompt:{{0}}:{shared}", _user, null, "200 404 - 404", "200 200 - 404", "200 200 - 404", "404 404 - 404", "404 404 - 404"),

            // What is the tenant's.
            new("GET", "/v1/tenant/settings", _user, null, all, all, all, all, all),
            new("PATCH", "/v1/tenant/settings", _user, new { maxMessages = 50 }, never, all, never, all, never),
            new("GET", "/v1/system-prompts", _user, null, all, all, all, all, all),
            new("PATCH", $"/v1/system-prompts/{Guid.Empty}", _user, new { name = "x" }, "404 404 404 404", "404 404 404 404", "404 404 404 404", "404 404 404 404", "404 404 404 404"),
            new("GET", "/v1/focus-modes", _user, null, all, all, all, all, all),
            new("GET", "/v1/keys", _user, null, never, all, never, all, never),
            new("POST", "/v1/keys", _user, new { kind = "tenant-admin", name = "k" }, never, "201 201 201 201", never, "201 201 201 201", never),
            new("GET", $"/v1/tenants/{_tenant}", _user, null, "404 404 404 404", all, "404 404 404 404", all, "404 404 404 404"),
            new("STREAM", $"tenant:{_tenant}", _user, null, "404 404 404 404", all, "404 404 404 404", all, "404 404 404 404"),
            new("STREAM", $"tenant:{_other}", _user, null, "404 404 404 404", "404 404 404 404", "404 404 404 404", "404 404 404 404", "404 404 404 404"),
            new("STREAM", $"catalogue:{_tenant}", _user, null, all, all, all, all, all),
        ];
        var wrong = new List<string>();
        await Task.WhenAll(_callers.Select(async caller =>
        {
            foreach (var row in rows)
            {
                var expected = row.Of(caller.Column).Split(' ', StringSplitOptions.RemoveEmptyEntries);
                for (var i = 0; i < expected.Length; i++)
                {
                    // An admin's policy or a stream's silence say no in their own words; that it is a no is what counts for who may not even begin.
                    if (row.On.All[i] is { } id && expected[i] != "-" && await Status(row, id, caller) is var status && status != expected[i]
                        && !(caller.Column == "refused" && row.Path.StartsWith("/v1/tenants/", StringComparison.Ordinal) && status == "404"))
                    {
                        lock (wrong)
                        {
                            wrong.Add($"{caller.Name}: {row.Method} {row.Path} on {(string[])["own", "private", "public", "foreign"] switch { var names => names[i] }} is {status}, not {expected[i]}");
                        }
                    }
                }
            }
        }));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task A_key_that_may_not_delegate_makes_none_that_does()
    {
        var node = _node;
        using var lesser = node.Client(await node.AdminKey(mayDelegate: false));
        (await lesser.Post("/v1/keys", new { kind = "service", name = "x" })).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        (await lesser.Post("/v1/keys", new { kind = "service", name = "x", mayDelegate = true })).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        (await lesser.Post("/v1/keys", new { kind = "tenant-admin", name = "x", mayDelegate = true })).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        (await lesser.Post("/v1/keys", new { kind = "user", name = "x", user = _user.Own })).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        (await lesser.Post("/v1/tokens", new { user = _user.Own })).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        (await lesser.Post("/focus/start", new { person_id = _user.Own })).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        (await lesser.Post("/v1/focus/sessions", new { user = _user.Own })).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        var made = (await lesser.Post("/v1/keys", new { kind = "service", name = "x", mayDelegate = false })).Should(HttpStatusCode.Created);
        Assert.False((bool)made.Json["mayDelegate"]!);
        using var bare = node.Client((string)made.Json["key"]!);
        (await bare.Get($"/v1/people/{_user.Own}")).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        (await bare.Post("/v1/tokens", new { user = _user.Own })).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_delegate");
        // Registering is what it is for.
        await bare.Register("cleo");
        (await _service.Post("/v1/users", new { username = "x" }, ("X-Persona-User", _user.Own.ToString()))).ShouldRefuse(HttpStatusCode.Forbidden, "may_not_register");
    }

    [Fact]
    public async Task An_admin_that_acts_for_one_user_leaves_anothers_things_as_they_are()
    {
        using var admin = _node.Client(await _node.AdminKey());
        var asAda = ("X-Persona-User", _user.Own.ToString());
        foreach (var named in (string[])["", $"?user={_user.Own}"])
        {
            (string, string)[] headers = named.Length == 0 ? [asAda] : [];
            (await admin.Post($"/v1/user-personas/{_assistant.Private}/usage{named}", new { tokens = 5 }, headers)).ShouldRefuse(HttpStatusCode.NotFound, "user_persona_not_found");
            (await admin.Post($"/v1/user-personas/{_assistant.Private}/duplicate{named}", null, headers)).ShouldRefuse(HttpStatusCode.NotFound, "user_persona_not_found");
            (await admin.Patch($"/v1/user-personas/{_assistant.Private}{named}", new { name = "mine" }, headers)).ShouldRefuse(HttpStatusCode.NotFound, "user_persona_not_found");
            (await admin.Get($"/v1/personas/{_persona.Private}{named}", headers)).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
            (await admin.Patch($"/v1/personas/{_persona.Private}{named}", new { content = "mine" }, headers)).ShouldRefuse(HttpStatusCode.NotFound, "persona_not_found");
        }

        (await admin.Patch($"/v1/personalities/{_personality.Private}", new { name = "mine" }, asAda)).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await admin.Delete($"/v1/personalities/{_personality.Public}", asAda)).ShouldRefuse(HttpStatusCode.Forbidden, "role_required");
        var asBen = ("X-Persona-User", _user.Private.ToString());
        Assert.Equal("Helper", (string)(await admin.Get($"/v1/user-personas/{_assistant.Private}", asBen)).Json["name"]!);
        Assert.Equal(0, (int)(await admin.Get($"/v1/user-personas/{_assistant.Private}/stats", asBen)).Json["uses"]!);
        Assert.Equal("Lila", (string)(await admin.Get($"/v1/personalities/{_personality.Private}", asBen)).Json["name"]!);
    }

    private async Task<string> Status(Row row, Guid id, Caller caller)
    {
        var path = string.Format(null, row.Path, id);
        using var request = row.Method == "STREAM"
            ? new HttpRequestMessage(HttpMethod.Get, new Uri(_node.Address, $"/v1/events?stream={path}"))
            : new HttpRequestMessage(row.Method == "BATCH" ? HttpMethod.Post : new HttpMethod(row.Method), new Uri(_node.Address, path));
        if (caller.Key is not null)
        {
            request.Headers.Add("Authorization", $"Bearer {caller.Key}");
        }

        foreach (var (name, value) in caller.Headers)
        {
            request.Headers.Add(name, value);
        }

        request.Content = row.Body switch
        {
            null => null,
            string field => JsonContent.Create(new JsonObject { [field] = id }),
            Func<Guid, object> pair => JsonContent.Create(new { pairs = new[] { pair(id) } }),
            var body => JsonContent.Create(body),
        };
        using var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var problem = row.Method == "BATCH" && response.IsSuccessStatusCode
            ? JsonNode.Parse(await response.Content.ReadAsStringAsync())!["items"]![0]!["problem"]
            : null;
        return problem is null ? ((int)response.StatusCode).ToString() : problem["status"]!.ToString();
    }
}
