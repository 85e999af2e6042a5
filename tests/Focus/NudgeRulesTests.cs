using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Tests.Focus;

public sealed class NudgeRulesTests
{
    private static readonly DateTimeOffset Start = new(2031, 3, 3, 9, 0, 0, TimeSpan.Zero);
    private static readonly RhythmSnapshot Calm = new(0.6, "rhythm", 0.5, null, 0.3, 0.2, null, null, false);

    private static NudgeMoment At(
        double minutes, RhythmSnapshot? rhythm = null, RhythmSnapshot? atStart = null, string mood = "neutral", double fall = 0,
        string? distraction = null, NudgeLedger? ledger = null, FlowWindow? flow = null, FocusTimeline? timeline = null) => new(
            Start.AddMinutes(minutes), timeline ?? FocusTimeline.Start(Start, FocusMode.Deep, new FocusPlan(), null),
            atStart ?? rhythm ?? Calm, rhythm ?? Calm, mood, fall, distraction, flow ?? FlowWindow.From(Start), ledger ?? NudgeLedger.Empty);

    private static NudgeLedger Said(int count, double lastMinute, double? recoveryMinute = null) =>
        new(count, Start.AddMinutes(lastMinute), recoveryMinute is { } m ? Start.AddMinutes(m) : null, null);

    [Theory]
    [InlineData(0.7, 0.2, null)]
    [InlineData(0.71, 0.2, NudgeType.RecoveryBreakSuggestion)]
    [InlineData(0.3, 0.7, NudgeType.CalmingMoment)]
    [InlineData(0.3, 0.71, NudgeType.RecoveryBreakSuggestion)]
    [InlineData(0.3, 0.45, null)]
    [InlineData(0.3, 0.46, NudgeType.CalmingMoment)]
    public void Fatigue_and_stress_speak_only_above_their_bounds(double fatigue, double stress, NudgeType? expected) =>
        Assert.Equal(expected, NudgeRules.Decide(At(5, Calm with { FatigueLevel = fatigue, StressLevel = stress }))?.Type);

    [Theory]
    [InlineData(0.45, 0.60, true)]
    [InlineData(0.46, 0.60, false)]
    [InlineData(0.30, 0.45, true)]
    [InlineData(0.29, 0.44, false)]
    public void A_rise_since_the_start_counts_from_fifteen_hundredths_at_a_level_of_0_45(double before, double now, bool speaks) =>
        Assert.Equal(speaks, NudgeRules.Decide(At(5, Calm with { FatigueLevel = now }, Calm with { FatigueLevel = before })) is { Rule: 1 });

    [Theory]
    [InlineData("heavy", "neutral", 0.35, true)]
    [InlineData("heavy", "neutral", 0.34, false)]
    [InlineData(null, "negative", 0.35, true)]
    [InlineData(null, "negative", 0.34, false)]
    [InlineData("light", "neutral", 0.35, false)]
    public void Some_stress_needs_a_heavy_tone_or_a_negative_mood_to_be_calmed(string? tone, string mood, double stress, bool speaks) =>
        Assert.Equal(speaks, NudgeRules.Decide(At(5, Calm with { StressLevel = stress, EmotionTone = tone }, mood: mood)) is { Rule: 2 });

    [Theory]
    [InlineData(0.35, 0, null)]
    [InlineData(0.34, 0, "energy below 0.35")]
    [InlineData(0.6, 0.14, null)]
    [InlineData(0.6, 0.15, "energy fell within half an hour")]
    public void Little_or_falling_energy_asks_for_a_tiny_pause(double energy, double fall, string? reason) =>
        Assert.Equal(reason, NudgeRules.Decide(At(5, Calm with { Energy = energy }, fall: fall))?.Reason);

    [Theory]
    [InlineData(FocusMode.Deep, 49.9, false)]
    [InlineData(FocusMode.Deep, 50, true)]
    [InlineData(FocusMode.Flowtime, 50, true)]
    public void Long_work_without_a_break_asks_for_a_tiny_pause(FocusMode mode, double minutes, bool speaks) =>
        Assert.Equal(speaks, NudgeRules.Decide(At(minutes, timeline: FocusTimeline.Start(Start, mode, new FocusPlan(), null))) is { Rule: 3 });

