using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace PersonaActors.Tests.Prompts;

/// <summary>One user with one personality: a writer of what is the user's, one of what is the personality's, readers, and a listener.</summary>
internal sealed partial class ConsistencyGroup : IDisposable
{
    private readonly Room _room;
    private readonly string _run;
    private readonly Random[] _random;
    private readonly Written<Mine> _mine = new(new Mine("0", "0", false, null, 1, false));
    private readonly Written<Theirs> _theirs = new(new Theirs("0", "0", 0, 1));
    private Person _user = null!;
    private Guid _first, _second, _own, _prompt, _config, _personality;
    private string _slug = "", _taken = "";
    private (string, string) _asUser;
    private PromptListener _listener = null!;
    private List<Reader> _readers = [];

    private ConsistencyGroup(Room room, int seed, int group)
    {
        _room = room;
        _run = $"seed {seed}, group {group}";
        _random = [new Random(HashCode.Combine(seed, group, 1)), new Random(HashCode.Combine(seed, group, 2))];
        _mine.Others = () => _theirs.Answered;
        _theirs.Others = () => _mine.Answered;
    }

    private sealed record Mine(string First, string Second, bool SecondIsDefault, bool? SecondOverrides, int Tokens, bool TokensAreDefault)
    {
        public (string Name, string Content, int? Tokens) Chosen =>
            ((SecondOverrides ?? SecondIsDefault) ? "Second" : "First", (SecondOverrides ?? SecondIsDefault) ? Second : First, TokensAreDefault ? Tokens : null);
    }

    /// <param name="Messages">Null where the answer doesn't say.</param>
    private sealed record Theirs(string Info, string Prompt, double Temperature, int? Messages);

    /// <summary>What one answer said.</summary>
    private sealed record Sight((string Name, string Content, int? Tokens) Mine, Theirs Theirs)
    {
        public bool Fits(Theirs state) => Theirs == (Theirs.Messages is null ? state with { Messages = null } : state);
    }

    /// <summary>One way to ask for the prompt, again and again.</summary>
    private delegate Task<Sight> Reader();

    public static async Task<ConsistencyGroup> Make(Room room, int seed, int group)
    {
        var made = new ConsistencyGroup(room, seed, group);
        await made.Make();
        return made;
    }

    private async Task Make()
    {
        _user = await _room.NewPerson("First");
        _first = await _user.DefaultPersona();
        _second = (await _user.Client.Post("/v1/personas", new { name = "Second", content = "0", pronouns = "0" })).Should(HttpStatusCode.Created).Id;
        (await _user.Client.Patch($"/v1/personas/{_first}", new { content = "0", pronouns = "0" })).Should(HttpStatusCode.OK);
        _own = (await _user.Client.Post("/v1/llm-configs", new { name = "own", model = "m", maxTokens = 1, topK = 1 })).Should(HttpStatusCode.Created).Id;
        _prompt = (await _room.Admin.Post("/v1/system-prompts", new { name = "p", content = "0" })).Should(HttpStatusCode.Created).Id;
        _config = (await _room.Admin.Post("/v1/llm-configs", new { name = $"c{Guid.NewGuid():N}", model = "m", temperature = 0, topP = 0 })).Should(HttpStatusCode.Created).Id;
        (_personality, _slug) = await _user.NewPersonality("0", more: new { systemPromptId = _prompt });
        (_, _taken) = await _user.NewPersonality();
        (await _user.Client.Patch($"/v1/personalities/{_slug}", new { personalityTraits = "0" })).Should(HttpStatusCode.OK);
        (await _user.Client.Patch($"/v1/personalities/{_slug}/settings", new { maxMessages = 1, memoryLimit = 1 })).Should(HttpStatusCode.OK);
        (await _user.Client.Put($"/v1/personalities/{_slug}/default-llm-config", new { llmConfigId = _config })).Should(HttpStatusCode.OK);
        _listener = await PromptListener.Open(_room.Node, await _room.Node.UserKey(_user.Id), _user.Id, _personality);
        // With the service's key: a user's own may make 600 requests a minute.
        _asUser = ("X-Persona-User", _user.Id.ToString());
        _readers = [.. Readers()];
    }

    /// <summary>Everybody at once, for a while.</summary>
    /// <summary>Each writer writes so often, and the readers read until both have.</summary>
    public async Task Work(int round, int writes)
    {
        var writing = Task.WhenAll(
            Repeat(n => n < writes, n => WriteMine((round * 1_000_000) + n)), Repeat(n => n < writes, n => WriteTheirs((round * 1_000_000) + n)));
        await Task.WhenAll([writing, .. _readers.Select(read => Repeat(_ => !writing.IsCompleted, _ => Look(read)))]);
    }

