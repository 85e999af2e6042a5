using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Tests.Focus;

public sealed class FocusRulesTests
{
    private static readonly DateTimeOffset Now = new(2031, 3, 3, 9, 0, 0, TimeSpan.Zero);
    private static readonly RhythmSnapshot Good = new(0.7, "rhythm", 0.5, null, 0.5, 0.45, null, null, false);

    [Theory]
    [InlineData(15, 0.7, 0.45, 0.5, true)]
    [InlineData(14.9, 0.7, 0.45, 0.5, false)]
    [InlineData(15, 0.69, 0.45, 0.5, false)]
    [InlineData(15, 0.7, 0.46, 0.5, false)]
    [InlineData(15, 0.7, 0.45, 0.51, false)]
    public void Flow_opens_when_all_of_its_bounds_are_met(double calm, double energy, double stress, double fatigue, bool open)
    {
        var flow = FlowWindow.From(Now.AddMinutes(-calm)).Look(
            Now, FocusState.Active, Good with { Energy = energy, StressLevel = stress, FatigueLevel = fatigue });
        Assert.Equal(open ? Now : null, flow.EnteredAt);
    }

    [Fact]
    public void A_disturbance_closes_the_window_and_the_next_is_praised_anew()
    {
        var flow = FlowWindow.From(Now).Look(Now.AddMinutes(15), FocusState.Active, Good) with { Praised = true };
        flow = flow.Disturbed(Now.AddMinutes(25));
        Assert.Equal(TimeSpan.FromMinutes(10), flow.Total(Now.AddMinutes(30)));
        Assert.Null(flow.Look(Now.AddMinutes(39.9), FocusState.Active, Good).EnteredAt);
        Assert.False(flow.Look(Now.AddMinutes(40), FocusState.Active, Good).Praised);
    }

    [Theory]
    [InlineData(0.39, 0.39, true)]
    [InlineData(0.39, 0.40, false)]
    [InlineData(0.39, null, false)]
    public void Two_pings_in_a_row_with_little_focus_are_a_distraction(double first, double? second, bool distracted)
    {
        var pulse = FocusPulse.Empty.With(new PingSample(Now.AddMinutes(-2), first, null, null, null, null))
            .With(new PingSample(Now.AddMinutes(-1), second, null, null, null, null));
        Assert.Equal(distracted, pulse.Distraction(Now, null) is not null);
    }

    [Theory]
    [InlineData(1, 2, 10, true)]
    [InlineData(1, 1, 10, false)]
    [InlineData(1, 2, 10.1, false)]
    public void Three_reported_distractions_within_ten_minutes_count(double first, double second, double minutesAgo, bool distracted)
    {
        var pulse = FocusPulse.Empty.With(new PingSample(Now.AddMinutes(-minutesAgo), null, null, null, null, first))
            .With(new PingSample(Now, null, null, null, null, second));
        Assert.Equal(distracted, pulse.Distraction(Now, null) is not null);
    }

    [Fact]
    public void Energy_falls_from_its_highest_of_the_last_half_hour()
    {
        var pulse = FocusPulse.Empty.With(new EnergySample(Now.AddMinutes(-30), 0.8)).With(new EnergySample(Now.AddMinutes(-5), 0.7));
        Assert.Equal(0.15, pulse.FallTo(0.65, Now));
        Assert.Equal(0.05, pulse.FallTo(0.65, Now.AddMinutes(1)));
    }

    [Theory]
    [InlineData("2031-03-30T00:59:00Z", "Europe/Berlin", 7)]   // 01:59 in winter time
    [InlineData("2031-03-30T01:00:00Z", "Europe/Berlin", 12)]  // the clock jumps to 03:00
    [InlineData("2031-10-26T00:30:00Z", "Europe/Berlin", 10)]  // 02:30 the first time
    [InlineData("2031-10-26T01:30:00Z", "Europe/Berlin", 10)]  // and the second
    [InlineData("2031-06-01T18:31:00Z", "Asia/Kolkata", 0)]
    [InlineData("2031-06-01T23:59:59Z", "UTC", 95)]
    public void The_slot_is_the_persons_local_quarter(string at, string zone, int slot) =>
        Assert.Equal(slot, RhythmRules.Slot(DateTimeOffset.Parse(at), RhythmRules.Zone(zone)));

