using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using PersonaActors.Tests.Catalogues;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Prompts;

/// <summary>
/// Writers change personas, defaults, overrides, characters, prompts and configs at random while readers resolve. Each writer
/// is one client that waits for every answer, so what it wrote is a row of states, and a reader must see one of them: none
/// older than what was answered before it asked, none older than it saw before, and of each writer one state, whole.
/// </summary>
public sealed partial class ConsistencyTests(Room room) : IClassFixture<Room>
{
    private const int Groups = 3;
    private const int Readers = 3;

    private static readonly TimeSpan Length = Environment.GetEnvironmentVariable("PERSONA_SOAK") == "1" ? TimeSpan.FromSeconds(30) : TimeSpan.FromSeconds(6);

    /// <summary>The states that one writer's commands make, in order; read by others up to what was begun.</summary>
    private sealed class Written<T>(T first)
    {
        private readonly List<T> _states = [first];
        private int _answered;

        public T Last => _states[^1];

        public int Answered => Volatile.Read(ref _answered);

        public async Task Write(T next, Func<Task<ApiAnswer>> command)
        {
            lock (_states)
            {
                _states.Add(next);
            }

            var answer = await command();
            Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent, answer.Text);
            Interlocked.Increment(ref _answered);
        }

        /// <summary>The earliest state from a number on, up to what was begun, that looks like this; -1 if none does.</summary>
        public int Find(int from, Func<T, bool> looks)
        {
            lock (_states)
            {
                return _states.FindIndex(from, state => looks(state));
            }
        }

