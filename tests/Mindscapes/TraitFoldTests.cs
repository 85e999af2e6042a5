using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Tests.Mindscapes;

/// <summary>The table of traits, how they merge, and that a mindscape is the fold of what was recorded.</summary>
public sealed class TraitFoldTests
{
    [Theory]
    [InlineData("work_session", """{"duration_minutes":90}""", "work.focus_duration=90@0.9")]
    [InlineData("work_session", """{"duration_minutes":0}""", "")]
    [InlineData("work_session", """{"duration_minutes":"90"}""", "")]
    [InlineData("work_session", """{"start":"2026-05-04T09:40:00Z","productivity_score":4}""", """work.peak_hours=["09:00-10:00"]@0.7 current_state.energy_level="high"@0.6""")]
    [InlineData("work_session", """{"start":"2026-05-04T23:10:00+02:00","productivity_score":5}""", """work.peak_hours=["23:00-24:00"]@0.7 current_state.energy_level="high"@0.6""")]
    [InlineData("work_session", """{"start":"2026-05-04T09:40:00Z","productivity_score":3}""", "current_state.energy_level=\"medium\"@0.6")]
    [InlineData("work_session", """{"productivity_score":1}""", "current_state.energy_level=\"low\"@0.6")]
    [InlineData("work_session", """{"productivity_score":5}""", "current_state.energy_level=\"high\"@0.6")]
    [InlineData("work_session", """{"productivity_score":0,"interruptions":0}""", "")]
    [InlineData("work_session", """{"interruptions":1}""", "work.task_switching_cost=\"low\"@0.7")]
    [InlineData("work_session", """{"interruptions":2}""", "work.task_switching_cost=\"medium\"@0.7")]
    [InlineData("work_session", """{"interruptions":3}""", "work.task_switching_cost=\"high\"@0.7")]
    [InlineData("user_input", """{"type":"energy_check","energy_level":"low"}""", "current_state.energy_level=\"low\"@1")]
    [InlineData("user_input", """{"type":"wizard_response","responses":{"most_productive":"varies"}}""",
        """work.energy_patterns=["09:00-11:00","14:00-16:00"]@0.8 work.peak_hours=["09:00-11:00","14:00-16:00"]@0.8""")]
    [InlineData("user_input", """{"type":"wizard_response","responses":{"most_productive":"evening"}}""", """work.energy_patterns=["18:00-23:00"]@0.8 work.peak_hours=["18:00-23:00"]@0.8""")]
    [InlineData("user_input", """{"type":"wizard_response","responses":{"focus_duration":"2hr+"}}""", "work.focus_duration=120@0.9")]
    [InlineData("user_input", """{"type":"wizard_response","responses":{"focus_duration":"30min","flow_disruptor":"context-switches"}}""",
        "work.focus_duration=30@0.9 work.task_switching_cost=\"high\"@0.8")]
    [InlineData("user_input", """{"type":"wizard_response","responses":{"flow_disruptor":"email"}}""", "work.task_switching_cost=\"low\"@0.8")]
    [InlineData("user_input", """{"type":"wizard_response","responses":{"flow_disruptor":"the cat"}}""", "work.task_switching_cost=\"medium\"@0.8")]
    [InlineData("calendar_event", """{"type":"meeting","duration_minutes":30}""", "work.meeting_recovery_time=15@0.5")]
    [InlineData("calendar_event", """{"type":"meeting"}""", "work.meeting_recovery_time=30@0.5")]
    [InlineData("calendar_event", """{"type":"meeting","duration_minutes":61}""", "work.meeting_recovery_time=45@0.5")]
    [InlineData("calendar_event", """{"type":"holiday"}""", "")]
    [InlineData("anything", """{"traits":{"a.b":3,"c":{"value":"x","confidence":0.2},"d":null}}""", "a.b=3@0.6 c=\"x\"@0.2")]
    [InlineData("anything", """{"text":"hello"}""", "")]
    public void Observations_say_what_the_table_says(string type, string content, string expected) => Assert.Equal(
        expected, string.Join(' ', TraitExtraction.From(type, Said.Json(content)).Select(input => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{input.Path}={input.Value.Json}@{input.Confidence}"))));

    [Theory]
    [InlineData("a", "60", .9, "120", .9, "90", .9)]
    [InlineData("a", "60", .9, "120", .4, "90", .65)]
    [InlineData("a", """["b"]""", .7, """["a","b"]""", .8, """["a","b"]""", .75)]
    [InlineData("a", "\"x\"", .7, "\"y\"", .7, "\"y\"", .7)]
    [InlineData("a", "\"x\"", .7, "\"y\"", .6, "\"x\"", .65)]
    [InlineData("a", "\"x\"", .7, "5", .9, "5", .8)]
    [InlineData("current_state.energy_level", "\"high\"", 1, "\"low\"", .6, "\"low\"", .8)]
    [InlineData("current_state.load", "4", 1, "2", .6, "2", .8)]
    public void Two_samples_merge(string path, string first, double firstConfidence, string second, double secondConfidence, string value, double confidence)
    {
        var (traits, _) = TraitFold.Fold(TraitFold.Nothing, [Said.Trait(1, path, first, firstConfidence), Said.Trait(2, path, second, secondConfidence)]);
        var trait = traits[path];
        Assert.Equal((value, confidence, 2), (trait.Value.Json, trait.Confidence, trait.SampleSize));
        Assert.Equal(Said.Start.AddMinutes(1), trait.FirstSeen);
        Assert.Equal(Said.Start.AddMinutes(2), trait.LastSeen);
    }

    [Fact]
    public void A_list_holds_at_most_24_in_order()
    {
        var (traits, _) = TraitFold.Fold(TraitFold.Nothing, Enumerable.Range(0, 30).Select(i => Said.Trait(i + 1, "a", $"[\"{29 - i:00}\"]", .5)));
        Assert.Equal(Enumerable.Range(0, 24).Select(i => $"{i:00}"), traits["a"].Value.Read<string[]>());
    }

    [Fact]
    public void Setting_replaces_what_was_known_and_keeps_what_is_given_as_it_was()
    {
        var (before, _) = TraitFold.Fold(TraitFold.Nothing, [Said.Trait(1, "a", "1", .5), Said.Trait(2, "b", "\"x\"", .5)]);
        var (after, changes) = TraitFold.Fold(before, [Said.Set(3, """{"a":{"value":1,"confidence":0.5,"sample_size":1},"work":{"chronotype":"morning"},"c":{"value":7,"confidence":0.4,"sample_size":3}}""")]);
        Assert.Equal(before["a"], after["a"]);
        Assert.Equal(["b", "c", "work"], changes.Single().Changes.Select(change => change.Path));
        Assert.True(after["work"].IsBare);
        Assert.Equal((.4, 3), (after["c"].Confidence, after["c"].SampleSize));
        var (merged, _) = TraitFold.Fold(after, [Said.Trait(4, "c", "3", .8)]);
        Assert.Equal((6.0, .5), (merged["c"].Value.Read<double>(), merged["c"].Confidence));
        Assert.Equal(TraitJson.Write(merged), TraitJson.Write(TraitJson.Read(TraitJson.Write(merged))));
    }

    [Fact]
    public void Weights_survive_a_merge_within_their_bounds()
    {
        MindscapeEntry Weigh(long number, double factor) => Said.Entry(number, "feedback", "feedback", JsonText.From(new TraitWeighing(["a"], factor)).Json);
        var entries = new List<MindscapeEntry> { Said.Trait(1, "a", "1", .5), Weigh(2, 1.1), Said.Trait(3, "a", "2", .5) };
        Assert.Equal(1.1, TraitFold.Fold(TraitFold.Nothing, entries).Traits["a"].Weight);
        entries.AddRange(Enumerable.Range(4, 20).Select(number => Weigh(number, 1.1)));
        Assert.Equal(2, TraitFold.Fold(TraitFold.Nothing, entries).Traits["a"].Weight);
        entries.AddRange(Enumerable.Range(30, 20).Select(number => Weigh(number, .8)));
        Assert.Equal(.5, TraitFold.Fold(TraitFold.Nothing, entries).Traits["a"].Weight);
    }

    [Fact]
    public void What_happened_when_counts_for_when_a_trait_was_seen()
    {
        var early = Said.Start.AddDays(-3);
        var (traits, _) = TraitFold.Fold(TraitFold.Nothing, [Said.Trait(1, "a", "1", .5), Said.Observed(2, "note", """{"traits":{"a":3}}""", early)]);
        Assert.Equal(early, traits["a"].FirstSeen);
        Assert.Equal(Said.Start.AddMinutes(1), traits["a"].LastSeen);
        Assert.Equal(2, traits["a"].Value.Read<double>());
    }

    [Fact]
    public void An_echo_says_nothing()
    {
        var (traits, changes) = TraitFold.Fold(TraitFold.Nothing, [Said.Trait(1, "a", "1", .5), Said.Trait(2, "a", "9", .5) with { IsEcho = true }]);
        Assert.Equal(1, traits["a"].SampleSize);
        Assert.Single(changes);
    }

    private static readonly Gen<MindscapeEntry> Entries =
        from what in Gen.Choose(0, 9)
        from path in Gen.Elements("a", "b", "c.d", "current_state.x")
        from value in Gen.Elements("1", "2.5", "\"x\"", "\"y\"", """["p"]""", """["q","r"]""", """{"k":1}""")
        from confidence in Gen.Choose(0, 10)
        from minutes in Gen.Choose(1, 300)
        select what switch
        {
            0 => Said.Set(0, $$$"""{"{{{path}}}":{"value":{{{value}}},"confidence":0.5,"sample_size":{{{minutes}}}}}"""),
            1 => Said.Set(0, $$"""{"{{path}}":{{value}}}"""),
            2 => Said.Entry(0, "feedback", "feedback", JsonText.From(new TraitWeighing([path], confidence > 5 ? 1.1 : .8)).Json),
            3 => Said.Observed(0, "work_session", $$"""{"duration_minutes":{{minutes}},"interruptions":{{confidence}},"productivity_score":{{confidence / 2}},"start":"2026-05-04T0{{confidence % 10}}:00:00Z"}"""),
            _ => Said.Trait(0, path, value, confidence / 10.0),
        };

    [Fact]
    public void However_it_is_cut_into_batches_the_fold_is_the_same_and_survives_being_stored()
    {
        var logs = Entries.ArrayOf().Select(entries => entries.Select((entry, i) => entry with { Number = i + 1, CreatedAt = Said.Start.AddMinutes(i) }).ToList());
        Prop.ForAll(logs.ToArbitrary(), Gen.Choose(1, 5).ToArbitrary(), (log, size) =>
        {
            var (whole, changes) = TraitFold.Fold(TraitFold.Nothing, log);
            var parts = TraitFold.Nothing;
            var numbers = new List<long>();
            foreach (var part in log.Chunk(size))
            {
                (parts, var some) = TraitFold.Fold(TraitJson.Read(TraitJson.Write(parts)), part);
                numbers.AddRange(some.Select(change => change.Entry.Number));
            }

            return TraitJson.Write(whole) == TraitJson.Write(parts) && numbers.SequenceEqual(changes.Select(change => change.Entry.Number));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Shares_times_inputs_sum_to_a_number_and_otherwise_those_are_named_who_decided()
    {
        Prop.ForAll(Entries.ArrayOf().Select(entries => entries.Select((entry, i) => entry with { Number = i + 1, CreatedAt = Said.Start.AddMinutes(i) }).ToList()).ToArbitrary(), log =>
        {
            foreach (var (path, trait) in TraitFold.Fold(TraitFold.Nothing, log).Traits)
            {
                var because = TraitOrigin.Of(path, log);
                Assert.NotEmpty(because);
                if (TraitFold.Number(JsonElement.Parse(trait.Value.Json)) is { } number)
                {
                    var shares = because.Where(part => part.Share is not null).ToList();
                    Assert.Equal(1, shares.Sum(part => part.Share!.Value), 6);
                    Assert.Equal(number, shares.Sum(part => part.Share!.Value * part.Input!.Read<double>()), 6);
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("work.focus_duration", "90")]
    [InlineData("work.focus_duration.p50", "60")]
    [InlineData("work.focus_duration.p90", "108")]
    [InlineData("work.energy_patterns.morning", "\"high\"")]
    [InlineData("work.energy_patterns.evening", "\"low\"")]
    [InlineData("work.chronotype", "\"morning\"")]
    [InlineData("work.deep.enough", "1")]
    [InlineData("work.rated", "3")]
    [InlineData("settings", """{"value":1}""")]
    [InlineData("a.b", "2")]
    [InlineData("a.b.c", null)]
    [InlineData("nothing", null)]
    public void Paths_lead_to_flat_traits_below_them_and_to_views(string path, string? expected)
    {
        var (traits, _) = TraitFold.Fold(TraitFold.Nothing,
        [
            Said.Set(1, """
                {"work":{"chronotype":"morning","deep":{"enough":1},"rated":{"value":3,"confidence":0.5}},"settings":{"value":1},"a":{"b":1},"a.b":{"value":2,"confidence":1},
                 "work.focus_duration":{"value":90,"confidence":0.9,"sample_size":2},"work.energy_patterns":{"value":["09:00-11:00"],"confidence":0.8}}
                """),
        ]);
        // An object that has a value and nothing else was set as a trait.
        traits = traits.SetItem("settings", Trait.Bare(Said.Json("""{"value":1}""")));
        Assert.Equal(expected, new TraitFacts(traits, [60, 120, 30]).Find(path)?.GetRawText());
    }
}