    [Theory]
    [InlineData(24, 0.4)]
    [InlineData(24.01, null)]
    public void A_rhythm_older_than_a_day_is_unknown(double hours, double? energy)
    {
        var levels = RhythmLevels.Unknown with { BodyEnergy = 0.4, UpdatedAt = Now.AddHours(-hours) };
        var snapshot = RhythmRules.Snapshot(levels, null, TimeZoneInfo.Utc, Now);
        Assert.Equal(energy, snapshot.Energy);
        Assert.Equal(energy is null, snapshot.Stale);
    }

    [Fact]
    public void The_curve_stands_before_the_bodys_energy()
    {
        var curve = new DailyCurve([.. Enumerable.Range(0, 96).Select(i => i / 100.0)], 1, Now);
        var (energy, source) = RhythmRules.Energy(RhythmLevels.Unknown with { BodyEnergy = 0.9, UpdatedAt = Now }, curve, TimeZoneInfo.Utc, Now);
        Assert.Equal((0.36, "curve"), (energy, source));
    }

    [Theory]
    [InlineData(0.26, null, "positive")]
    [InlineData(0.25, "heavy", "neutral")]
    [InlineData(-0.25, null, "neutral")]
    [InlineData(-0.26, null, "negative")]
    [InlineData(null, "heavy", "negative")]
    [InlineData(null, null, "neutral")]
    public void Mood_is_the_latest_sentiment_else_the_tone_else_neutral(double? sentiment, string? tone, string mood) =>
        Assert.Equal(mood, EmotionRules.Mood(sentiment, tone));

    [Theory]
    [InlineData(0, 4, 0.5)]
    [InlineData(1, 5, 0.5)]
    [InlineData(2, 1, 0.5)]
    [InlineData(4, 1, 0.4)]
    public void A_streak_counts_days_and_strength_falls_after_the_first_missed_one(int daysLater, int streak, double strength)
    {
        var day = new DateOnly(2031, 3, 3);
        var habit = HabitRules.After(new Habit(4, 0.5, day), day.AddDays(daysLater), 5, 1);
        Assert.Equal((streak, strength), (habit.Streak, habit.Strength));
    }

    [Theory]
    [InlineData(9.9, 1.0, 0)]
    [InlineData(10, 1.0, 0.1)]
    [InlineData(24.9, 1.0, 0.1)]
    [InlineData(25, 1.0, 0.2)]
    [InlineData(25, null, 0.1)]
    [InlineData(25, 0.8, 0.16)]
    public void Strength_rises_with_active_minutes_times_the_score(double minutes, double? score, double strength) =>
        Assert.Equal(strength, HabitRules.After(Habit.None, new DateOnly(2031, 3, 3), minutes, score).Strength);

    [Fact]
    public void A_session_in_which_nobody_was_at_work_counts_for_no_day() =>
        Assert.Equal(Habit.None, HabitRules.After(Habit.None, new DateOnly(2031, 3, 3), 0, 1));

    [Theory]
    [InlineData(1, 1, "1 minute in flow.", "1 whole pomodoro.")]
    [InlineData(2, 3, "2 minutes in flow.", "3 whole pomodoros.")]
    public void One_is_said_as_one(int flowMinutes, int intervals, string flow, string pomodoros)
    {
        var line = FocusTimeline.Start(Now, FocusMode.Deep, new FocusPlan(), null).End(Now.AddMinutes(10), FocusEnd.Finished).Next with { Intervals = intervals };
        var summary = SessionSummary.Of(line, FlowWindow.From(Now) with { Before = TimeSpan.FromMinutes(flowMinutes) }, null, false, []);
        Assert.Equal([flow, pomodoros], summary.Wins);
    }

    [Fact]
    public void What_lasted_no_minute_is_no_friction_and_a_moment_has_no_length()
    {
        var line = FocusTimeline.Start(Now, FocusMode.Deep, new FocusPlan(), null).End(Now.AddMinutes(20), FocusEnd.Finished).Next;
        SessionFact[] facts =
        [
            new(Now.AddMinutes(2), FactKind.Pause), new(Now.AddMinutes(4), FactKind.Idle), new(Now.AddMinutes(5), FactKind.Pause, Minutes: 1),
            new(Now.AddMinutes(9), FactKind.Ping, Distractions: 2),
        ];
        Assert.Equal(
            [new FrictionPoint(5, "pause", 1), new FrictionPoint(9, "distraction", null)],
            SessionSummary.Of(line, FlowWindow.From(Now), null, false, facts).FrictionPoints);
    }