    /// <summary>A last change, of the persona that shows, while nobody else writes: it is told, and nothing after it hides that it wasn't.</summary>
    public async Task Settle()
    {
        var now = _mine.Last;
        var isSecond = now.Chosen.Name == "Second";
        var last = $"{int.Parse(now.Chosen.Content, System.Globalization.CultureInfo.InvariantCulture) + 500_000}";
        await _mine.Write(isSecond ? now with { Second = last } : now with { First = last },
            () => _room.Service.Patch($"/v1/personas/{(isSecond ? _second : _first)}", new { content = last, pronouns = last }, _asUser));
        foreach (var read in _readers)
        {
            await Look(read);
        }

        var version = (string)(await _room.Service.Prompt(_slug, $"?user={_user.Id}"))["version"]!;
        await Eventually.True($"the stream's last version is the prompt's ({_run})", () => Task.FromResult(_listener.Last == version));
    }

    public void Dispose() => _listener.Dispose();

    private Task WriteMine(int n)
    {
        var now = _mine.Last;
        switch (_random[0].Next(7))
        {
            case 0:
                return _mine.Write(now with { First = $"{n}" }, () => _room.Service.Patch($"/v1/personas/{_first}", new { content = $"{n}", pronouns = $"{n}" }, _asUser));
            case 1:
                return _mine.Write(now with { Second = $"{n}" }, () => _room.Service.Patch($"/v1/personas/{_second}", new { content = $"{n}", pronouns = $"{n}" }, _asUser));
            case 2:
                var isSecond = !now.SecondIsDefault;
                return _mine.Write(now with { SecondIsDefault = isSecond }, () => _room.Service.Put($"/v1/users/{_user.Id}/default-persona", new { personaId = isSecond ? _second : _first }, _asUser));
            case 3:
                return _mine.Write(now with { Tokens = n }, () => _room.Service.Patch($"/v1/llm-configs/{_own}", new { maxTokens = n, topK = n }, _asUser));
            case 4:
                var areDefault = !now.TokensAreDefault;
                return _mine.Write(now with { TokensAreDefault = areDefault }, () => areDefault
                    ? _room.Service.Put($"/v1/users/{_user.Id}/default-llm-config", new { llmConfigId = _own }, _asUser)
                    : _room.Service.Delete($"/v1/users/{_user.Id}/default-llm-config", _asUser));
            case 5:
                return Fail(() => _room.Service.Patch($"/v1/personas/{_first}", new { name = "Second", content = $"{n}", pronouns = $"{n}" }, _asUser));
            default:
                bool? overrides = now.SecondOverrides is null ? _random[0].Next(2) == 0 : null;
                return _mine.Write(now with { SecondOverrides = overrides }, () => overrides is { } chosen
                    ? _room.Service.Put($"/v1/users/{_user.Id}/overrides/{_slug}", new { personaId = chosen ? _second : _first }, _asUser)
                    : _room.Service.Delete($"/v1/users/{_user.Id}/overrides/{_slug}", _asUser));
        }
    }

    private Task WriteTheirs(int n)
    {
        var now = _theirs.Last;
        switch (_random[1].Next(5))
        {
            case 0:
                return _theirs.Write(now with { Info = $"{n}" }, () => _room.Service.Patch($"/v1/personalities/{_slug}", new { characterInfo = $"{n}", personalityTraits = $"{n}" }, _asUser));
            case 1:
                return _theirs.Write(now with { Prompt = $"{n}" }, () => _room.Admin.Patch($"/v1/system-prompts/{_prompt}", new { content = $"{n}" }));
            case 2:
                var messages = (n % 100) + 1;
                return _theirs.Write(now with { Messages = messages }, () => _room.Service.Patch($"/v1/personalities/{_slug}/settings", new { maxMessages = messages, memoryLimit = messages }, _asUser));
            case 3:
                return Fail(() => _room.Service.Patch($"/v1/personalities/{_slug}", new { slug = _taken, characterInfo = $"{n}", personalityTraits = $"{n}" }, _asUser));
            default:
                var temperature = n % 1000 / 1000.0;
                return _theirs.Write(now with { Temperature = temperature }, () => _room.Admin.Patch($"/v1/llm-configs/{_config}", new { temperature, topP = temperature }));
        }
    }

