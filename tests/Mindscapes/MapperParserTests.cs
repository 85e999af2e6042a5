using System.Text.Json;
using PersonaActors.Grains.Mindscapes;

namespace PersonaActors.Tests.Mindscapes;

public sealed class MapperParserTests
{
    private const string TenMistakes = """
        metadata:
          name: No id
          default_ttl_hours: 999
        rules:
          - id: a
            weight: heavy
            conditions:
              all:
                - trait_check: {path: x, operator: like, value: 1}
                - time_check: {period: morning, timezone: Mars/Olympus}
                - trait_check: {path: x, operator: matches, value: "(["}
            actions:
              - generate_suggestion: {type: t, template: nowhere}
          - id: a
            conditions: {sometimes: []}
            actions: []
          - id: c
            conditions: {all: {}}
            actions: nothing
          - id: d
            conditions:
              any:
                - narrative_check: {query: calm, threshold: 2}
                - time_check: {hour_range: [9]}
            actions:
              - {type: suggestion, template: "Rest.", priority: urgent}
        """;

    [Fact]
    public void A_file_with_ten_mistakes_names_them_all_by_path()
    {
        var (configuration, mistake) = MapperFile.ReadYaml(TenMistakes);
        Assert.Null(mistake);
        var (mapper, mistakes) = MapperParser.Parse(JsonElement.Parse(configuration!.Json));
        Assert.Null(mapper);
        string[] paths =
        [
            "metadata.id", "metadata.default_ttl_hours", "rules[0].weight", "rules[0].conditions.all[0].trait_check.operator", "rules[0].conditions.all[1].time_check.timezone",
            "rules[0].conditions.all[2].trait_check.value", "rules[0].actions[0].generate_suggestion.template", "rules[1].id", "rules[1].conditions", "rules[2].conditions.all",
            "rules[2].actions", "rules[3].conditions.any[0].narrative_check.threshold", "rules[3].conditions.any[1].time_check.hour_range", "rules[3].actions[0].priority",
        ];
        Assert.Equal(paths.Order(), mistakes.Select(said => said[..said.IndexOf(": ", StringComparison.Ordinal)]).Order());
    }

    [Theory]
    [InlineData("[]", "configuration")]
    [InlineData("{}", "metadata,rules")]
    [InlineData("""{"metadata":{"id":"m"},"rules":{}}""", "rules")]
    [InlineData("""{"metadata":{"id":"m"},"rules":[1]}""", "rules[0]")]
    [InlineData("""{"metadata":{"id":" "},"rules":[]}""", "metadata.id")]
    [InlineData("""{"metadata":{"id":"m"},"rules":[{"id":"r"}]}""", "rules[0].conditions,rules[0].actions")]
    [InlineData("""{"metadata":{"id":"m"},"rules":[{"id":"r","conditions":{"all":[{"trait_check":{"path":"x","operator":"greater","value":"much"}}]},"actions":[{"type":"shout"}]}]}""",
        "rules[0].conditions.all[0].trait_check.value,rules[0].actions[0].type")]
    [InlineData("""{"metadata":{"id":"m"},"rules":[],"required_traits":"x","trait_mappings":{"t":"x"},"feedback_settings":{"threshold":0}}""",
        "required_traits,trait_mappings.t,feedback_settings.threshold")]
    public void What_cannot_be_understood_is_named(string configuration, string paths) => Assert.Equal(
        paths.Split(',').Order(), MapperParser.Parse(JsonElement.Parse(configuration)).Mistakes.Select(said => said[..said.IndexOf(": ", StringComparison.Ordinal)]).Order());

    [Fact]
    public void Conditions_nest_to_eight_and_not_deeper()
    {
        static string Nested(int depth) => depth == 1 ? """{"all":[]}""" : $$"""{"all":[{{Nested(depth - 1)}}]}""";
        static IReadOnlyList<string> Mistakes(int depth) =>
            MapperParser.Parse(JsonElement.Parse($$"""{"metadata":{"id":"m"},"rules":[{"id":"r","conditions":{{Nested(depth)}},"actions":[]}]}""")).Mistakes;
        Assert.Empty(Mistakes(8));
        Assert.Contains("nested deeper", Assert.Single(Mistakes(9)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_example_of_the_founding_document_is_understood()
    {
        var (mapper, mistakes) = MapperParser.Parse(JsonElement.Parse("""
            {"metadata":{"id":"productivity-optimizer","name":"Productivity Pattern Optimizer","description":"Optimizes work patterns","author":"user@example.com"},
             "rules":[{"id":"morning-person-deep-work","conditions":{"all":[{"type":"trait_check","trait":"work.chronotype","operator":"equals","value":"morning"}]},
               "actions":[{"type":"suggestion","template":"Schedule deep work in morning","priority":"high"}]}]}
            """));
        Assert.Empty(mistakes);
        Assert.Equal("Schedule deep work in morning", mapper!.Rules[0].Suggestions[0].Description);
        Assert.Equal(["work.chronotype"], mapper.TraitsOf("suggestion"));
    }

    [Fact]
    public void Shipped_mappers_are_understood()
    {
        Assert.Equal(["daily-work-optimizer", "therapy-insights"], ShippedMappers.All.Keys.Order());
        Assert.All(ShippedMappers.All, shipped =>
        {
            var (mapper, mistakes) = MapperParser.Parse(JsonElement.Parse(shipped.Value.Json));
            Assert.Empty(mistakes);
            Assert.Equal(shipped.Key, mapper!.Id);
            Assert.All(mapper.TraitMappings.Keys, type => Assert.Contains(mapper.Rules, rule => rule.Suggestions.Any(suggestion => suggestion.Type == type)));
        });
    }

    [Theory]
    [InlineData("a: [1, 2.5, -3, 1e3, 007, true, null, ~, \"5\", '6', yes, x]", """{"a":[1,2.5,-3,1000,7,true,null,null,"5","6","yes","x"]}""")]
    [InlineData("a: &b {c: 1}\nd: *b", """{"a":{"c":1},"d":{"c":1}}""")]
    [InlineData("a: |\n  two\n  lines\n", """{"a":"two\nlines\n"}""")]
    public void YAML_becomes_JSON(string yaml, string json) => Assert.Equal(json, MapperFile.ReadYaml(yaml).Configuration?.Json);

    [Theory]
    [InlineData("a: [", "line")]
    [InlineData("a: 1\na: 2", "line")]
    [InlineData("- a", "mapping")]
    [InlineData("", "mapping")]
    public void What_is_no_YAML_is_said_with_its_place(string yaml, string said) => Assert.Contains(said, MapperFile.ReadYaml(yaml).Mistake, StringComparison.Ordinal);

    [Fact]
    public void A_small_file_may_not_be_a_huge_tree()
    {
        var bomb = string.Join('\n', Enumerable.Range(0, 12).Select(i => i == 0 ? "a0: &a0 [x,x,x,x,x,x,x,x,x]" : $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 9))}]"));
        Assert.Contains("too large", MapperFile.ReadYaml(bomb).Mistake, StringComparison.Ordinal);
    }
}
