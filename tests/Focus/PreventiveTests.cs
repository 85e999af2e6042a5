using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Tests.Focus;

/// <summary>Nudges for people who are in no session.</summary>
public sealed class PreventiveTests : FocusTest, IClassFixture<FocusRoom>
{
    private readonly Guid _person = Guid.NewGuid();

    /// <summary>At two minutes past nine: by night nobody is spoken to.</summary>
    public PreventiveTests(FocusRoom room)
        : base(room) => Clock.SetUtcNow(new DateTimeOffset(Clock.GetUtcNow().Date, TimeSpan.Zero).AddDays(1).AddHours(9).AddMinutes(2));

    private string People => $"/v1/people/{_person}";

    [Fact]
    public async Task Who_asked_for_them_gets_them_with_their_reason_and_answers()
    {
        (await Api.Put($"{People}/rhythm", new { stressLevel = 0.8, fatigueLevel = 0.8 })).Should(HttpStatusCode.OK);
        await Hours(2);
        Assert.Empty(await Nudges());

        var rhythm = (await Api.Put($"{People}/rhythm", new { stressLevel = 0.8, fatigueLevel = 0.8, preventiveNudges = true })).Should(HttpStatusCode.OK).Json;
        Assert.True((bool)rhythm["preventiveNudges"]!);
        await Said(1);
        var said = (await Api.Get(People)).Json["lastNudge"]!;
        Assert.Equal(("recovery_break_suggestion", "fatigue above 0.7", 1), ((string)said["type"]!, (string)said["reason"]!, (int)said["rule"]!));
        Assert.Equal(10, (int)said["recovery"]!["minutes"]!);
        Assert.Equal((string)said["eventId"]!, Assert.Single(await Query($"SELECT id::text FROM events WHERE stream = 'companion:{_person}' AND type = 'nudge'", r => r.GetString(0))));
        // The wish is kept when levels come without it, and the same levels are spoken of once.
        await Hours(3);
        Assert.Single(await Nudges());
        Assert.True((bool)(await Api.Put($"{People}/rhythm", new { stressLevel = 0.5, fatigueLevel = 0.1 })).Json["preventiveNudges"]!);
        await Said(2);
        Assert.Equal(["recovery_break_suggestion", "calming_moment"], await Nudges());

        var answered = (await Api.Post($"{People}/nudges/{said["eventId"]}", new { answer = "helpful" })).Should(HttpStatusCode.OK).Json;
        Assert.Equal((long)(await Api.Get(People)).Json["version"]!, (long)answered["version"]!);
        Assert.Equal(1, (int)(await Api.Get($"{People}/focus/stats?days=1")).Json["nudgesAnswered"]!);
        (await Api.Post($"{People}/nudges/{Guid.NewGuid()}", new { answer = "helpful" })).Should(HttpStatusCode.NotFound);
        (await Api.Post($"{People}/nudges/{said["eventId"]}", new { })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");

        await Api.Put($"{People}/rhythm", new { stressLevel = 0.9, preventiveNudges = false });
        await Hours(2);
        Assert.Equal(2, (await Nudges()).Count);
    }

    [Fact]
    public async Task In_a_session_it_is_the_session_that_speaks()
    {
        await Api.Put($"{People}/rhythm", new { stressLevel = 0.6, preventiveNudges = true });
        var session = await StartSession(_person);
        await Hours(1);
        Assert.Empty(await Nudges());
        await Do(session, "end");
        await Said(1);
    }

    [Fact]
    public async Task A_restart_neither_loses_nor_repeats_one()
    {
        await Api.Put($"{People}/rhythm", new { stressLevel = 0.6, preventiveNudges = true });
        await RestartNode();
        await Said(1);
        await RestartNode();
        Assert.Equal("calming_moment", (string)(await Api.Get(People)).Json["lastNudge"]!["type"]!);
        await Api.Put($"{People}/rhythm", new { stressLevel = 0.6 });
        Clock.Advance(TimeSpan.FromMinutes(20));
        await RestartNode();
        Clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Single(await Nudges());
        await Said(2);
    }

    /// <summary>Days of writes, sessions and restarts: the budget holds, an hour apart, by day only.</summary>
    [Fact]
    public async Task The_budget_holds_over_days()
    {
        var random = new Random(20251123);
        var rounds = Soak.Of(60, 120);
        (await Api.Put($"{People}/rhythm", new { preventiveNudges = true })).Should(HttpStatusCode.OK);
        (await Api.Patch($"/v1/users/{_person}", new { timeZone = "America/New_York" })).Should(HttpStatusCode.OK);
        for (var round = 0; round < rounds; round++)
        {
            await Api.Put($"{People}/rhythm", new { stressLevel = random.NextDouble(), fatigueLevel = random.NextDouble(), bodyEnergy = random.NextDouble() });
            await Tick(TimeSpan.FromMinutes(random.Next(10, 60)));
            if (round % 40 == 20)
            {
                await RestartNode();
            }
        }

        var zone = RhythmRules.Zone("America/New_York");
        var at = (await Query($"SELECT at FROM companion_nudges WHERE person_id = '{_person}' ORDER BY at", r => r.GetFieldValue<DateTimeOffset>(0))).ConvertAll(t => TimeZoneInfo.ConvertTime(t, zone));
        Assert.True(at.Count > 5, $"{at.Count} in all");
        Assert.All(at, t => Assert.InRange(t.Hour, 8, 20));
        Assert.All(at.Zip(at.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromMinutes(60)));
        Assert.All(at.GroupBy(t => t.Date), day => Assert.InRange(day.Count(), 1, 4));
        Assert.Equal(at.Count, await Count($"SELECT count(*) FROM events WHERE stream = 'companion:{_person}' AND type = 'nudge'"));
    }

    private Task<List<string>> Nudges() => Query($"SELECT type FROM companion_nudges WHERE person_id = '{_person}' ORDER BY at", r => r.GetString(0));

    private Task Said(int count) => Eventually.True($"{count} nudges are said", async () =>
    {
        await Tick(TimeSpan.FromMinutes(1));
        return (await Nudges()).Count == count;
    });

    private async Task Hours(double hours)
    {
        for (var quarter = 0; quarter < hours * 4; quarter++)
        {
            await Tick(TimeSpan.FromMinutes(15));
        }
    }

    private Task Tick(TimeSpan time)
    {
        Clock.Advance(time);
        return Node.Services.GetRequiredService<FocusSweep>().WakePeople(CancellationToken.None);
    }
}
