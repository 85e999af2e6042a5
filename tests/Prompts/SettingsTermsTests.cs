using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Settings;

namespace PersonaActors.Tests.Prompts;

public sealed class SettingsTermsTests
{
    private static readonly string[] Names = [Source.Tenant, Source.Personality, Source.Channel, Source.User, Source.UserPersonality];

    /// <param name="tiers">Furthest first.</param>
    private static Merge<SettingsTier> Cascade(params SettingsTier[] tiers) =>
        new(SettingField.All, [.. tiers.Select((tier, i) => new Tier<SettingsTier>(Names[i], tier)).Reverse(), SettingField.BuiltIn]);

    private static (object Value, string From) Said(Merge<SettingsTier> settings, string field) =>
        settings.Chosen.Where(choice => choice.Field.Name == field).Select(choice => (choice.Value, choice.From.Name)).Single();

    private static IEnumerable<(string Field, object Value, string From)> Said(Merge<SettingsTier> settings) =>
        settings.Chosen.Select(choice => (choice.Field.Name, choice.Value, choice.From.Name));

    [Fact]
    public void Where_nobody_says_anything_the_built_in_holds() =>
        Assert.Equal(
            [("maxMessages", 50), ("maxAge", "off"), ("memoryLimit", 10), ("memoryScoreThreshold", 0.5), ("focusOverlay", true), ("mindscapeOverlay", (object)true)],
            Said(Cascade()).Where(field => field.From == Source.BuiltIn).Select(field => (field.Field, field.Value)));

    [Fact]
    public void Off_ends_the_search()
    {
        var cascade = Cascade(new SettingsTier { MaxAge = Setting<int>.Of(60) }, new SettingsTier { MaxAge = Setting<int>.Off, FocusOverlay = Setting<bool>.Off });
        Assert.Equal(("off", Source.Personality), Said(cascade, "maxAge"));
        Assert.Equal((false, Source.Personality), Said(cascade, "focusOverlay"));
    }

    [Fact]
    public void Fields_fall_through_each_on_its_own()
    {
        var cascade = Cascade(
            new SettingsTier { MaxMessages = Setting<int>.Of(10), FocusOverlay = Setting<bool>.Of(false) },
            SettingsTier.Empty, SettingsTier.Empty,
            new SettingsTier { MaxMessages = Setting<int>.Of(20) });
        Assert.Equal((20, Source.User), Said(cascade, "maxMessages"));
        Assert.Equal((false, Source.Tenant), Said(cascade, "focusOverlay"));
    }

