using System.Text.Json;
using PersonaActors.Grains.Mindscapes;

namespace PersonaActors.Tests.Mindscapes;

/// <summary>Every operator, every clock, and how suggestions are made.</summary>
public sealed class MapperRulesTests
{
    private static readonly TimeZoneInfo Vienna = TimeZoneInfo.FindSystemTimeZoneById("Europe/Vienna");

    /// <summary>A Monday, 9:30 in Vienna.</summary>
    private static readonly DateTimeOffset Now = new(2026, 5, 4, 7, 30, 0, TimeSpan.Zero);

    private static readonly TraitFacts Facts = new(TraitFold.Fold(TraitFold.Nothing,
    [
        Said.Set(1, """{"n":{"value":60,"confidence":0.9},"s":{"value":"morning light","confidence":0.9},"l":{"value":["a","b"],"confidence":0.9},"o":{"k":{"deep":5}},"text":"42","z":null}"""),
    ]).Traits, []);

    private static RuleInput Input(string context = "{}") => new(Facts, JsonElement.Parse(context), Vienna, Now);

    private static Condition Parsed(string condition)
    {
        var (mapper, mistakes) = MapperParser.Parse(JsonElement.Parse($$"""{"metadata":{"id":"m"},"rules":[{"id":"r","conditions":{{condition}},"actions":[]}]}"""));
        Assert.Empty(mistakes);
        return mapper!.Rules[0].Condition;
    }

    private static bool Holds(string condition, string context = "{}") => RuleEngine.Judge(Parsed(condition), Input(context)).Held;

    [Theory]
    [InlineData("n", "equals", "60", true)]
    [InlineData("n", "equals", "60.0", true)]
    [InlineData("n", "equals", "\"60\"", false)]
    [InlineData("s", "equals", "\"morning light\"", true)]
    [InlineData("l", "equals", """["a","b"]""", true)]
    [InlineData("missing", "equals", "60", false)]
    [InlineData("n", "not_equals", "61", true)]
    [InlineData("n", "not_equals", "60", false)]
    [InlineData("missing", "not_equals", "60", false)]
    [InlineData("n", "greater", "59", true)]
    [InlineData("n", "greater", "60", false)]
    [InlineData("text", "greater", "41", true)]
    [InlineData("s", "greater", "1", false)]
    [InlineData("missing", "greater", "1", false)]
    [InlineData("n", "greater_or_equal", "60", true)]
    [InlineData("missing", "greater_or_equal", "60", false)]
    [InlineData("n", "less", "61", true)]
    [InlineData("n", "less", "60", false)]
    [InlineData("missing", "less", "60", false)]
    [InlineData("n", "less_or_equal", "60", true)]
    [InlineData("missing", "less_or_equal", "60", false)]
    [InlineData("l", "contains", "\"a\"", true)]
    [InlineData("l", "contains", "\"c\"", false)]
    [InlineData("s", "contains", "\"light\"", true)]
    [InlineData("o", "contains", "\"k\"", true)]
    [InlineData("n", "contains", "6", false)]
    [InlineData("missing", "contains", "\"a\"", false)]
    [InlineData("n", "in", "[1,60]", true)]
    [InlineData("n", "in", "[]", false)]
    [InlineData("missing", "in", "[1]", false)]
    [InlineData("n", "exists", "null", true)]
    [InlineData("z", "exists", "null", false)]
    [InlineData("missing", "exists", "null", false)]
    [InlineData("missing", "not_exists", "null", true)]
    [InlineData("z", "not_exists", "null", true)]
    [InlineData("n", "not_exists", "null", false)]
    [InlineData("s", "matches", "\"^morn.*t$\"", true)]
    [InlineData("s", "matches", "\"^light\"", false)]
    [InlineData("n", "matches", "\"60\"", false)]
    [InlineData("missing", "matches", "\".*\"", false)]
    [InlineData("o.k.deep", "equals", "5", true)]
    public void Each_operator_holds_as_it_says_of_traits_and_of_the_context(string path, string @operator, string value, bool expected)
    {
        Assert.Equal(expected, Holds($$$"""{"trait_check":{"path":"{{{path}}}","operator":"{{{@operator}}}","value":{{{value}}}}}"""));
        const string context = """{"n":60,"s":"morning light","l":["a","b"],"o":{"k":{"deep":5}},"text":"42","z":null}""";
        Assert.Equal(expected, Holds($$"""{"type":"context_check","field":"{{path}}","operator":"{{@operator}}","value":{{value}}}""", context));
    }