    [Fact]
    public void No_slot_is_proposed_that_lies_in_a_lull()
    {
        static NextSlot? Find(Func<int, double> energy, DateTimeOffset? lull = null) => NextSlotRules.Find(
            RhythmLevels.Unknown with { NextLull = lull, UpdatedAt = Now }, new DailyCurve([.. Enumerable.Range(0, 96).Select(energy)], 1, Now), TimeZoneInfo.Utc, Now, 90);
        // An hour of much energy from ten on, and half an hour of little after it: on the average that is good, too.
        Assert.Equal((Now.AddMinutes(30), 0.7667), Find(slot => slot is >= 40 and < 44 ? 0.9 : slot is 44 or 45 ? 0.3 : 0.5) is { } slot ? (slot.From, slot.Energy) : default);
        Assert.Equal(Now.AddMinutes(90), Find(_ => 0.9, Now.AddMinutes(60))?.From);
        Assert.Equal(Now, Find(_ => 0.9, Now.AddMinutes(90))?.From);
        Assert.Null(Find(_ => 0.3));
    }

    [Fact]
    public void A_level_that_is_not_named_stays_while_the_rhythm_holds()
    {
        var known = new RhythmLevels(0.4, 0.5, "heavy", 0.6, 0.7, null, Now.AddHours(1), Now.AddHours(-23));
        var change = new RhythmChange(default, default, Contracts.Patch<string>.Set(null), default, Contracts.Patch<double?>.Set(0.2), default, default, default);
        Assert.Equal(known with { EmotionTone = null, StressLevel = 0.2, UpdatedAt = Now }, RhythmRules.Changed(known, change, Now));
        var old = known with { UpdatedAt = Now.AddHours(-25) };
        Assert.Equal(RhythmLevels.Unknown with { StressLevel = 0.2, UpdatedAt = Now }, RhythmRules.Changed(old, change, Now));
        Assert.Equal(old, RhythmRules.Changed(old, new RhythmChange(default, default, default, default, default, default, default, Contracts.Patch<bool?>.Set(true)), Now));
    }

    [Fact]
    public void A_summary_weighs_score_and_flow_and_names_what_cost_focus()
    {
        var line = FocusTimeline.Start(Now, FocusMode.Deep, new FocusPlan(), 45).Pause(Now.AddMinutes(20)).Next
            .Resume(Now.AddMinutes(25)).Next.End(Now.AddMinutes(65), FocusEnd.Finished).Next;
        var flow = FlowWindow.From(Now) with { Before = TimeSpan.FromMinutes(30) };
        var facts = Enumerable.Range(0, 13).Select(k => new SessionFact(Now.AddMinutes(5 * k), FactKind.Tick, 0.8 - (k == 12 ? 0.2 : 0), "curve", 0.2))
            .Append(new SessionFact(Now.AddMinutes(20), FactKind.Pause, Minutes: 5)).ToList();
        var summary = SessionSummary.Of(line, flow, 0.8, startedStale: false, facts);
        Assert.Equal((65, 60, 1.0), (summary.DurationMinutes, summary.ActiveMinutes, summary.Confidence));
        Assert.Equal(0.68, summary.FlowQuality);
        Assert.Equal("falling", summary.EnergyTrend);
        Assert.Equal(["pause", "energy_dip", "overrun"], summary.FrictionPoints.Select(f => f.Kind));
        Assert.Equal(15, summary.FrictionPoints[^1].Minutes);
        Assert.InRange(summary.Wins.Count, 1, 3);
        Assert.InRange(summary.Suggestions.Count, 1, 3);
        Assert.Equal(0.5, SessionSummary.Of(line, flow, 0.8, startedStale: true, facts).Confidence);
        Assert.Equal(0.8, SessionSummary.Of(line, flow, 0.8, startedStale: false, []).FlowQuality);
    }
}