    private IEnumerable<Reader> Readers()
    {
        var address = $"/v1/personalities/{_slug}/prompt?user={_user.Id}";
        var bodies = new ConcurrentDictionary<string, string>();

        // One that holds the last answer, and is told that it still holds.
        var (etag, held) = ("", (Sight?)null);
        yield return async () =>
        {
            var answer = await _room.Service.Get(address, ("If-None-Match", etag));
            if (answer.Status == HttpStatusCode.NotModified)
            {
                return held!;
            }

            etag = answer.Should(HttpStatusCode.OK).Headers.ETag!.ToString();
            // One version is one answer, to the byte.
            Assert.Equal(bodies.GetOrAdd(etag, answer.Text), answer.Text);
            return held = OfNative(answer.Json);
        };

        yield return async () => OfNative((await _room.Service.Get($"{address}&explain=true")).Should(HttpStatusCode.OK).Json);

        // What is resolved for one request alone.
        yield return async () =>
        {
            var body = (await _room.Service.Post($"{address}&format=openai", new { message = "hi", variables = new { a = "b" } })).Should(HttpStatusCode.OK).Json;
            Assert.Equal("hi", (string)body["messages"]![1]!["content"]!);
            return Of((string)body["messages"]![0]!["content"]!, body["temperature"]!, body["top_p"]!, body["max_tokens"], null);
        };
    }

    private static Sight OfNative(JsonObject answer)
    {
        Assert.Equal((int)answer["settings"]!["maxMessages"]!, (int)answer["settings"]!["memoryLimit"]!);
        var llm = answer["llm"]!;
        Assert.Equal((int?)llm["maxTokens"], (int?)llm["topK"]);
        return Of(answer.Text(), llm["temperature"]!, llm["topP"]!, llm["maxTokens"], (int)answer["settings"]!["maxMessages"]!);
    }

    private static Sight Of(string text, JsonNode temperature, JsonNode topP, JsonNode? maxTokens, int? messages)
    {
        var seen = Shape().Match(text);
        Assert.True(seen.Success, text);
        string Part(string name) => seen.Groups[name].Value;
        Assert.Equal(Part("content"), Part("pronouns"));
        Assert.Equal(Part("info"), Part("traits"));
        Assert.Equal((double)temperature, (double)topP);
        return new Sight((Part("name"), Part("content"), (int?)maxTokens), new Theirs(Part("info"), Part("prompt"), (double)temperature, messages));
    }

    private async Task Look(Reader read)
    {
        var (sawMine, sawTheirs) = (_mine.Oldest, _theirs.Oldest);
        var sight = await read();
        for (var settled = false; !settled;)
        {
            var (fromMine, fromTheirs) = (sawMine, sawTheirs);
            (sawMine, sawTheirs) = (_mine.Find(fromMine, state => state.Chosen == sight.Mine), _theirs.Find(fromTheirs, sight.Fits));
            Assert.True(sawMine >= 0 && sawTheirs >= 0, $"{_run}: {sight} is none of the states from {fromMine} and {fromTheirs} on:\n{_mine}\n{_theirs}");

            // What one writer's state tells of the other's.
            (fromMine, fromTheirs) = (sawMine, sawTheirs);
            sawMine = Math.Max(sawMine, _theirs.OthersAnsweredBefore(sawTheirs));
            sawTheirs = Math.Max(sawTheirs, _mine.OthersAnsweredBefore(sawMine));
            settled = (fromMine, fromTheirs) == (sawMine, sawTheirs);
        }

        _mine.See(sawMine);
        _theirs.See(sawTheirs);
    }

    /// <summary>A command that is refused as it commits: nobody may ever see what it would have made.</summary>
    private static async Task Fail(Func<Task<ApiAnswer>> command) => (await command()).Should(HttpStatusCode.Conflict);

    private static async Task Repeat(Func<int, bool> goesOn, Func<int, Task> act)
    {
        for (var n = 0; goesOn(n); n++)
        {
            await act(n);
        }
    }

    [GeneratedRegex("""
        ^(?<prompt>\d+)\n\n<character>\n<name>Lila</name>\n<info>(?<info>\d+)</info>\n<traits>(?<traits>\d+)</traits>\n</character>\n\n<user>\n<name>(?<name>\w+)</name>\n<pronouns>(?<pronouns>\d+)</pronouns>\n<about[^>]*>(?<content>\d+)</about>\n</user>$
        """)]
    private static partial Regex Shape();
}