    [Fact]
    public void In_a_pomodoro_twenty_five_minutes_are_long_work()
    {
        var line = FocusTimeline.Start(Start, FocusMode.Pomodoro, new FocusPlan(Work: 40), null);
        Assert.Equal(NudgeType.EncouragementSoft, NudgeRules.Decide(At(24.9, timeline: line))?.Type);
        Assert.Equal(NudgeType.MicroBreakSuggestion, NudgeRules.Decide(At(25, timeline: line))?.Type);
    }

    [Theory]
    [InlineData(299, false)]
    [InlineData(300, true)]
    public void Two_nudges_are_at_least_three_hundred_seconds_apart(int seconds, bool speaks) => Assert.Equal(
        speaks, NudgeRules.Decide(At(60 + (seconds / 60.0), Calm with { StressLevel = 0.5 }, ledger: Said(1, 60))) is not null);

    [Theory]
    [InlineData(5, true, true)]
    [InlineData(6, false, true)]
    [InlineData(7, false, true)]
    [InlineData(8, false, false)]
    public void The_last_two_of_eight_are_kept_for_rest_and_calm(int said, bool microBreak, bool calming)
    {
        Assert.Equal(microBreak, NudgeRules.Decide(At(60, Calm with { Energy = 0.2 }, ledger: Said(said, 30))) is { Rule: 3 });
        Assert.Equal(calming, NudgeRules.Decide(At(60, Calm with { StressLevel = 0.5 }, ledger: Said(said, 30))) is { Rule: 2 });
    }

    [Theory]
    [InlineData(24.9, 2)]
    [InlineData(25, 1)]
    public void A_recovery_held_back_falls_through_to_the_next_row(double minutes, int rule) => Assert.Equal(
        rule, NudgeRules.Decide(At(60 + minutes, Calm with { StressLevel = 0.8 }, ledger: Said(1, 60, recoveryMinute: 60)))?.Rule);

    [Fact]
    public void Nothing_is_said_while_snoozed_and_again_at_its_end()
    {
        var snoozed = NudgeLedger.Empty with { SnoozedUntil = Start.AddMinutes(30) };
        Assert.Null(NudgeRules.Decide(At(29.9, Calm with { StressLevel = 0.9 }, ledger: snoozed)));
        Assert.NotNull(NudgeRules.Decide(At(30, Calm with { StressLevel = 0.9 }, ledger: snoozed)));
    }

    [Fact]
    public void Nothing_is_said_while_paused_on_a_break_or_ended()
    {
        var active = FocusTimeline.Start(Start, FocusMode.Deep, new FocusPlan(), null);
        var now = Start.AddMinutes(20);
        Assert.All(
            [active.Pause(now), active.TakeBreak(now, 30, null), active.End(now, FocusEnd.Finished)],
            step => Assert.Null(NudgeRules.Decide(At(30, Calm with { StressLevel = 0.9, FatigueLevel = 0.9, Energy = 0.1 }, timeline: step.Next))));
    }

    [Theory]
    [InlineData(14.9, null)]
    [InlineData(15, NudgeType.EncouragementSoft)]
    public void Encouragement_comes_after_a_quiet_quarter_counted_from_the_start(double minutes, NudgeType? expected) =>
        Assert.Equal(expected, NudgeRules.Decide(At(minutes))?.Type);

    [Fact]
    public void Flow_is_praised_once_and_then_left_alone()
    {
        var flow = FlowWindow.From(Start) with { EnteredAt = Start.AddMinutes(20) };
        Assert.Equal(NudgeType.FlowContinue, NudgeRules.Decide(At(20, flow: flow))?.Type);
        Assert.Null(NudgeRules.Decide(At(45, flow: flow with { Praised = true }, ledger: Said(1, 20))));
    }

