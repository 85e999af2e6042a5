using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Tests.Focus;

public sealed class FocusTimelineTests
{
    private static readonly DateTimeOffset Start = new(2031, 3, 3, 9, 0, 0, TimeSpan.Zero);

    private static DateTimeOffset T(double minutes) => Start.AddMinutes(minutes);

    private static FocusTimeline New(FocusMode mode = FocusMode.Deep, int? estimate = null) => FocusTimeline.Start(Start, mode, new FocusPlan(), estimate);

    [Fact]
    public void Pausing_twice_keeps_the_first_pause()
    {
        var once = New().Pause(T(10)).Next;
        var twice = once.Pause(T(20));
        Assert.True(twice.IsRepeat);
        Assert.Equal(once, twice.Next);
        Assert.Equal(TimeSpan.FromMinutes(10), twice.Next.Resume(T(30)).Next.Active(T(30)));
    }

    [Fact]
    public void Repeated_commands_change_nothing()
    {
        Assert.True(New().Resume(T(1)).IsRepeat);
        Assert.True(New().SkipBreak(T(1)).IsRepeat);
        Assert.True(New().ReturnFromIdle(T(1), IdleAnswer.Discard).IsRepeat);
        Assert.True(New().TakeBreak(T(1), 5, null).Next.TakeBreak(T(2), 9, null).IsRepeat);
        Assert.True(New().End(T(1), FocusEnd.Finished).Next.End(T(2), FocusEnd.Early).IsRepeat);
        Assert.True(New().End(T(1), FocusEnd.Finished).Next.Pause(T(2)).IsRepeat);
    }

    [Fact]
    public void Active_time_is_wall_time_less_pauses_and_breaks()
    {
        var line = New().Pause(T(10)).Next.Resume(T(15)).Next.TakeBreak(T(25), 5, null).Next;
        // The break is over at 30 by itself, whoever looks later.
        line = line.End(T(50), FocusEnd.Finished).Next;
        Assert.Equal(TimeSpan.FromMinutes(40), line.Active(T(99)));
        Assert.Equal(TimeSpan.FromMinutes(5), line.PausedBefore);
        Assert.Equal(TimeSpan.FromMinutes(5), line.BreaksBefore);
    }

    [Fact]
    public void A_pomodoro_alternates_by_itself_with_a_long_break_after_four()
    {
        var step = New(FocusMode.Pomodoro).Advance(T(131));
        var breaks = step.Changes.Where(c => c.Change == TimelineChange.BreakStarted).ToList();
        Assert.Equal([25, 55, 85, 115], breaks.Select(b => (b.At - Start).TotalMinutes));
        Assert.Equal([5, 5, 5, 15], breaks.Select(b => b.Minutes!.Value));
        Assert.Equal(T(130), step.Changes[^1].At);
        Assert.Equal((TimelineChange.BreakOver, FocusState.Active, T(155)), (step.Changes[^1].Change, step.Next.State, step.Next.PhaseEndsAt!.Value));
    }

    [Fact]
    public void A_countdown_waits_while_paused_and_ends_at_its_estimate()
    {
        var paused = New(FocusMode.Countdown, 30).Pause(T(10)).Next;
        Assert.Null(paused.PhaseEndsAt);
        var resumed = paused.Resume(T(20)).Next;
        Assert.Equal(T(40), resumed.PhaseEndsAt);
        var ended = resumed.Advance(T(60)).Next;
        Assert.Equal((FocusState.Ended, FocusEnd.Countdown, T(40)), (ended.State, ended.EndReason!.Value, ended.EndedAt!.Value));
        Assert.Equal(T(50), resumed.Extend(T(25), 10).Next.PhaseEndsAt);
    }

    [Fact]
    public void Flowtime_never_ends_by_itself_and_rests_in_proportion()
    {
        var line = New(FocusMode.Flowtime);
        Assert.Null(line.PhaseEndsAt);
        Assert.Equal(T(60), line.TakeBreak(T(50), null, null).Next.BreakUntil);
    }

    [Theory]
    [InlineData(4.99, null)]
    [InlineData(5, 1)]
    [InlineData(9.99, 1)]
    [InlineData(27, 5)]
    public void Ticks_are_due_every_five_minutes_never_early_and_missed_ones_coalesce(double minutes, int? tick) =>
        Assert.Equal(tick, New().DueTick(T(minutes)));

