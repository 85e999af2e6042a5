using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Grains.Personalities;
using PersonaActors.Grains.Personas;
using PersonaActors.Grains.UserPersonas;
using static PersonaActors.Tests.Prompts.Material;

namespace PersonaActors.Tests.Prompts;

/// <summary>What entities may look like; each violation names its field.</summary>
public sealed class EntityRulesTests
{
    private static string Long(int length) => new('x', length);

    [Theory]
    [InlineData("Ana", null)]
    [InlineData("1234567890123456", null)]
    [InlineData("12345678901234567", "name")]
    [InlineData("12345678901234567890", "name")]
    [InlineData("123456789012345678901", null)]
    [InlineData("  ", "name")]
    [InlineData("", "name")]
    [InlineData("a\0b", "name")]
    public void A_personas_name_is_a_name(string name, string? field) => Assert.Equal(field, PersonaRules.CheckName(name)?.Field);

    [Fact]
    public void Every_text_of_a_persona_has_a_length()
    {
        var persona = Persona();
        Assert.Null(PersonaRules.Check(persona with { Name = Long(255), Content = Long(4000), PreferredName = Long(255), Pronouns = Long(100), Description = Long(500) }));
        Assert.Equal("name", PersonaRules.Check(persona with { Name = Long(256) })?.Field);
        Assert.Equal("content", PersonaRules.Check(persona with { Content = Long(4001) })?.Field);
        Assert.Equal("preferredName", PersonaRules.Check(persona with { PreferredName = Long(256) })?.Field);
        Assert.Equal("pronouns", PersonaRules.Check(persona with { Pronouns = Long(101) })?.Field);
        Assert.Equal("description", PersonaRules.Check(persona with { Description = Long(501) })?.Field);
    }

    [Fact]
    public void What_was_imported_longer_is_kept_while_something_else_changes()
    {
        var imported = Persona(content: Long(9000));
        Assert.Null(PersonaRules.Check(imported with { Name = "Other" }, imported));
        Assert.Equal("content", PersonaRules.Check(imported with { Content = Long(9001) }, imported)?.Field);
    }

    [Theory]
    [InlineData("lila", null)]
    [InlineData("a-1", null)]
    [InlineData("ab", "slug")]
    [InlineData("1ab", "slug")]
    [InlineData("-ab", "slug")]
    [InlineData("Lila", "slug")]
    [InlineData("li_la", "slug")]
    [InlineData("lila\n", "slug")]
    [InlineData("admin", "slug")]
    [InlineData("api", "slug")]
    public void A_slug_is_a_word_that_means_nothing_else(string slug, string? field) => Assert.Equal(field, PersonalityRules.CheckSlug(slug)?.Field);

    [Fact]
    public void A_slug_has_three_to_fifty_characters()
    {
        Assert.Null(PersonalityRules.CheckSlug("s" + Long(49)));
        Assert.NotNull(PersonalityRules.CheckSlug("s" + Long(50)));
    }

    public static TheoryData<string, Func<PersonalityView, PersonalityView>> BadPersonalities() => new()
    {
        { "name", p => p with { Name = " " } },
        { "name", p => p with { Name = Long(256) } },
        { "displayName", p => p with { DisplayName = "" } },
        { "avatarUrl", p => p with { AvatarUrl = "javascript:alert(1)" } },
        { "characterInfo", p => p with { CharacterInfo = null } },
        { "characterInfo", p => p with { CharacterInfo = Long(65537) } },
        { "characterInfo", p => p with { CharacterInfo = new string('ü', 32769) } },
        { "personalityTraits", p => p with { PersonalityTraits = null } },
        { "personalityTraits", p => p with { PersonalityTraits = Long(4001) } },
        { "tone", p => p with { Tone = Long(4001) } },
        { "conversationalGoals", p => p with { ConversationalGoals = Long(4001) } },
        { "conversationalExamples", p => p with { ConversationalExamples = Long(65537) } },
        { "errorMessage", p => p with { ErrorMessage = Long(1001) } },
        { "customFields", p => p with { CustomFields = new JsonText("[]") } },
        { "tags", p => p with { Tags = [.. Enumerable.Range(10, 11).Select(i => $"t{i}")] } },
        { "tags", p => p with { Tags = ["sea", "sea"] } },
        { "tags[0]", p => p with { Tags = ["-sea"] } },
        { "tags[1]", p => p with { Tags = ["sea", "s"] } },
        { "aliases[0]", p => p with { Aliases = [new PersonalityAlias(" ", null)] } },
        { "aliases", p => p with { Aliases = [new PersonalityAlias("li", null), new PersonalityAlias("LI", null)] } },
        { "contextWindowSize", p => p with { ContextWindowSize = 0 } },
        { "contextWindowSize", p => p with { ContextWindowSize = 101 } },
        { "maxMessages", p => p with { Settings = new() { MaxMessages = new(Contracts.Prompts.SettingState.Value, 0) } } },
    };

