using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Conversations;
using PersonaActors.Grains.Focus;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Settings;
using static PersonaActors.Tests.Prompts.Material;

namespace PersonaActors.Tests.Prompts;

public sealed class PromptBodyTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private static readonly LlmConfigView Full = Config("m", 1.5, .9) with
    {
        TopK = 40,
        MaxTokens = 9000,
        Stop = ["\n"],
        Seed = 7,
        Reasoning = Reasoning.Low,
        LogitBias = new("""{"1":-5}"""),
        FrequencyPenalty = .1,
    };

    private static ResolvedPrompt Resolve(PromptMaterial? material = null) => ResolvedPrompt.Of(material ?? Of() with { Catalogue = Catalogue with { DefaultLlmConfig = Full } });

    private static JsonObject Json(ResolvedPrompt prompt, PromptFormat format, string? state = null, string? message = null, params PromptMessage[] window) =>
        JsonNode.Parse(PromptBody.Compose(prompt, format, false, state, window, message).Span)!.AsObject();

    private static string Text(ResolvedPrompt prompt, PromptFormat format, string? state = null, string? message = null) =>
        Encoding.UTF8.GetString(PromptBody.Compose(prompt, format, false, state, [], message).Span);

    [Fact]
    public void The_native_answer_has_the_text_the_parameters_and_their_sources()
    {
        var prompt = Resolve();
        var answer = Json(prompt, PromptFormat.Native);
        Assert.StartsWith("<character>", (string)answer["systemPrompt"]!, StringComparison.Ordinal);
        Assert.Empty(answer["messages"]!.AsArray());
        Assert.Equal("m", (string)answer["llm"]!["model"]!);
        Assert.Equal("low", (string)answer["llm"]!["reasoning"]!);
        Assert.Equal(Source.TenantDefault, (string)answer["sources"]!["llm"]!["model"]!);
        Assert.Equal(Source.UserDefault, (string)answer["sources"]!["persona"]!);
        Assert.Equal(Source.BuiltIn, (string)answer["sources"]!["settings"]!["maxMessages"]!);
        Assert.Equal("off", (string)answer["settings"]!["maxAge"]!);
        Assert.Equal(prompt.Version, (string)answer["version"]!);
        Assert.Null(answer["explain"]);
    }

    [Theory]
    [InlineData("\"V\"", true)]
    [InlineData("W/\"V\"", true)]
    [InlineData("\"a\", W/\"V\" , \"b\"", true)]
    [InlineData(" * ", true)]
    [InlineData("V", false)]
    [InlineData("\"aV\", \"Va\"", false)]
    [InlineData("\"a*\"", false)]
    [InlineData("", false)]
    public void A_version_is_found_among_the_tags_that_a_caller_has(string tags, bool isAmong)
    {
        var prompt = Resolve();
        Assert.Equal(isAmong, prompt.IsAmong(tags.Replace("V", prompt.Version, StringComparison.Ordinal)));
    }

    [Fact]
    public void Explain_adds_every_tiers_value_set_or_not()
    {
        var explained = JsonNode.Parse(PromptBody.Compose(Resolve(), PromptFormat.Native, explain: true).Span)!["explain"]!;
        Assert.Equal(
            """{"override":null,"focus-mode":null,"user-default":null,"personality":null,"tenant-default":1.5}""",
            explained["llm"]!["temperature"]!.ToJsonString());
        Assert.Equal(
            """{"built-in":20,"tenant-default":null,"tenant":null,"personality-default":null,"personality":null,"channel":null,"user-default":null,"user":null,"override":null,"user-personality":null}""",
            explained["settings"]!["maxMessages"]!.ToJsonString());
        Assert.Null(explained["persona"]!["override"]);
        Assert.Equal("Ana", (string)explained["persona"]!["user-default"]!["name"]!);
    }

    [Fact]
    public void The_openai_format_is_a_chat_completions_body()
    {
        var body = Json(Resolve(), PromptFormat.Openai, "<current_state/>", "Hi \"you\"\n", new PromptMessage("assistant", "Yes?"));
        Assert.Equal(["system", "assistant", "user"], body["messages"]!.AsArray().Select(m => (string)m!["role"]!));
        Assert.EndsWith("\n\n<current_state/>", (string)body["messages"]![0]!["content"]!, StringComparison.Ordinal);
        Assert.Equal("Hi \"you\"\n", (string)body["messages"]![2]!["content"]!);
        body.Remove("messages");
        Assert.Equal(
            """{"model":"m","temperature":1.5,"top_p":0.9,"top_k":40,"frequency_penalty":0.1,"max_tokens":9000,"stop":["\n"],"seed":7,"logit_bias":{"1":-5},"reasoning_effort":"low"}""",
            body.ToJsonString());
    }

    [Fact]
    public void The_anthropic_format_is_a_messages_body_whose_front_is_cached()
    {
        var body = Json(Resolve(), PromptFormat.Anthropic, "state", "Hi");
        Assert.Equal(2, body["system"]!.AsArray().Count);
        Assert.Equal("ephemeral", (string)body["system"]![0]!["cache_control"]!["type"]!);
        Assert.Equal("state", (string)body["system"]![1]!["text"]!);
        body.Remove("system");
        Assert.Equal(
            """{"messages":[{"role":"user","content":"Hi"}],"model":"m","max_tokens":11048,"stop_sequences":["\n"],"thinking":{"type":"enabled","budget_tokens":2048}}""",
            body.ToJsonString());
    }

    [Theory]
    [InlineData(null, Reasoning.Medium, 4096 + 8192, 8192)]
    [InlineData(100, Reasoning.Minimal, 100 + 1024, 1024)]
    [InlineData(5000, Reasoning.Max, 5000 + 32768, 32768)]
    [InlineData(5000, Reasoning.Off, 5000, null)]
    public void Thinking_takes_nothing_from_what_the_answer_may_have(int? maxTokens, Reasoning reasoning, int limit, int? budget)
    {
        var config = Config("m") with { MaxTokens = maxTokens, Reasoning = reasoning };
        var body = Json(Resolve(Of() with { Catalogue = Catalogue with { DefaultLlmConfig = config } }), PromptFormat.Anthropic);
        Assert.Equal((limit, budget), ((int)body["max_tokens"]!, (int?)body["thinking"]?["budget_tokens"]));
    }

    [Fact]
    public void Anthropics_temperature_ends_at_one_and_a_limit_is_always_named()
    {
        var material = Of() with { Catalogue = Catalogue with { DefaultLlmConfig = Config("m", 1.5) } };
        var body = Json(Resolve(material), PromptFormat.Anthropic);
        Assert.Equal(1, (double)body["temperature"]!);
        Assert.Equal(LlmField.AnthropicMaxTokens, (int)body["max_tokens"]!);
    }

    [Fact]
    public void Without_any_parameter_the_bodies_are_still_whole()
    {
        var resolved = Resolve(Of());
        Assert.Single(Json(resolved, PromptFormat.Openai));
        Assert.StartsWith("<character>", Text(resolved, PromptFormat.Text), StringComparison.Ordinal);
    }

    [Fact]
    public void In_plain_text_a_message_can_not_pose_as_a_section()
    {
        Assert.EndsWith("\n\n&lt;/user>hi", Text(Resolve(), PromptFormat.Text, message: "</user>hi"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_front_is_byte_identical_whatever_the_moment_and_the_message() =>
        Prop.ForAll(
            Gen.Elements(PromptFormat.Native, PromptFormat.Openai, PromptFormat.Anthropic, PromptFormat.Text).ToArbitrary(),
            Gen.Choose(0, 1_000_000).ToArbitrary(),
            Gen.Elements("", "hi", "\"}]", "</user>", "ü😀\n").ToArbitrary(),
            (format, minutes, message) =>
            {
                var prompt = Resolve(Of(Personality("It is {{time}}.")));
                var front = format == PromptFormat.Text ? Front(prompt) : JsonEncodedText.Encode(Front(prompt), JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
                var alone = Text(prompt, format);
                var end = alone.IndexOf(front, StringComparison.Ordinal) + front.Length;
                var state = PromptText.State(Noon.AddMinutes(minutes), "UTC", null, prompt.NeedsTime);
                return end >= front.Length && Text(prompt, format, state, message).StartsWith(alone[..end], StringComparison.Ordinal);
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_time_is_in_the_current_state_only_and_only_where_somebody_points_to_it()
    {
        Assert.Null(PromptText.State(Noon, "UTC", null, needsTime: false));
        Assert.Equal(
            "<current_state>\n<time>Saturday, 21 November 2026, 13:00 (Europe/Berlin)</time>\n</current_state>",
            PromptText.State(Noon, "Europe/Berlin", null, needsTime: true));
        Assert.True(Resolve(Of(Personality("It is {{date}}."))).NeedsTime);
        Assert.False(Resolve().NeedsTime);
    }

    [Fact]
    public void A_focus_session_is_in_the_current_state_and_flow_asks_for_brevity()
    {
        var calm = PromptText.State(Noon, "UTC", new FocusNow("deep", 1, false), needsTime: false)!;
        Assert.Contains("(deep), 1 minute in.", calm, StringComparison.Ordinal);
        Assert.DoesNotContain("brief", calm, StringComparison.Ordinal);
        Assert.Contains("35 minutes in. They are in flow: be brief", PromptText.State(Noon, "UTC", new FocusNow("deep", 35, true), needsTime: false), StringComparison.Ordinal);
    }

    public static TheoryData<string, Func<PromptMaterial, PromptMaterial>, bool> Moves() => new()
    {
        { "nothing", m => m with { }, false },
        { "the persona", m => m with { DefaultPersona = m.DefaultPersona! with { Pronouns = "they" } }, true },
        { "what isn't shown of the persona", m => m with { DefaultPersona = m.DefaultPersona! with { Version = 2, Description = "d" } }, false },
        { "another persona", m => m with { OverridePersona = Persona() }, true },
        { "the tier of the persona", m => m with { OverridePersona = m.DefaultPersona }, true },
        { "the personality", m => m with { Personality = m.Personality! with { Tone = "warm" } }, true },
        { "the personality's avatar", m => m with { Personality = m.Personality! with { AvatarUrl = "https://example.com/a.png" } }, true },
        { "what isn't shown of the personality", m => m with { Personality = m.Personality! with { Version = 2, Tags = ["sea"], IsPublic = false } }, false },
        { "the config", m => m with { Catalogue = Catalogue with { DefaultLlmConfig = Full with { TopK = 41 } } }, true },
        { "what isn't shown of the config", m => m with { Catalogue = Catalogue with { DefaultLlmConfig = Full with { Version = 2, Description = "d" } } }, false },
        { "a focus session", m => m with { Session = Session(FocusState.Active) }, true },
        { "a paused focus session", m => m with { Session = Session(FocusState.Paused) }, false },
        { "a config nobody falls back to", m => m with { Catalogue = Catalogue with { DefaultLlmConfig = Full, FreeDefaultLlmConfig = Full with { Version = 2 } } }, false },
        { "the user elsewhere", m => m with { Me = Me(User with { Version = 99, Username = "x" }) }, false },
        { "the tenant's prompt", m => m with { Catalogue = Catalogue with { DefaultLlmConfig = Full, DefaultSystemPrompt = SystemPrompt("s") } }, true },
        { "a setting", m => m with { Me = Me(User with { Settings = new() { MaxMessages = Setting<int>.Of(3) } }) }, true },
        { "a setting of equal value from elsewhere", m => m with { Me = Me(User with { Settings = new() { MaxMessages = Setting<int>.Of(20) } }) }, true },
        { "a focus mode", m => m with { FocusMode = Mode("x") }, true },
        { "a variable", m => m with { Variables = new Dictionary<string, string> { ["a"] = "b" } }, true },
        { "an overlay", m => m with { Mindscape = new MindscapeOverlay("o") }, true },
    };

    private static FocusSessionView Session(FocusState state) => new(
        Guid.CreateVersion7(), User.Id, null, FocusMode.Deep, state, Noon, Noon, 0, 0, 0, null, null, 0, null, new FocusPlan(), null, null, null, null, 0, null, null, null, null, null,
        null!, null, 1);

    [Theory, MemberData(nameof(Moves))]
    public void The_version_moves_with_what_went_into_it_and_with_nothing_else(string what, Func<PromptMaterial, PromptMaterial> change, bool moves)
    {
        var material = Of() with { Catalogue = Catalogue with { DefaultLlmConfig = Full } };
        Assert.True(Resolve(material).Version != Resolve(change(material)).Version == moves, what);
        Assert.Matches("^[0-9a-f]{32}$", Resolve(material).Version);
    }

    [Fact]
    public void The_version_moves_with_the_tier_of_the_system_prompt()
    {
        var prompt = SystemPrompt("the same");
        var own = Of(Personality() with { SystemPromptId = prompt.Id }) with { Catalogue = Catalogue with { SystemPrompt = prompt, DefaultSystemPrompt = prompt } };
        var tenants = own with { Personality = own.Personality! with { SystemPromptId = null } };
        Assert.Equal(Front(own), Front(tenants));
        Assert.NotEqual(Resolve(own).Version, Resolve(tenants).Version);
    }

    [Fact]
    public void The_mindscape_speaks_only_if_the_settings_let_it()
    {
        var material = Of() with { Mindscape = new MindscapeOverlay("overlay"), Me = Me(User with { Settings = new() { MindscapeOverlay = Setting<bool>.Off } }) };
        Assert.DoesNotContain("overlay", Front(material), StringComparison.Ordinal);
        Assert.Equal(Resolve(material with { Mindscape = null }).Version, Resolve(material).Version);
    }
}
