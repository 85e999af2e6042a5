using System.Net;
using System.Text.Json.Nodes;
using Npgsql;
using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Focus;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Focus;

/// <summary>
/// Two hundred people over a day of a fake clock, by one seed: curves of energy, pings, pauses, breaks, snoozes, ends, and
/// the node restarted and its connections cut under load. Afterwards every guard must have held in every session, by what
/// the tables say.
/// </summary>
public sealed class SimulatedDay : FocusFixture
{
    private const int People = 200;
    private const int Seed = 20251123;
    private static readonly bool IsSoak = Environment.GetEnvironmentVariable("PERSONA_SOAK") is not null;
    private readonly Random _random = new(Seed);
    private readonly Person[] _people = [.. Enumerable.Range(0, People).Select(_ => new Person())];

    private sealed class Person
    {
        public Guid Id { get; } = Guid.NewGuid();

        public Guid? Session { get; set; }
    }

    [Fact]
    public async Task Every_guard_holds_and_every_end_counts_once()
    {
        foreach (var chunk in _people.Chunk(16))
        {
            await Task.WhenAll(chunk.Select(SetUp));
        }

        var rounds = IsSoak ? 280 : 30;
        for (var round = 0; round < rounds; round++)
        {
            var acts = _people.Where(_ => _random.NextDouble() < 0.3).Select(person => Draw(person)).ToList();
            if (round % 12 == 7)
            {
                // A crash, as far as one process can have it: every connection dies under the commands, then the node goes.
                Array.ForEach(["57P01", "StorageUnavailableException", "ActivationOutdatedException", "Exception while reading from stream"], Node.Expect);
                var running = acts.ConvertAll(act => act());
                await CutConnections();
                await Task.WhenAll(running);
                await RestartNode();
            }
            else
            {
                foreach (var chunk in acts.Chunk(16))
                {
                    await Task.WhenAll(chunk.Select(act => act()));
                }
            }

            await Pass(TimeSpan.FromSeconds(_random.Next(150, 500)));
        }

        foreach (var chunk in _people.Chunk(16))
        {
            await Task.WhenAll(chunk.Select(async person =>
            {
                if (person.Session is { } session)
                {
                    (await Do(session, "end", new { completionScore = 0.7 })).Should(HttpStatusCode.OK);
                }
            }));
        }

        await CheckNudges();
        await CheckTicks();
        await CheckEnds();
    }

    private async Task SetUp(Person person)
    {
        var (phase, height) = (Draw(0, 96), 0.25 + (0.25 * NextDouble()));
        var energy = Enumerable.Range(0, 96).Select(i => Math.Clamp(0.5 + (height * Math.Sin((i + phase) * Math.PI / 24)), 0, 1)).ToArray();
        (await Api.Put($"/v1/people/{person.Id}/rhythm/curve", new { energy, confidence = 0.8 })).Should(HttpStatusCode.OK);
        await Levels(person);
    }

    private async Task Levels(Person person) => await Api.Put($"/v1/people/{person.Id}/rhythm", new
    {
        bodyEnergy = NextDouble(),
        stressLevel = NextDouble() * 0.8,
        fatigueLevel = NextDouble() * 0.8,
        emotionTone = NextDouble() < 0.2 ? "heavy" : null,
    });