    [Fact]
    public void A_tick_is_due_once() => Assert.Null(New().Ticked(5).DueTick(T(29.9)));

    [Theory]
    [InlineData(179, false)]
    [InlineData(180, true)]
    public void A_ping_after_three_idle_minutes_says_idle(double seconds, bool idle) =>
        Assert.Equal(idle ? T(20).AddSeconds(-seconds) : null, New().Ping(T(20), seconds).Next.IdleSince);

    [Fact]
    public void Silence_is_idle_after_ten_minutes_but_only_from_who_has_pinged_twice()
    {
        var one = New().Ping(T(1), null).Next;
        Assert.Null(one.Advance(T(30)).Next.IdleSince);
        var two = one.Ping(T(2), null).Next;
        Assert.Null(two.Advance(T(11.9)).Next.IdleSince);
        Assert.Equal(T(2), two.Advance(T(12)).Next.IdleSince);
    }

    [Theory]
    [InlineData(IdleAnswer.Keep, 25, 0)]
    [InlineData(IdleAnswer.Discard, 15, 0)]
    [InlineData(IdleAnswer.Break, 15, 10)]
    public void What_becomes_of_idle_time_is_the_persons_choice(IdleAnswer answer, int active, int breaks)
    {
        var back = New().Ping(T(20), 600).Next.Ping(T(20), 0).Next;
        var line = back.ReturnFromIdle(T(25), answer).Next;
        Assert.Equal(TimeSpan.FromMinutes(active), line.Active(T(25)));
        Assert.Equal(TimeSpan.FromMinutes(breaks), line.BreaksBefore);
        Assert.Equal(TimeSpan.FromMinutes(active), line.ActiveBefore);
        Assert.True(line.ReturnFromIdle(T(26), IdleAnswer.Discard).IsRepeat);
    }

    [Theory]
    [InlineData(null, 60, 10)]
    [InlineData(20, 25, 15)]
    [InlineData(20, 20, 10)]
    public void Idle_time_that_nobody_answers_for_is_no_active_time(int? backAt, int endsAt, int active)
    {
        var line = New().Ping(T(15), 300).Next;
        line = backAt is { } back ? line.Ping(T(back), 0).Next : line;
        var ended = line.End(T(endsAt), FocusEnd.Finished);
        Assert.Equal(TimeSpan.FromMinutes(active), ended.Next.Active(T(99)));
        Assert.Equal(new Transition(TimelineChange.IdleEnded, T(endsAt), endsAt - active, IdleAnswer.Discard), ended.Changes[^2]);
    }

    [Fact]
    public void A_second_idleness_is_seen_though_nobody_answered_for_the_first_and_one_answer_is_for_both()
    {
        var line = New().Ping(T(15), 300).Next.Ping(T(20), 0).Next;
        // As long as it says it reaches back over the first, which is counted already.
        var again = line.Ping(T(25), 900);
        Assert.Equal(new Transition(TimelineChange.IdleStarted, T(20)), Assert.Single(again.Changes));
        Assert.Equal(TimeSpan.FromMinutes(10), again.Next.End(T(25), FocusEnd.Finished).Next.ActiveBefore);
        var back = again.Next.Ping(T(27), 0).Next.ReturnFromIdle(T(29), IdleAnswer.Break);
        Assert.Equal(new Transition(TimelineChange.IdleEnded, T(29), 17, IdleAnswer.Break), Assert.Single(back.Changes));
        Assert.Equal((12.0, 17.0), (back.Next.Active(T(29)).TotalMinutes, back.Next.BreaksBefore.TotalMinutes));
        Assert.Equal(T(20), line.Advance(T(40)).Next.IdleSince);
    }

    [Theory]
    [InlineData(IdleAnswer.Discard, 0)]
    [InlineData(IdleAnswer.Break, 12)]
    public void Idleness_before_a_break_shortens_nothing_after_it(IdleAnswer answer, int breaks)
    {
        // Away from 10 to 22, back for the rest of the first pomodoro; the second began at 30.
        var line = New(FocusMode.Pomodoro).Ping(T(22), 720).Next.Ping(T(22), 0).Next.Advance(T(31)).Next.ReturnFromIdle(T(31), answer).Next;
        Assert.Equal(T(55), line.PhaseEndsAt);
        Assert.Equal((14.0, 1.0, breaks + 5.0), (line.Active(T(31)).TotalMinutes, line.ActiveSinceBreak(T(31)).TotalMinutes, line.BreaksBefore.TotalMinutes));
    }

