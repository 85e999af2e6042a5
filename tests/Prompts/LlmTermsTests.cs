using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Grains.Settings;
using static PersonaActors.Tests.Prompts.Material;

namespace PersonaActors.Tests.Prompts;

public sealed class LlmTermsTests
{
    [Fact]
    public void Each_field_falls_through_on_its_own()
    {
        var near = Config("a", .5);
        var far = Config("p", .9, .9);
        var llm = (Of(Personality() with { DefaultLlmConfigId = far.Id }) with
        {
            Override = Override(config: near.Id),
            Catalogue = Catalogue with { LlmConfigs = [near, far] },
        }).Llm();

        Assert.Equal(
            [("model", "a", Source.Override), ("temperature", .5, Source.Override), ("topP", (object).9, Source.Personality)],
            llm.Chosen.Select(choice => (choice.Field.Name, choice.Value, choice.From.Name)));
    }

    [Fact]
    public void Without_an_override_the_users_default_holds()
    {
        var mine = Config("b", owner: User.Id);
        var llm = (Of() with { Me = Me(User with { DefaultLlmConfigId = mine.Id }, mine) }).Llm();
        Assert.Equal(("b", Source.UserDefault), (llm[LlmField.Model], llm.Find(LlmField.Model)!.Value.From.Name));
    }

    [Fact]
    public void With_neither_the_personalitys_holds()
    {
        var config = Config("p");
        var llm = (Of(Personality() with { DefaultLlmConfigId = config.Id }) with { Catalogue = Catalogue with { LlmConfigs = [config] } }).Llm();
        Assert.Equal(("p", Source.Personality), (llm[LlmField.Model], llm.Find(LlmField.Model)!.Value.From.Name));
    }

    [Fact]
    public void With_none_at_all_the_tenants_holds()
    {
        var llm = (Of() with { Catalogue = Catalogue with { DefaultLlmConfig = Config("t"), FreeDefaultLlmConfig = Config("free") } }).Llm();
        Assert.Equal(("t", Source.TenantDefault), (llm[LlmField.Model], llm.Find(LlmField.Model)!.Value.From.Name));
    }

    [Fact]
    public void Free_users_get_the_free_default_in_place_of_the_tenants()
    {
        var material = Of() with { Me = Me(User with { IsFree = true }), Catalogue = Catalogue with { DefaultLlmConfig = Config("t", .3), FreeDefaultLlmConfig = Config("free") } };
        var llm = material.Llm();
        Assert.Equal("free", llm[LlmField.Model]);
        Assert.Null(llm.Find(LlmField.Temperature));

        var without = material with { Catalogue = Catalogue with { DefaultLlmConfig = Config("t", .3) } };
        Assert.Equal("t", without.Llm()[LlmField.Model]);
    }

    [Fact]
    public void An_override_whose_config_is_gone_is_as_if_there_were_none()
    {
        var far = Config("p");
        var material = Of(Personality() with { DefaultLlmConfigId = far.Id }) with { Catalogue = Catalogue with { LlmConfigs = [far] } };
        var gone = material with { Override = Override(config: Guid.CreateVersion7()) };
        Assert.Equal(material.Llm().Chosen, gone.Llm().Chosen);
    }

    [Fact]
    public void Somebody_elses_config_does_not_resolve()
    {
        // A global one that became owned is no longer in the catalogue, and it isn't among this user's.
        var llm = (Of() with { Override = Override(config: Guid.CreateVersion7()), Me = Me(null, Config("mine", owner: User.Id)) }).Llm();
        Assert.Empty(llm.Chosen);
    }

    [Fact]
    public void A_focus_modes_model_stands_between_override_and_users_default()
    {
        var mine = Config("mine", owner: User.Id);
        var near = Config("near", owner: User.Id);
        var material = Of() with
        {
            Me = Me(User with { DefaultLlmConfigId = mine.Id }, mine, near),
            FocusMode = Mode("…", "modes"),
        };
        Assert.Equal(("modes", Source.FocusMode), (material.Llm()[LlmField.Model], material.Llm().Find(LlmField.Model)!.Value.From.Name));
        Assert.Equal("near", (material with { Override = Override(config: near.Id) }).Llm()[LlmField.Model]);
        Assert.Equal("mine", (material with { FocusMode = Mode("…") }).Llm()[LlmField.Model]);
        Assert.Equal("mine", (material with { FocusMode = null }).Llm()[LlmField.Model]);
    }

    private static Merge<LlmConfigView> Merge(params Tier<LlmConfigView>[] tiers) => new(LlmField.All, tiers);