    [Theory, MemberData(nameof(BadPersonalities))]
    public void A_personalitys_violation_names_its_field(string field, Func<PersonalityView, PersonalityView> change)
    {
        Assert.Null(PersonalityRules.Check(Personality()));
        Assert.Equal(field, PersonalityRules.Check(change(Personality()))?.Field);
    }

    public static TheoryData<string?, Func<LlmConfigView, LlmConfigView>> Configs() => new()
    {
        { null, c => c },
        { null, c => c with { Temperature = 0, TopP = 1, TopK = 0, FrequencyPenalty = -2, RepetitionPenalty = 2, MemoryLimit = 0, MemoryScoreThreshold = 0, ContextWindowTokens = 1000 } },
        { "name", c => c with { Name = Long(101) } },
        { "model", c => c with { Model = Long(201) } },
        { "model", c => c with { Model = " " } },
        { "temperature", c => c with { Temperature = 2.01 } },
        { "temperature", c => c with { Temperature = double.NaN } },
        { "topP", c => c with { TopP = -.1 } },
        { "minP", c => c with { MinP = 1.1 } },
        { "topA", c => c with { TopA = 1.1 } },
        { "topK", c => c with { TopK = -1 } },
        { "frequencyPenalty", c => c with { FrequencyPenalty = 2.1 } },
        { "presencePenalty", c => c with { PresencePenalty = -2.1 } },
        { "repetitionPenalty", c => c with { RepetitionPenalty = -.1 } },
        { "maxTokens", c => c with { MaxTokens = 0 } },
        { "contextWindowTokens", c => c with { ContextWindowTokens = 999 } },
        { "stop", c => c with { Stop = [] } },
        { "stop[0]", c => c with { Stop = [""] } },
        { "logitBias.5", c => c with { LogitBias = new JsonText("""{"5":101}""") } },
        { "logitBias", c => c with { LogitBias = new JsonText("[1]") } },
        { "responseFormat", c => c with { ResponseFormat = new JsonText("\"json\"") } },
        { "memoryScoreThreshold", c => c with { MemoryScoreThreshold = 1.5 } },
        { "memoryLimit", c => c with { MemoryLimit = -1 } },
        { "isDefault", c => c with { OwnerId = User.Id, IsDefault = true } },
        { "isFreeDefault", c => c with { OwnerId = User.Id, IsFreeDefault = true } },
    };

    [Theory, MemberData(nameof(Configs))]
    public void A_configs_violation_names_its_field(string? field, Func<LlmConfigView, LlmConfigView> change) =>
        Assert.Equal(field, LlmConfigRules.Check(change(Config("m")))?.Field);

    [Fact]
    public void A_tenants_focus_mode_does_not_take_a_system_modes_name()
    {
        Assert.Equal("focus_mode_exists", FocusModeRules.CheckNotTaken("code", [Mode("x")])?.Code);
        Assert.Null(FocusModeRules.CheckNotTaken("poet", [Mode("x")]));
        Assert.Equal("modeName", FocusModeRules.Check(Mode("x") with { ModeName = " " })?.Field);
        Assert.Equal("systemPrompt", FocusModeRules.Check(Mode(" "))?.Field);
        Assert.Equal("settings", FocusModeRules.Check(Mode("x") with { Settings = new JsonText("1") })?.Field);
    }

    [Fact]
    public void A_user_persona_violation_names_its_field()
    {
        var helper = UserPersona("You help.", ["a"], ["b"]);
        Assert.Null(UserPersonaRules.Check(helper));
        Assert.Equal("name", UserPersonaRules.Check(helper with { Name = Long(101) })?.Field);
        Assert.Equal("systemPrompt", UserPersonaRules.Check(helper with { SystemPrompt = "" })?.Field);
        Assert.Equal("traits[0]", UserPersonaRules.Check(helper with { Traits = [" "] })?.Field);
        Assert.Equal("domains", UserPersonaRules.Check(helper with { Domains = [.. Enumerable.Repeat("d", 51)] })?.Field);
        Assert.Equal("style", UserPersonaRules.Check(helper with { Style = new JsonText("[]") })?.Field);
    }

    [Fact]
    public void A_copys_name_fits()
    {
        Assert.Equal("Helper (Copy)", UserPersonaRules.CopyName("Helper"));
        Assert.Equal(100, UserPersonaRules.CopyName(Long(100)).Length);
        Assert.Equal(Long(92) + " (Copy)", UserPersonaRules.CopyName(Long(92) + "😀x"));
    }

    [Fact]
    public void A_system_prompt_has_a_name_and_content()
    {
        Assert.Null(SystemPromptRules.Check(SystemPrompt("c")));
        Assert.Equal("content", SystemPromptRules.Check(SystemPrompt("\n"))?.Field);
        Assert.Equal("name", SystemPromptRules.Check(SystemPrompt("c") with { Name = Long(256) })?.Field);
    }
}
