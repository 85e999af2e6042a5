using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Grains.Imports;

namespace PersonaActors.Tests.Imports;

/// <summary>What shapes.inc exports, in our words.</summary>
public sealed class ShapesFileTests
{
    private static ShapesFile Parse(string json)
    {
        var (file, refusal) = ShapesFile.Parse(JsonElement.Parse(json));
        Assert.True(file is not null, refusal?.Detail);
        return file;
    }

    [Fact]
    public void Each_field_has_its_place()
    {
        var file = Parse("""
            {"config":{"name":"Lila","username":"lila-shape","jailbreak":"Be {char}.","user_prompt":"Keeps a lighthouse.","personality_traits":"dry","personality_tone":"low",
            "personality_age":"40","personality_likes":"sea","personality_dislikes":"noise","personality_conversational_goals":"calm","personality_conversational_examples":"x: y",
            "personality_appearance":"grey","error_message":"Oops","engine_model":"m","engine_temperature":"0.7","engine_top_p":0.9,"engine_top_k":40,"engine_frequency_penalty":-1,
            "engine_presence_penalty":1,"engine_repetition_penalty":1.1,"engine_min_p":0.1,"engine_top_a":0.2,"stm_window":30,"ltm_enabled":false,"ltm_threshold":0.3,
            "ltm_max_retrieved_summaries":5,"keywords":["a"],"nested":{"b":1.50}},
            "memories":[{"result":"We met.","metadata":{"created_at":1700000000.5}},{"result":"We met."},{"result":" "},{"other":1}],
            "stories":[{"title":"t"}],"userPersonalization":{"backstory":"I sail.","preferred_name":"Cap","pronouns":"she/her","extra":true},"version":3}
            """);
        Assert.Equal(("Lila", "lila-shape", "Be {char}."), (file.Name, file.SlugWish, file.SystemPrompt));
        var p = file.Personality;
        Assert.Equal(("Keeps a lighthouse.", "dry", "low", "40", "grey", "sea", "noise", "calm"),
            (p.CharacterInfo, p.PersonalityTraits, p.Tone, p.Age, p.Appearance, p.Likes, p.Dislikes, p.ConversationalGoals));
        Assert.Equal(("x: y", "Oops", false, 30, false), (p.ConversationalExamples, p.ErrorMessage, p.MemoryEnabled, p.ContextWindowSize, p.IsPublic));
        var llm = file.Llm!;
        Assert.Equal(("m", 0.7, 0.9, 40, -1, 1, 1.1), (llm.Model, llm.Temperature, llm.TopP, llm.TopK, llm.FrequencyPenalty, llm.PresencePenalty, llm.RepetitionPenalty));
        Assert.Equal((0.1, 0.2, 0.3, 5), (llm.MinP, llm.TopA, llm.MemoryScoreThreshold, llm.MemoryLimit));
        Assert.Equal(("I sail.", "Cap", "she/her"), (file.Persona!.Content, file.Persona.PreferredName, file.Persona.Pronouns));
        Assert.Equal(new ShapesMemory("We met.", DateTimeOffset.FromUnixTimeMilliseconds(1700000000500)), Assert.Single(file.Memories));
        Assert.Equal(2, file.Notes.Length);
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"username":"lila-shape","keywords":["a"],"nested":{"b":1.50},"userPersonalization":{"extra":true},"stories":[{"title":"t"}],"version":3}"""),
            JsonNode.Parse(p.CustomFields!.Json)), p.CustomFields.Json);
    }

    [Fact]
    public void A_bare_config_is_one_and_what_it_does_not_say_stays_unsaid()
    {
        var file = Parse("""{"username":"lila","jailbreak":"  "}""");
        Assert.Equal(("lila", "You are lila."), (file.Name, file.SystemPrompt));
        Assert.Null(file.Llm);
        Assert.Null(file.Persona);
        Assert.Empty(file.Memories);
    }

    [Theory]
    [InlineData("engine_temperature", "7")]
    [InlineData("engine_temperature", "\"hot\"")]
    [InlineData("engine_top_k", "1.5")]
    [InlineData("engine_model", "5")]
    [InlineData("stm_window", "500")]
    [InlineData("ltm_enabled", "\"yes\"")]
    [InlineData("personality_tone", "[1]")]
    public void A_value_that_is_not_taken_is_said_and_kept(string field, string value)
    {
        var file = Parse($$"""{"name":"Lila","{{field}}":{{value}}}""");
        Assert.Equal(field, Assert.Single(file.Notes).Field);
        Assert.Equal(value, JsonNode.Parse(file.Personality.CustomFields!.Json)![field]!.ToJsonString());
        Assert.Null(file.Llm);
    }

    [Fact]
    public void What_is_too_long_begins_there_and_is_whole_in_the_custom_fields()
    {
        var file = Parse($$$"""{"config":{"name":"Lila"},"userPersonalization":{"backstory":"{{{new string('a', 5000)}}}"}}""");
        Assert.Equal(4000, file.Persona!.Content!.Length);
        Assert.Equal(5000, ((string)JsonNode.Parse(file.Personality.CustomFields!.Json)!["userPersonalization"]!["backstory"]!).Length);
        Assert.Equal("userPersonalization.backstory", Assert.Single(file.Notes).Field);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"name":"a\ud800"}""")]
    [InlineData("""{"name":" ","username":5}""")]
    public void What_is_no_export_is_refused(string json) => Assert.Equal("invalid_import", ShapesFile.Parse(JsonElement.Parse(json)).Refusal!.Code);
}