    private static readonly string[] TierNames = [Source.Override, Source.FocusMode, Source.UserDefault, Source.Personality, Source.TenantDefault];

    private static readonly Gen<LlmConfigView?> AnyConfig =
        from present in Gen.Choose(0, 4)
        from model in Gen.Elements(null, "a", "b")
        from temperature in Gen.Elements<double?>(null, 0, .5, 2)
        from topP in Gen.Elements<double?>(null, 0, 1)
        from maxTokens in Gen.Elements<int?>(null, 1, 4000)
        from stop in Gen.Elements<Items<string>?>(null, ["\n"])
        from reasoning in Gen.Elements<Reasoning?>(null, Reasoning.Off, Reasoning.High)
        from bias in Gen.Elements(null, new JsonText("""{"50256":-100}"""))
        from memories in Gen.Elements<int?>(null, 0, 9)
        select present == 0
            ? null
            : Config(model, temperature, topP) with { MaxTokens = maxTokens, Stop = stop, Reasoning = reasoning, LogitBias = bias, MemoryLimit = memories };

    private static readonly Arbitrary<Tier<LlmConfigView>[]> AnyTiers =
        (from configs in AnyConfig.ArrayOf(TierNames.Length) select configs.Select((config, i) => new Tier<LlmConfigView>(TierNames[i], config)).ToArray()).ToArbitrary();

    [Fact]
    public void For_every_pair_of_tiers_the_nearer_one_wins() =>
        Prop.ForAll(AnyTiers, tiers =>
        {
            var llm = Merge(tiers);
            return LlmField.All.All(field =>
                Enumerable.Range(0, tiers.Length).All(near => Enumerable.Range(near + 1, tiers.Length - near - 1).All(far =>
                    tiers[near].Says is not { } config || field.Of(config) is null || llm.Find(field)?.From.Name != tiers[far].Name)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_prompts_tiers_are_merged_in_that_order() =>
        Prop.ForAll(AnyTiers, tiers =>
        {
            var configs = tiers.Select(tier => tier.Says).ToArray();
            var mode = configs[1]?.Model is { } model ? Mode("…", model) : null;
            var material = Of(Personality() with { DefaultLlmConfigId = configs[3]?.Id }) with
            {
                Override = Override(config: configs[0]?.Id),
                Me = Me(User with { DefaultLlmConfigId = configs[2]?.Id }, [.. new[] { configs[0], configs[2] }.OfType<LlmConfigView>()]),
                FocusMode = mode,
                Catalogue = Catalogue with { LlmConfigs = [.. configs[3..4].OfType<LlmConfigView>()], DefaultLlmConfig = configs[4] },
            };
            Tier<LlmConfigView>[] inOrder = [tiers[0], tiers[1] with { Says = mode is null ? null : Config(mode.DefaultModel) }, .. tiers[2..]];
            static IEnumerable<(string, object, string)> Said(Merge<LlmConfigView> llm) => llm.Chosen.Select(choice => (choice.Field.Name, choice.Value, choice.From.Name));
            return Said(material.Llm()).SequenceEqual(Said(Merge(inOrder)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_tier_that_a_field_is_said_to_come_from_confirms_it() =>
        Prop.ForAll(AnyTiers, tiers =>
        {
            var llm = Merge(tiers);
            return llm.Chosen.All(choice => Equals(choice.Field.Of(tiers.Single(tier => tier.Name == choice.From.Name).Says!), choice.Value))
                && LlmField.All.Where(field => llm.Find(field) is null).All(field => tiers.All(tier => tier.Says is null || field.Of(tier.Says) is null));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Clearing_a_field_equals_never_having_set_it() =>
        Prop.ForAll(AnyTiers, Gen.Choose(0, TierNames.Length - 1).ToArbitrary(), (tiers, cleared) =>
        {
            if (tiers[cleared].Says is not { } config)
            {
                return true;
            }

            Tier<LlmConfigView>[] With(LlmConfigView? other) => [.. tiers.Select((tier, i) => i == cleared ? tier with { Says = other } : tier)];
            var never = Config() with { Id = config.Id };
            var emptied = config with { Model = null, Temperature = null, TopP = null, MaxTokens = null, Stop = null, Reasoning = null, LogitBias = null, MemoryLimit = null };
            return Merge(With(emptied)).Chosen.SequenceEqual(Merge(With(null)).Chosen)
                && Merge(With(never)).Chosen.SequenceEqual(Merge(With(null)).Chosen)
                && Merge(With(config with { Temperature = null })).Find(LlmField.Temperature) == Merge(With(null)).Find(LlmField.Temperature);
        }).QuickCheckThrowOnFailure();
}