    [Fact]
    public void What_configs_and_personalities_say_of_window_and_memories_are_tiers_of_these()
    {
        var (theirs, tenants, mine) = (Material.Config() with { MemoryLimit = 0 }, Material.Config() with { MemoryLimit = 3, MemoryScoreThreshold = 0 }, Material.Config() with { MemoryLimit = 7 });
        var material = Material.Of(Material.Personality() with { DefaultLlmConfigId = theirs.Id, ContextWindowSize = 30 }) with
        {
            TenantSettings = new SettingsTier { MaxMessages = Setting<int>.Of(11), MemoryLimit = Setting<int>.Of(4) },
            Catalogue = Material.Catalogue with { LlmConfigs = [theirs], DefaultLlmConfig = tenants },
        };

        static (object Value, string From)[] Of(PromptMaterial material) =>
            [.. ((string[])["maxMessages", "memoryLimit", "memoryScoreThreshold"]).Select(field => Said(new PromptTerms(material).Settings, field))];

        Assert.Equal([(30, Source.Personality), (0, Source.PersonalityDefault), (0.0, (object)Source.TenantDefault)], Of(material).Select(said => (said.Value, (object)said.From)));
        var usual = material with { Personality = material.Personality! with { ContextWindowSize = 20, DefaultLlmConfigId = null } };
        Assert.Equal([(11, Source.Tenant), (4, Source.Tenant)], Of(usual).Take(2));
        Assert.Equal((20, Source.BuiltIn), Of(usual with { TenantSettings = SettingsTier.Empty })[0]);
        var own = material with { Override = Material.Override(config: mine.Id), Me = Material.Me(null, mine) };
        Assert.Equal((7, Source.Override), Of(own)[1]);
        var set = new SettingsTier { MemoryLimit = Setting<int>.Of(8), MaxMessages = Setting<int>.Of(9) };
        Assert.Equal([(9, Source.UserPersonality), (8, Source.UserPersonality)], Of(own with { Override = Material.Override(config: mine.Id, settings: set) }).Take(2));
        Assert.DoesNotContain(new PromptTerms(material).Llm.Fields, field => field.Name.StartsWith("memory", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"focusOverlay":"off"}""", """{"maxMessages":5,"focusOverlay":false}""")]
    [InlineData("""{"maxAge":60}""", """{"maxMessages":5,"maxAge":60}""")]
    [InlineData("""{"maxMessages":null}""", "{}")]
    [InlineData("""{"maxMessages":"off"}""", """{"maxMessages":"off"}""")]
    [InlineData("{}", """{"maxMessages":5}""")]
    public void A_patch_sets_clears_or_keeps(string patch, string after)
    {
        var tier = JsonSerializer.Deserialize<SettingsChange>(patch, Wire.Strict)!.Over(new SettingsTier { MaxMessages = Setting<int>.Of(5) });
        Assert.Equal(after, JsonText.From(tier).Json);
    }

    [Fact]
    public void An_unknown_key_is_refused_with_its_name() =>
        Assert.Contains("maxMesages", Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<SettingsChange>("""{"maxMesages":5}""", Wire.Strict)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0, 60, .5, "maxMessages")]
    [InlineData(101, 60, .5, "maxMessages")]
    [InlineData(1, 0, .5, "maxAge")]
    [InlineData(1, 1, 1.1, "memoryScoreThreshold")]
    public void A_setting_out_of_range_is_named(int messages, int age, double threshold, string field) =>
        Assert.Equal(field, SettingsRules.Check(new SettingsTier { MaxMessages = Setting<int>.Of(messages), MaxAge = Setting<int>.Of(age), MemoryScoreThreshold = Setting<double>.Of(threshold) })?.Field);

    [Fact]
    public void Stored_off_is_null_and_an_absent_key_inherits()
    {
        var tier = new SettingsTier { MaxAge = Setting<int>.Off, FocusOverlay = Setting<bool>.Of(false), MemoryLimit = Setting<int>.Of(0) };
        Assert.Equal("""{"maxAge":null,"memoryLimit":0,"focusOverlay":false}""", tier.ToStored().Json);
        Assert.Equal(tier, SettingsTier.FromStored(tier.ToStored().Json));
    }

    private static Gen<Setting<T>> Any<T>(params T[] values)
        where T : struct =>
        Gen.OneOf(Gen.Constant(Setting<T>.Inherit), Gen.Constant(Setting<T>.Off), Gen.Elements(values).Select(Setting<T>.Of));

    /// <summary>A switch that is off is false.</summary>
    private static readonly Gen<Setting<bool>> AnySwitch = Gen.Elements(Setting<bool>.Inherit, Setting<bool>.Of(true), Setting<bool>.Of(false));

    private static readonly Gen<SettingsTier> AnyTier =
        from messages in Any(1, 100)
        from age in Any(1, 86400)
        from limit in Any(0, 5)
        from threshold in Any(0d, .5, 1)
        from focus in AnySwitch
        from mindscape in AnySwitch
        select new SettingsTier { MaxMessages = messages, MaxAge = age, MemoryLimit = limit, MemoryScoreThreshold = threshold, FocusOverlay = focus, MindscapeOverlay = mindscape };

    private static readonly Arbitrary<SettingsTier[]> AnyTiers = AnyTier.ArrayOf(Names.Length).ToArbitrary();

    private static object?[] Fields(SettingsTier tier) =>
        [tier.MaxMessages, tier.MaxAge, tier.MemoryLimit, tier.MemoryScoreThreshold, tier.FocusOverlay, tier.MindscapeOverlay];

    /// <summary>As an answer gives it: the value, or "off".</summary>
    private static object? Answered(object? setting) => setting switch
    {
        Setting<int> number => number.State == SettingState.Off ? "off" : number.Value,
        Setting<double> number => number.State == SettingState.Off ? "off" : number.Value,
        Setting<bool> flag => flag.Value,
        _ => null,
    };

    [Fact]
    public void For_every_field_the_last_tier_that_says_something_wins_and_confirms_it() =>
        Prop.ForAll(AnyTiers, tiers =>
        {
            var said = Said(Cascade(tiers)).ToArray();
            var nothing = Fields(SettingsTier.Empty);
            return said.Length == nothing.Length && Enumerable.Range(0, said.Length).All(field =>
            {
                var last = Array.FindLastIndex(tiers, tier => !Equals(Fields(tier)[field], nothing[field]));
                var (from, tier) = last < 0 ? (Source.BuiltIn, SettingField.BuiltIn.Says!) : (Names[last], tiers[last]);
                return said[field].From == from && Equals(said[field].Value, Answered(Fields(tier)[field]));
            });
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_prompts_tiers_lie_over_each_other_in_that_order() =>
        Prop.ForAll(AnyTiers, tiers =>
        {
            var terms = new PromptTerms(Material.Of(Material.Personality() with { Settings = tiers[1] }) with
            {
                TenantSettings = tiers[0],
                ChannelSettings = tiers[2],
                Me = Material.Me(Material.User with { Settings = tiers[3] }),
                Override = Material.Override(settings: tiers[4]),
            });
            var focus = Said(terms.Settings, "focusOverlay").Value;
            // A personality's window has a built-in size of its own.
            var expected = Said(Cascade(tiers)).Select(said => said is ("maxMessages", _, Source.BuiltIn) ? (said.Field, 20, said.From) : said);
            return Said(terms.Settings).SequenceEqual(expected) && terms.ShowsFocus == Equals(focus, true);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Clearing_a_tier_equals_never_having_set_it() =>
        Prop.ForAll(AnyTiers, Gen.Choose(0, Names.Length - 1).ToArbitrary(), (tiers, at) =>
        {
            var clear = JsonSerializer.Deserialize<SettingsChange>(
                """{"maxMessages":null,"maxAge":null,"memoryLimit":null,"memoryScoreThreshold":null,"focusOverlay":null,"mindscapeOverlay":null}""", Wire.Strict)!;
            var cleared = tiers.ToArray();
            cleared[at] = clear.Over(cleared[at]);
            var never = tiers.ToArray();
            never[at] = SettingsTier.Empty;
            return Said(Cascade(cleared)).SequenceEqual(Said(Cascade(never)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_stored_and_what_is_sent_come_back_as_they_were() =>
        Prop.ForAll(AnyTier.ToArbitrary(), tier =>
            SettingsTier.FromStored(tier.ToStored().Json) == tier && JsonText.From(tier).Read<SettingsTier>() == tier).QuickCheckThrowOnFailure();
}
