using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Tests.Focus;

public sealed class PreventiveRulesTests
{
    private static readonly TimeZoneInfo Berlin = RhythmRules.Zone("Europe/Berlin");

    /// <summary>Ten in the morning in Berlin.</summary>
    private static readonly DateTimeOffset Now = new(2031, 3, 3, 9, 0, 0, TimeSpan.Zero);

    private static PreventiveMoment Moment(double? fatigue = null, double? stress = null, double? energy = null, string? tone = null, string mood = "neutral", params SaidNudge[] said) =>
        new(RhythmLevels.Unknown with { FatigueLevel = fatigue, StressLevel = stress, BodyEnergy = energy, EmotionTone = tone, UpdatedAt = Now.AddMinutes(-5) }, null, Berlin, mood, said);

    private static PreventiveMoment Curve(Func<int, double> energy, params SaidNudge[] said) => Moment(said: said) with
    {
        Curve = new DailyCurve(Enumerable.Range(0, DailyCurve.Slots).Select(energy).ToArray(), 0.9, Now.AddHours(-3)),
    };

    [Theory]
    [InlineData(0.71, 0.2, 0.5, null, "neutral", 1, "fatigue above 0.7")]
    [InlineData(0.2, 0.71, 0.5, null, "neutral", 1, "stress above 0.7")]
    [InlineData(0.7, 0.7, 0.5, null, "neutral", 2, "stress above 0.45")]
    [InlineData(0.7, 0.45, 0.5, "heavy", "neutral", 2, "heavy tone with some stress")]
    [InlineData(0.7, 0.35, 0.5, null, "negative", 2, "negative mood with some stress")]
    [InlineData(0.7, 0.34, 0.34, "heavy", "negative", 3, "energy below 0.35")]
    [InlineData(0.7, 0.45, 0.35, null, "neutral", 0, null)]
    [InlineData(null, null, null, "heavy", "negative", 0, null)]
    public void The_first_row_that_matches_speaks(double? fatigue, double? stress, double? energy, string? tone, string mood, int rule, string? reason)
    {
        var nudge = PreventiveRules.Decide(Moment(fatigue, stress, energy, tone, mood), Now);
        Assert.Equal((rule, reason), (nudge?.Rule ?? 0, nudge?.Reason));
        Assert.True(nudge is null || NudgeRules.IsMicroTone(nudge.Words));
        Assert.Equal(rule == 1, nudge?.Recovery is not null);
    }

    [Theory]
    [InlineData(6, 59, false)]
    [InlineData(7, 0, true)]
    [InlineData(19, 59, true)]
    [InlineData(20, 0, false)]
    [InlineData(2, 0, false)]
    public void Nobody_is_spoken_to_at_night(int utcHour, int minute, bool speaks)
    {
        var at = new DateTimeOffset(2031, 3, 3, utcHour, minute, 0, TimeSpan.Zero);
        var moment = Moment(stress: 0.8);
        moment = moment with { Rhythm = moment.Rhythm with { UpdatedAt = at.AddHours(-1) } };
        Assert.Equal(speaks, PreventiveRules.Decide(moment, at) is not null);
    }

    [Theory]
    [InlineData(59, false)]
    [InlineData(60, true)]
    public void Two_are_an_hour_apart(int minutesAgo, bool speaks)
    {
        var moment = Moment(stress: 0.8, said: new SaidNudge(Now.AddMinutes(-minutesAgo), 2));
        Assert.Equal(speaks, PreventiveRules.Decide(moment, Now) is not null);
    }

    [Fact]
    public void Four_a_local_day_are_enough()
    {
        // Yesterday's of Berlin are of the same day in UTC as today's first hour would be.
        var yesterday = new SaidNudge(new DateTimeOffset(2031, 3, 2, 19, 0, 0, TimeSpan.Zero), 2);
        SaidNudge[] three = [.. Enumerable.Range(1, 3).Select(hours => new SaidNudge(Now.AddHours(8 - (2 * hours)), 2)), yesterday];
        var evening = Now.AddHours(8);
        var moment = Moment(stress: 0.8, said: three) with { Rhythm = RhythmLevels.Unknown with { StressLevel = 0.8, UpdatedAt = evening.AddMinutes(-1) } };
        Assert.NotNull(PreventiveRules.Decide(moment, evening));
        Assert.Null(PreventiveRules.Decide(moment with { Said = [.. three, new SaidNudge(Now, 2)] }, evening));
    }

    [Fact]
    public void What_the_levels_say_is_said_once_for_each_time_they_are_set()
    {
        var moment = Moment(stress: 0.8);
        var said = moment with { Said = [new SaidNudge(Now, 1)] };
        Assert.NotNull(PreventiveRules.Decide(moment, Now));
        Assert.Null(PreventiveRules.Decide(said, Now.AddHours(2)));
        Assert.NotNull(PreventiveRules.Decide(said with { Rhythm = said.Rhythm with { UpdatedAt = Now.AddMinutes(90) } }, Now.AddHours(2)));
        Assert.Null(PreventiveRules.Decide(moment with { Rhythm = moment.Rhythm with { UpdatedAt = Now.AddHours(-25) } }, Now));
    }

    [Fact]
    public void A_curve_that_falls_or_is_low_is_told_of_every_three_hours_at_most()
    {
        // Berlin is at slot 40; the curve falls by 0.2 there.
        var falls = Curve(slot => slot < 40 ? 0.8 : 0.6);
        Assert.Equal("energy fell within half an hour", PreventiveRules.Decide(falls, Now)?.Reason);
        Assert.Null(PreventiveRules.Decide(falls, Now.AddMinutes(30)));
        var low = Curve(_ => 0.3);
        Assert.Equal("energy below 0.35", PreventiveRules.Decide(low, Now)?.Reason);
        Assert.Null(PreventiveRules.Decide(low with { Said = [new SaidNudge(Now, 3)] }, Now.AddMinutes(179)));
        Assert.NotNull(PreventiveRules.Decide(low with { Said = [new SaidNudge(Now, 3)] }, Now.AddMinutes(180)));
    }

    [Theory]
    [InlineData(0.2, true)]
    [InlineData(30, true)]
    [InlineData(31, false)]
    public void What_was_said_a_little_late_puts_off_nothing(double secondsLate, bool isPunctual)
    {
        var said = new SaidNudge(Now.AddSeconds(secondsLate), 3);
        Assert.Equal(isPunctual ? Now : said.At, said.Counted);
        Assert.Equal(Now.AddMinutes(isPunctual ? 180 : 195), PreventiveRules.Next(Curve(_ => 0.3, said), said.At));
    }

    [Fact]
    public void Next_is_the_first_quarter_at_which_it_would_speak()
    {
        Assert.Equal(Now.AddMinutes(15), PreventiveRules.Next(Moment(stress: 0.8), Now));
        Assert.Equal(Now.AddMinutes(15), PreventiveRules.Next(Moment(stress: 0.8), Now.AddMinutes(14)));
        Assert.Null(PreventiveRules.Next(Moment(stress: 0.2), Now));
        // 14:00 in Berlin is slot 56.
        Assert.Equal(Now.AddHours(4), PreventiveRules.Next(Curve(slot => slot is >= 56 and < 60 ? 0.3 : 0.8), Now));
        // What is far is looked at again on the way.
        Assert.Equal(Now.AddHours(6), PreventiveRules.Next(Curve(slot => slot == 76 ? 0.3 : 0.8), Now));
        // Nothing is known of the time after the curve is a day old.
        Assert.Null(PreventiveRules.Next(Curve(slot => slot == 34 ? 0.3 : 0.8), Now));
    }
}