    [Theory]
    [InlineData("2026-05-04T07:50:00Z", 20, true)]
    [InlineData("2026-05-04T07:50:00Z", 19, false)]
    [InlineData("2026-05-04T09:50:00+02:00", 20, true)]
    [InlineData("2026-05-04T09:50:00", 20, true)]
    [InlineData("2026-05-04T07:20:00Z", 10, true)]
    [InlineData("soon", 10, false)]
    public void A_time_of_the_context_is_within_minutes_of_now(string at, int minutes, bool expected)
    {
        var check = $$$"""{"context_check":{"field":"meeting.start","operator":"within_minutes","value":{{{minutes}}}}}""";
        Assert.Equal(expected, Holds(check, $$$"""{"meeting":{"start":"{{{at}}}"}}"""));
        Assert.False(Holds(check));
    }

    [Theory]
    [InlineData("""{"period":"morning"}""", "{}", true)]
    [InlineData("""{"period":"morning","timezone":"Asia/Tokyo"}""", "{}", false)]
    [InlineData("""{"period":"afternoon","timezone":"Asia/Tokyo"}""", "{}", true)]
    [InlineData("""{"period":"night","timezone":"America/Los_Angeles"}""", "{}", true)]
    [InlineData("""{"period":"night","timezone":"America/Los_Angeles"}""", """{"current_time":"2026-05-04T12:00:00"}""", false)]
    [InlineData("""{"period":"morning","timezone":"user_local"}""", """{"current_time":"2026-05-04T03:30:00Z"}""", true)]
    [InlineData("""{"period":"morning"}""", """{"current_time":"2026-05-04T03:30:00Z"}""", false)]
    [InlineData("""{"period":"evening"}""", """{"current_time":"2026-05-04T20:59:00"}""", true)]
    [InlineData("""{"period":"evening"}""", """{"current_time":"2026-05-04T21:00:00"}""", false)]
    [InlineData("""{"period":"night"}""", """{"current_time":"2026-05-04T04:59:00"}""", true)]
    [InlineData("""{"hour_range":[9,10]}""", "{}", true)]
    [InlineData("""{"hour_range":[10,11]}""", "{}", false)]
    [InlineData("""{"hour_range":[22,6]}""", """{"current_time":"2026-05-04T23:00:00"}""", true)]
    [InlineData("""{"hour_range":[22,6]}""", """{"current_time":"2026-05-04T06:00:00"}""", false)]
    [InlineData("""{"day_of_week":["monday","fri"]}""", "{}", true)]
    [InlineData("""{"day_of_week":"Tuesday"}""", "{}", false)]
    [InlineData("""{"day_of_week":["sunday"],"timezone":"Pacific/Honolulu"}""", "{}", true)]
    [InlineData("""{"period":"morning","day_of_week":["tuesday"]}""", "{}", false)]
    public void Times_are_of_the_zone_that_is_asked_for(string check, string context, bool expected) => Assert.Equal(expected, Holds($$"""{"time_check":{{check}}}""", context));

    [Theory]
    [InlineData("""{"all":[]}""", true)]
    [InlineData("""{"any":[]}""", false)]
    [InlineData("""{"not":{"any":[]}}""", true)]
    [InlineData("""{"type":"all","conditions":[]}""", true)]
    [InlineData("""{"type":"any","conditions":[]}""", false)]
    [InlineData("""{"type":"not","conditions":[{"all":[]}]}""", false)]
    [InlineData("""{"type":"single","conditions":[{"trait_check":{"path":"n","operator":"exists"}}]}""", true)]
    [InlineData("""{"type":"single","trait_check":{"path":"n","operator":"exists"}}""", true)]
    [InlineData("""{"type":"all","conditions":[{"type":"single","trait_check":{"path":"n","operator":"greater","value":1}},{"type":"trait_check","trait":"n","operator":"less","value":99}]}""", true)]
    [InlineData("""[{"type":"trait_check","trait":"n","operator":"exists"},{"any":[]}]""", false)]
    public void Three_dialects_say_the_same(string condition, bool expected) => Assert.Equal(expected, Holds(condition));

