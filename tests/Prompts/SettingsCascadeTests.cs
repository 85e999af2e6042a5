using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Prompts;

namespace PersonaActors.Tests.Prompts;

public sealed class SettingsCascadeTests
{
    private static readonly string[] Names = [Source.Tenant, Source.Personality, Source.Channel, Source.User, Source.UserPersonality];

    private static SettingsCascade Cascade(params SettingsTier[] tiers) =>
        SettingsCascade.Of([.. tiers.Select((tier, i) => new TierOfSettings(Names[i], tier))]);

    [Fact]
    public void Where_nobody_says_anything_the_built_in_holds()
    {
        var cascade = Cascade();
        Assert.Equal(SettingsCascade.BuiltIn, cascade.Effective);
        Assert.Equal(50, cascade.MaxMessages.Setting.Value);
        Assert.All(cascade.Sources(), field => Assert.Equal(Source.BuiltIn, field.From));
    }

    [Fact]
    public void Off_ends_the_search()
    {
        var cascade = Cascade(new SettingsTier { MaxAge = Setting<int>.Of(60) }, new SettingsTier { MaxAge = Setting<int>.Off });
        Assert.True(cascade.MaxAge.IsOff);
        Assert.Equal(Source.Personality, cascade.MaxAge.From);
    }

    [Fact]
    public void Fields_fall_through_each_on_its_own()
    {
        var cascade = Cascade(
            new SettingsTier { MaxMessages = Setting<int>.Of(10), FocusOverlay = Setting<bool>.Of(false) },
            SettingsTier.Empty, SettingsTier.Empty,
            new SettingsTier { MaxMessages = Setting<int>.Of(20) });
        Assert.Equal((20, Source.User), (cascade.MaxMessages.Setting.Value, cascade.MaxMessages.From));
        Assert.False(cascade.ShowsFocus);
        Assert.Equal(Source.Tenant, cascade.FocusOverlay.From);
    }

    [Theory]
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

    private static readonly Gen<SettingsTier> AnyTier =
        from messages in Any(1, 100)
        from age in Any(1, 86400)
        from limit in Any(0, 5)
        from threshold in Any(0d, .5, 1)
        from focus in Any(true, false)
        from mindscape in Any(true, false)
        select new SettingsTier { MaxMessages = messages, MaxAge = age, MemoryLimit = limit, MemoryScoreThreshold = threshold, FocusOverlay = focus, MindscapeOverlay = mindscape };

    private static readonly Arbitrary<SettingsTier[]> AnyTiers = AnyTier.ArrayOf(Names.Length).ToArbitrary();

    private static IEnumerable<object?> Fields(SettingsTier tier) =>
        [tier.MaxMessages, tier.MaxAge, tier.MemoryLimit, tier.MemoryScoreThreshold, tier.FocusOverlay, tier.MindscapeOverlay];

    [Fact]
    public void For_every_field_the_last_tier_that_says_something_wins_and_confirms_it() =>
        Prop.ForAll(AnyTiers, tiers =>
        {
            var cascade = Cascade(tiers);
            var effective = Fields(cascade.Effective).ToArray();
            var sources = cascade.Sources().ToArray();
            var defaults = Fields(SettingsTier.Empty).ToArray();
            return Enumerable.Range(0, effective.Length).All(field =>
            {
                var last = Array.FindLastIndex(tiers, tier => !Equals(Fields(tier).ElementAt(field), defaults[field]));
                return last < 0
                    ? sources[field].From == Source.BuiltIn && Equals(effective[field], Fields(SettingsCascade.BuiltIn).ElementAt(field))
                    : sources[field].From == Names[last] && Equals(effective[field], Fields(tiers[last]).ElementAt(field));
            });
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_prompts_tiers_lie_over_each_other_in_that_order() =>
        Prop.ForAll(AnyTiers, tiers =>
        {
            var cascade = (Material.Of(Material.Personality() with { Settings = tiers[1] }) with
            {
                TenantSettings = tiers[0],
                ChannelSettings = tiers[2],
                Me = Material.Me(Material.User with { Settings = tiers[3] }),
                Override = Material.Override(settings: tiers[4]),
            }).Tiers().MergeSettings();
            return cascade.Effective == Cascade(tiers).Effective && cascade.Sources().SequenceEqual(Cascade(tiers).Sources());
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
            return Cascade(cleared).Effective == Cascade(never).Effective && Cascade(cleared).Sources().SequenceEqual(Cascade(never).Sources());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_stored_and_what_is_sent_come_back_as_they_were() =>
        Prop.ForAll(AnyTier.ToArbitrary(), tier =>
            SettingsTier.FromStored(tier.ToStored().Json) == tier && JsonText.From(tier).Read<SettingsTier>() == tier).QuickCheckThrowOnFailure();
}