    [Fact]
    public void Unknown_levels_say_nothing()
    {
        var unknown = new RhythmSnapshot(null, "unknown", null, null, null, null, null, null, true);
        Assert.Null(NudgeRules.Decide(At(5, unknown)));
    }

    [Theory]
    [InlineData(0.71, 0.71, 10)]
    [InlineData(0.71, 0.70, 5)]
    [InlineData(0.85, 0.2, 5)]
    [InlineData(0.86, 0.2, 10)]
    public void Ten_minutes_are_advised_when_both_are_high_or_one_is_very_high(double fatigue, double stress, int minutes)
    {
        var nudge = NudgeRules.Decide(At(5, Calm with { FatigueLevel = fatigue, StressLevel = stress }))!;
        Assert.Equal(minutes, nudge.Recovery!.Minutes);
        Assert.Equal(Start.AddMinutes(5 + minutes), nudge.Recovery.ResumeAt);
        Assert.Contains(minutes == 10 ? "Ten" : "Five", nudge.Words);
    }

    [Theory]
    [InlineData(30, true)]
    [InlineData(31, false)]
    [InlineData(-1, false)]
    public void Near_the_next_lull_it_is_time_to_wrap_up(int minutes, bool wrapUp) => Assert.Equal(
        wrapUp, RecoveryBreak.Advise(Calm with { NextLull = Start.AddMinutes(minutes) }, "x", Start).WrapUp);

    [Fact]
    public void Every_nudge_is_in_micro_tone()
    {
        NudgeMoment[] moments =
        [
            At(5, Calm with { FatigueLevel = 0.8 }), At(5, Calm with { FatigueLevel = 0.9 }), At(5, Calm with { StressLevel = 0.5 }),
            At(5, Calm with { Energy = 0.1 }), At(5, distraction: "idle"), At(20, flow: FlowWindow.From(Start) with { EnteredAt = Start }), At(20),
        ];
        var nudges = moments.Select(m => NudgeRules.Decide(m)!).ToList();
        Assert.Equal(6, nudges.Select(n => n.Type).Distinct().Count());
        Assert.All(nudges, n => Assert.True(NudgeRules.IsMicroTone(n.Words), n.Words));
        Assert.False(NudgeRules.IsMicroTone("Go!"));
        Assert.False(NudgeRules.IsMicroTone("A. B. C. D."));
        Assert.False(NudgeRules.IsMicroTone("Take 5."));
        Assert.False(NudgeRules.IsMicroTone(new string('a', 61)));
    }

    [Fact]
    public void Whatever_comes_the_guards_hold()
    {
        var level = Gen.Choose(0, 100).Select(n => n / 100.0);
        var look = Gen.Zip(Gen.Zip(Gen.Choose(1, 900), level), Gen.Zip(Gen.Zip(level, level), Gen.Choose(0, 9)));
        Prop.ForAll(look.ListOf(60).ToArbitrary(), looks =>
        {
            var ledger = NudgeLedger.Empty;
            var said = new List<(DateTimeOffset At, int Rule)>();
            var now = Start;
            foreach (var ((seconds, energy), ((stress, fatigue), other)) in looks)
            {
                now = now.AddSeconds(seconds);
                var rhythm = Calm with { Energy = energy, StressLevel = stress, FatigueLevel = fatigue };
                var moment = At(0, rhythm, Calm, distraction: other == 1 ? "idle" : null, ledger: ledger) with { Now = now };
                if (NudgeRules.Decide(moment) is { } nudge)
                {
                    ledger = ledger.With(nudge, now);
                    said.Add((now, nudge.Rule));
                }
            }

            Assert.True(said.Count <= NudgeRules.Most);
            Assert.All(said.Skip(NudgeRules.Most - NudgeRules.Kept), n => Assert.InRange(n.Rule, 1, 2));
            Assert.All(said.Zip(said.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= NudgeRules.Apart));
            var recoveries = said.Where(n => n.Rule == 1).ToList();
            Assert.All(recoveries.Zip(recoveries.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= NudgeRules.RecoveryApart));
        }).QuickCheckThrowOnFailure();
    }
}