    [Fact]
    public void Suggestions_come_by_weight_then_priority_at_most_five_and_none_of_weight_nothing()
    {
        var rules = string.Join(',', new[] { ("a", 1.0, "low"), ("b", 1.0, "high"), ("c", 2.0, "low"), ("d", 0.0, "high"), ("e", 1.0, "medium"), ("f", .5, "high"), ("g", .4, "high"), ("h", -1.0, "high") }
            .Select(rule => $$"""{"id":"{{rule.Item1}}","weight":{{rule.Item2.ToString(System.Globalization.CultureInfo.InvariantCulture)}},"conditions":{"all":[]},"actions":[{"type":"suggestion","template":"Do {{rule.Item1}}","priority":"{{rule.Item3}}"}]}"""));
        var mapper = MapperParser.Parse(JsonElement.Parse($$"""{"metadata":{"id":"m"},"rules":[{{rules}}]}""")).Mapper!;
        Assert.Equal(["c", "b", "e", "a", "f"], RuleEngine.Apply(mapper, _ => null, Input()).Suggestions.Select(suggestion => suggestion.RuleId));
        Assert.Equal(["g", "c", "b", "e", "a"], RuleEngine.Apply(mapper, rule => rule == "g" ? 3 : null, Input()).Suggestions.Select(suggestion => suggestion.RuleId));
        Assert.Equal(["b", "e", "a", "f", "g"], RuleEngine.Apply(mapper, rule => rule == "c" ? 0 : null, Input()).Suggestions.Select(suggestion => suggestion.RuleId));
    }

    [Fact]
    public void Templates_are_filled_with_literals_traits_and_the_context()
    {
        var (mapper, mistakes) = MapperParser.Parse(JsonElement.Parse("""
            {"metadata":{"id":"m"},
             "rules":[{"id":"r","weight":1,"conditions":{"all":[]},"actions":[
               {"type":"generate_suggestion","generate_suggestion":{"type":"focus","template":"t","parameters":{
                 "hours":{"from_trait":"n","default":30,"transform":"minutes_to_hours"},"who":{"from_context":"name","transform":"capitalize"},
                 "none":{"from_trait":"nothing","default":"x"},"list":{"from_trait":"l"},"word":"plain","gone":{"from_trait":"nothing"}}}}]}],
             "templates":{"t":{"title":"{who}: {hours}","description":"{word} {none} {list} {n} {gone}","priority":"high","duration_minutes":"{n}","metadata":{"k":1}}}}
            """));
        Assert.Empty(mistakes);
        var suggestion = Assert.Single(RuleEngine.Apply(mapper!, _ => null, Input("""{"name":"ADA"}""")).Suggestions);
        Assert.Equal(("Ada: 1.0 hours", "plain x a, b 60 {gone}", "high", "focus"), (suggestion.Title, suggestion.Description, suggestion.Priority, suggestion.Type));
        Assert.Equal(60, suggestion.DurationMinutes!.Value.GetDouble());
        Assert.Equal(1, suggestion.Metadata.GetProperty("k").GetInt32());
    }

    [Fact]
    public void Why_a_condition_held_or_not_is_said()
    {
        var verdict = RuleEngine.Judge(Parsed("""{"all":[{"trait_check":{"path":"n","operator":"greater","value":99}},{"not":{"trait_check":{"path":"nothing","operator":"exists"}}}]}"""), Input());
        Assert.False(verdict.Held);
        Assert.Equal(["trait n greater 99: it is 60", "not"], verdict.Of.Select(part => part.Why));
        Assert.Equal("trait nothing exists: it is missing", verdict.Of[1].Of[0].Why);
    }
}