    [Fact]
    public void Who_is_away_over_the_pomodoros_breaks_worked_in_none_of_them()
    {
        var line = New(FocusMode.Pomodoro).Ping(T(1), null).Next.Ping(T(2), null).Next;
        var step = line.Advance(T(100));
        Assert.Equal([25, 55, 85], step.Changes.Where(change => change.Change == TimelineChange.BreakStarted).Select(change => (change.At - Start).TotalMinutes));
        Assert.Equal([2, 30, 60, 90], step.Changes.Where(change => change.Change == TimelineChange.IdleStarted).Select(change => (change.At - Start).TotalMinutes));
        Assert.Equal(TimeSpan.FromMinutes(2), step.Next.End(T(100), FocusEnd.Finished).Next.ActiveBefore);
    }

    [Theory]
    [InlineData(null, 0.4, false)]
    [InlineData(1, 0, true)]
    [InlineData(1, 0.4, true)]
    [InlineData(1, 30, true)]
    [InlineData(1, 30.001, false)]
    public void A_tick_counts_as_its_due_time_unless_it_is_far_too_late(int? tick, double secondsLate, bool isDue)
    {
        var now = T(5).AddSeconds(secondsLate);
        Assert.Equal(isDue ? T(5) : now, New().Counted(tick, now));
    }

    [Theory]
    [InlineData(null, 0, 239.9, false)]
    [InlineData(null, 0, 240, true)]
    [InlineData(150, 0, 299.9, false)]
    [InlineData(150, 0, 300, true)]
    [InlineData(null, 200, 259.9, false)]
    [InlineData(null, 200, 260, true)]
    public void A_session_is_abandoned_after_an_hour_of_silence_past_its_time(int? estimate, double lastPing, double minutes, bool abandoned)
    {
        var line = lastPing > 0 ? New(estimate: estimate).Ping(T(lastPing), null).Next : New(estimate: estimate);
        Assert.Equal(abandoned ? FocusEnd.Abandoned : null, line.Advance(T(minutes)).Next.EndReason);
    }

    [Fact]
    public void Whatever_is_done_the_times_add_up_and_nothing_runs_backwards()
    {
        var commands = Gen.Zip(Gen.Choose(0, 8), Gen.Choose(0, 40)).ArrayOf();
        Prop.ForAll(Gen.Zip(Gen.Choose(0, 3), commands).ToArbitrary(), pair =>
        {
            var (mode, steps) = pair;
            var now = Start;
            var line = New((FocusMode)mode, 60);
            foreach (var (command, minutes) in steps)
            {
                now = now.AddMinutes(minutes);
                var step = command switch
                {
                    0 => line.Pause(now),
                    1 => line.Resume(now),
                    2 => line.TakeBreak(now, null, null),
                    3 => line.SkipBreak(now),
                    4 => line.Extend(now, 5),
                    5 => line.Ping(now, minutes * 30),
                    6 => line.ReturnFromIdle(now, (IdleAnswer)(minutes % 3)),
                    7 => minutes > 35 ? line.End(now, FocusEnd.Finished) : line.Advance(now),
                    _ => line.Advance(now),
                };
                line = step.Next;
                if (line.DueTick(now) is { } tick)
                {
                    Assert.True(Start + (FocusTimeline.TickEvery * tick) <= now);
                    line = line.Ticked(tick);
                }

                var end = line.EndedAt ?? now;
                var paused = line.PausedBefore + (line.State == FocusState.Paused ? now - line.Since : TimeSpan.Zero);
                var rested = line.BreaksBefore + (line.State == FocusState.OnBreak ? now - line.Since : TimeSpan.Zero);
                Assert.Equal(end - Start, line.Active(now) + paused + rested + line.Discarded);
                Assert.True(line.Active(now) >= TimeSpan.Zero && line.ActiveBefore >= TimeSpan.Zero, $"{line}");
                Assert.True(line.PhaseEndsAt is null || line.PhaseEndsAt > now, $"{line}");
                Assert.True(line.NextTickAt is null || line.NextTickAt > now);
            }
        }).QuickCheckThrowOnFailure();
    }
}