    /// <summary>What the person does in this round, drawn before anything runs so that the seed decides and not the scheduler.</summary>
    private Func<Task> Draw(Person person)
    {
        var dice = NextDouble();
        var mode = (string[])["deep", "deep", "pomodoro", "flowtime", "countdown"];
        var start = new { user = person.Id, mode = mode[Draw(0, 5)], estimatedMinutes = Draw(20, 120), takeover = NextDouble() < 0.3 };
        var ping = new JsonObject { ["focus"] = Math.Round(NextDouble(), 2), ["energy"] = Math.Round(NextDouble(), 2) };
        if (NextDouble() < 0.2)
        {
            ping["distractions"] = Draw(1, 4);
        }

        if (NextDouble() < 0.1)
        {
            ping["idle_seconds"] = Draw(100, 400);
        }

        var minutes = Draw(5, 20);
        return async () =>
        {
            if (person.Session is not { } session || dice > 0.97)
            {
                var started = await Api.Post("/v1/focus/sessions", start);
                if (started.Status == HttpStatusCode.Created)
                {
                    person.Session = started.Id;
                }

                return;
            }

            var answer = dice switch
            {
                < 0.5 => await Do(session, "ping", new { biomarkers = ping }),
                < 0.58 => await Do(session, "pause"),
                < 0.7 => await Do(session, "resume"),
                < 0.74 => await Do(session, "break", new { minutes }),
                < 0.77 => await Do(session, "skip-break"),
                < 0.79 => await Do(session, "snooze", new { minutes }),
                < 0.81 => await Do(session, "idle-return", new { answer = "discard" }),
                < 0.83 => await Do(session, "extend", new { minutes }),
                < 0.9 => await Api.Put($"/v1/people/{person.Id}/rhythm", new { stressLevel = 0.9 * dice * NextDouble(), fatigueLevel = 0.5, bodyEnergy = 0.6 }),
                _ => await Ends(session, dice),
            };
            Assert.NotEqual(HttpStatusCode.InternalServerError, answer.Status);
            if (answer.Status is HttpStatusCode.NotFound or HttpStatusCode.Conflict || (dice >= 0.9 && answer.Status == HttpStatusCode.OK))
            {
                person.Session = null;
            }
        };
    }

    /// <summary>Some end twice at once.</summary>
    private async Task<ApiAnswer> Ends(Guid session, double dice)
    {
        var body = new { completionScore = Math.Round(dice, 2), earlyEnd = dice > 0.95 };
        if (dice < 0.93)
        {
            return await Do(session, "end", body);
        }

        var both = await Task.WhenAll(Do(session, "end", body), Do(session, "end", body));
        return both[0];
    }

    private async Task CutConnections()
    {
        await using var connection = new NpgsqlConnection(Database.Superuser);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'personactors app%'", connection);
        await command.ExecuteNonQueryAsync();
    }

    private sealed record Said(Guid Session, DateTimeOffset At, string Type, int? Tick, string Words, string Reason, int Rule);

    private async Task CheckNudges()
    {
        var words = Enum.GetValues<NudgeType>().Select(SessionState.Word).ToHashSet();
        var nudges = await Query(
            """
            SELECT session_id, ts, event_type, tick, content->>'nudge', content->>'reason', (content->>'rule')::int FROM focus_events
            WHERE content->>'rule' IS NOT NULL ORDER BY session_id, ts
            """,
            r => new Said(r.GetGuid(0), r.GetFieldValue<DateTimeOffset>(1), r.GetString(2), r.IsDBNull(3) ? null : r.GetInt32(3), r.GetString(4), r.GetString(5), r.GetInt32(6)));
        Assert.Equal(6, nudges.Select(n => n.Type).Distinct().Count());
        var moves = (await Query(
            """
            SELECT session_id, ts, event_type FROM focus_events
            WHERE event_type IN ('session_start', 'session_end', 'paused', 'resumed', 'break_started', 'break_over') ORDER BY session_id, ts, id
            """,
            r => (Session: r.GetGuid(0), At: r.GetFieldValue<DateTimeOffset>(1), Type: r.GetString(2)))).ToLookup(m => m.Session);
        foreach (var session in nudges.GroupBy(n => n.Session))
        {
            var said = session.ToList();
            Assert.True(said.Count <= NudgeRules.Most);
            Assert.All(said.Skip(NudgeRules.Most - NudgeRules.Kept), n => Assert.InRange(n.Rule, 1, 2));
            Assert.All(said.Zip(said.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= NudgeRules.Apart));
            var recoveries = said.Where(n => n.Rule == 1).ToList();
            Assert.All(recoveries.Zip(recoveries.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= NudgeRules.RecoveryApart));
            foreach (var nudge in said)
            {
                Assert.Contains(nudge.Type, words);
                Assert.True(NudgeRules.IsMicroTone(nudge.Words), nudge.Words);
                Assert.NotEmpty(nudge.Reason);
                // The clock stands still between rounds: what happened at the very instant of the nudge may have come after it.
                var before = moves[nudge.Session].Where(m => m.At < nudge.At).Select(m => m.Type).TakeLast(1);
                var at = moves[nudge.Session].Where(m => m.At == nudge.At).Select(m => m.Type);
                Assert.True(before.Concat(at).Any(type => type is "session_start" or "resumed" or "break_over"), $"{nudge} after {before.FirstOrDefault()}");
            }
        }
    }