        public override string ToString()
        {
            lock (_states)
            {
                return string.Join(" | ", _states.TakeLast(6));
            }
        }
    }

    private sealed record Mine(string First, string Second, bool SecondIsDefault, bool? SecondOverrides)
    {
        public (string Name, string Content) Chosen => (SecondOverrides ?? SecondIsDefault) ? ("Second", Second) : ("First", First);
    }

    private sealed record Theirs(string Info, string Prompt, double Temperature);

    [Fact]
    public async Task Readers_see_what_was_written_whole_and_in_order()
    {
        var seed = Environment.TickCount;
        var until = Stopwatch.GetTimestamp() + (long)(Length.TotalSeconds * Stopwatch.Frequency);
        await Task.WhenAll(Enumerable.Range(0, Groups).Select(group => Run(seed, group, until)));
    }

    private async Task Run(int seed, int group, long until)
    {
        var user = await room.NewPerson("First");
        var first = await user.DefaultPersona();
        var second = (await user.Client.Post("/v1/personas", new { name = "Second", content = "0", pronouns = "0" })).Should(HttpStatusCode.Created).Id;
        (await user.Client.Patch($"/v1/personas/{first}", new { content = "0", pronouns = "0" })).Should(HttpStatusCode.OK);
        var prompt = (await room.Admin.Post("/v1/system-prompts", new { name = "p", content = "0" })).Should(HttpStatusCode.Created).Id;
        var config = (await room.Admin.Post("/v1/llm-configs", new { name = $"c{Guid.NewGuid():N}", model = "m", temperature = 0, topP = 0 })).Should(HttpStatusCode.Created).Id;
        var (personality, slug) = await user.NewPersonality("0", more: new { systemPromptId = prompt });
        (await user.Client.Patch($"/v1/personalities/{slug}", new { personalityTraits = "0" })).Should(HttpStatusCode.OK);
        (await user.Client.Put($"/v1/personalities/{slug}/default-llm-config", new { llmConfigId = config })).Should(HttpStatusCode.OK);
        using var listener = await PromptListener.Open(room.Node, await room.Node.UserKey(user.Id), user.Id, personality);

        // With the service's key: a user's own may make 600 requests a minute.
        var asUser = ("X-Persona-User", user.Id.ToString());
        var mine = new Written<Mine>(new Mine("0", "0", false, null));
        var theirs = new Written<Theirs>(new Theirs("0", "0", 0));
        var writers = new[]
        {
            Repeat(until, new Random(HashCode.Combine(seed, group, 1)), (random, n) =>
            {
                var now = mine.Last;
                switch (random.Next(4))
                {
                    case 0:
                        return mine.Write(now with { First = $"{n}" }, () => room.Service.Patch($"/v1/personas/{first}", new { content = $"{n}", pronouns = $"{n}" }, asUser));
                    case 1:
                        return mine.Write(now with { Second = $"{n}" }, () => room.Service.Patch($"/v1/personas/{second}", new { content = $"{n}", pronouns = $"{n}" }, asUser));
                    case 2:
                        var isSecond = !now.SecondIsDefault;
                        return mine.Write(now with { SecondIsDefault = isSecond }, () => room.Service.Put($"/v1/users/{user.Id}/default-persona", new { personaId = isSecond ? second : first }, asUser));
                    default:
                        bool? overrides = now.SecondOverrides is null ? random.Next(2) == 0 : null;
                        return mine.Write(now with { SecondOverrides = overrides }, () => overrides is { } chosen
                            ? room.Service.Put($"/v1/users/{user.Id}/overrides/{slug}", new { personaId = chosen ? second : first }, asUser)
                            : room.Service.Delete($"/v1/users/{user.Id}/overrides/{slug}", asUser));
                }
            }),
            Repeat(until, new Random(HashCode.Combine(seed, group, 2)), (random, n) =>
            {
                var now = theirs.Last;
                switch (random.Next(3))
                {
                    case 0:
                        return theirs.Write(now with { Info = $"{n}" }, () => room.Service.Patch($"/v1/personalities/{slug}", new { characterInfo = $"{n}", personalityTraits = $"{n}" }, asUser));
                    case 1:
                        return theirs.Write(now with { Prompt = $"{n}" }, () => room.Admin.Patch($"/v1/system-prompts/{prompt}", new { content = $"{n}" }));
                    default:
                        var temperature = n % 1000 / 1000.0;
                        return theirs.Write(now with { Temperature = temperature }, () => room.Admin.Patch($"/v1/llm-configs/{config}", new { temperature, topP = temperature }));
                }
            }),
        };
        var readers = Enumerable.Range(0, Readers).Select(async reader =>
        {
            var (sawMine, sawTheirs, count) = (0, 0, 0);
            for (; Stopwatch.GetTimestamp() < until; count++)
            {
                var (fromMine, fromTheirs) = (Math.Max(sawMine, mine.Answered), Math.Max(sawTheirs, theirs.Answered));
                var answer = await room.Service.Prompt(slug, $"?user={user.Id}&format=native&explain={(reader == 2 ? "true" : "false")}");
                var seen = Shape().Match(answer.Text());
                Assert.True(seen.Success, answer.Text());
                string Part(string name) => seen.Groups[name].Value;
                Assert.Equal(Part("content"), Part("pronouns"));
                Assert.Equal(Part("info"), Part("traits"));
                Assert.Equal((double)answer["llm"]!["temperature"]!, (double)answer["llm"]!["topP"]!);

                sawMine = mine.Find(fromMine, state => state.Chosen == (Part("name"), Part("content")));
                Assert.True(sawMine >= 0, $"seed {seed}: {Part("name")} {Part("content")} is none of the states from {fromMine} on: {mine}");
                sawTheirs = theirs.Find(fromTheirs, state => state == new Theirs(Part("info"), Part("prompt"), (double)answer["llm"]!["temperature"]!));
                Assert.True(sawTheirs >= 0, $"seed {seed}: {Part("info")} {Part("prompt")} {answer["llm"]!["temperature"]} is none of the states from {fromTheirs} on: {theirs}");
            }

            Assert.True(count > 10, $"only {count} resolves");
        });
        await Task.WhenAll([.. writers, .. readers]);

        var version = (string)(await room.Service.Prompt(slug, $"?user={user.Id}"))["version"]!;
        await Eventually.True("the stream's last version is the prompt's", () => Task.FromResult(listener.Last == version));
    }

    private static async Task Repeat(long until, Random random, Func<Random, int, Task> write)
    {
        for (var n = 1; Stopwatch.GetTimestamp() < until; n++)
        {
            await write(random, n);
        }
    }

    [GeneratedRegex("""
        ^(?<prompt>\d+)\n\n<character>\n<name>Lila</name>\n<info>(?<info>\d+)</info>\n<traits>(?<traits>\d+)</traits>\n</character>\n\n<user>\n<name>(?<name>\w+)</name>\n<pronouns>(?<pronouns>\d+)</pronouns>\n<about[^>]*>(?<content>\d+)</about>\n</user>$
        """)]
    private static partial Regex Shape();
}