    private async Task CheckTicks()
    {
        Assert.Equal(0, await Count("SELECT count(*) FROM (SELECT 1 FROM focus_events WHERE tick IS NOT NULL GROUP BY session_id, tick HAVING count(*) > 1) twice"));
        Assert.Equal(0, await Count(
            "SELECT count(*) FROM focus_events e JOIN focus_sessions s ON s.id = e.session_id WHERE e.ts < s.start_time + e.tick * interval '5 minutes'"));
        Assert.Equal(0, await Count("SELECT count(*) FROM focus_events WHERE content->>'rule' IS NOT NULL AND (rhythm_state IS NULL OR task_state IS NULL OR emotion_state IS NULL)"));
    }

    private async Task CheckEnds()
    {
        await Eventually.True("every ended session is among the memories", async () =>
        {
            Clock.Advance(TimeSpan.FromSeconds(61));
            return await Count("SELECT count(*) FROM focus_sessions s WHERE s.status = 'ended' AND NOT EXISTS (SELECT FROM memory_short_term m WHERE m.session_id = s.id)") == 0;
        }, TimeSpan.FromSeconds(60));
        Assert.True(await Count("SELECT count(*) FROM focus_sessions WHERE status = 'ended'") > People / 2);
        Assert.Equal(0, await Count("SELECT count(*) FROM focus_sessions WHERE status = 'ended' AND summary IS NULL"));
        const string oneOf = """
            SELECT count(*) FROM focus_sessions s WHERE s.status = 'ended' AND (
              (SELECT count(*) FROM focus_events e WHERE e.session_id = s.id AND e.event_type = 'session_end') <> 1 OR
              (SELECT count(*) FROM events e WHERE e.stream = 'session:' || s.id AND e.type = 'ended') <> 1 OR
              (SELECT count(*) FROM memory_short_term m WHERE m.session_id = s.id) <> 1 OR
              (SELECT count(*) FROM events e WHERE e.stream = 'companion:' || s.person_id AND e.type = 'session_ended' AND e.data->>'sessionId' = s.id::text) <> 1)
            """;
        Assert.Equal(0, await Count(oneOf));
        Assert.Equal(0, await Count("SELECT count(*) FROM (SELECT 1 FROM focus_sessions WHERE status <> 'ended' GROUP BY person_id HAVING count(*) > 1) two"));

        // The habit is what its sessions make of it, each counted once, in the order in which they were counted.
        var habits = (await Query("SELECT person_id, habit_streak, habit_strength FROM personal_model", r => (Person: r.GetGuid(0), Streak: r.GetInt32(1), Strength: r.GetDouble(2))))
            .ToDictionary(h => h.Person);
        var ended = await Query(
            """
            SELECT s.person_id, s.end_time, s.completion_score, s.state FROM focus_sessions s
            JOIN events e ON e.stream = 'companion:' || s.person_id AND e.type = 'session_ended' AND e.data->>'sessionId' = s.id::text
            ORDER BY s.person_id, e.seq
            """,
            r => (Person: r.GetGuid(0), End: r.GetFieldValue<DateTimeOffset>(1), Score: r.IsDBNull(2) ? (double?)null : r.GetDouble(2), State: r.GetString(3)));
        foreach (var person in ended.GroupBy(e => e.Person))
        {
            var habit = Habit.None;
            foreach (var session in person)
            {
                var line = JsonNode.Parse(session.State)!["line"]!;
                habit = HabitRules.After(habit, DateOnly.FromDateTime(session.End.UtcDateTime), TimeSpan.Parse((string)line["activeBefore"]!).TotalMinutes, session.Score);
            }

            Assert.Equal((habit.Streak, habit.Strength), (habits[person.Key].Streak, habits[person.Key].Strength));
        }
    }

    private int Draw(int from, int to)
    {
        lock (_random)
        {
            return _random.Next(from, to);
        }
    }

    private double NextDouble()
    {
        lock (_random)
        {
            return _random.NextDouble();
        }
    }
}
