using System.Text.Json.Nodes;
using Npgsql;
using PersonaActors.Contracts.Focus;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Tests.Focus;

/// <summary>
/// People over a whole day of a fake clock, by one seed: curves of energy, nights, pings, pauses, breaks,
/// snoozes, answers, ends. The node is killed with -9 under their commands, stopped in peace, and has its connections cut.
/// Afterwards every guard must have held in every session, by what the tables say.
/// </summary>
[Long]
public sealed class SimulatedDay : IAsyncLifetime
{
    private const int Seed = 20251123;
    private const int AtOnce = 12;
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    private static readonly int People = Soak.Of(8, 200);

    /// <summary>What a node may say while its connections are cut or it is about to die.</summary>
    private static readonly string[] Expected = ["57P01", "StorageUnavailableException", "ActivationOutdatedException", "Exception while reading from stream"];

    private readonly Random _random = new(Seed);
    private readonly Person[] _people = [.. Enumerable.Range(0, People).Select(_ => new Person())];
    private readonly List<string> _errors = [];
    private readonly PrivateCluster _cluster = PrivateCluster.Create();
    private TestDatabase _database = null!;
    private ClockedNode _node = null!;
    private ApiClient _api = null!;

    private sealed class Person
    {
        public Guid Id { get; } = Guid.NewGuid();

        public Guid? Session { get; set; }

        public string TimeZone { get; set; } = "";

        /// <summary>The hour of the simulated day at which eight hours of sleep begin.</summary>
        public double Bedtime { get; set; }

        /// <summary>Leaves sessions open at night.</summary>
        public bool Forgets { get; set; }

        /// <summary>In a soak nobody sleeps, or rests for long.</summary>
        public bool IsAsleep(TimeSpan sinceStart) => !Soak.IsOn && (sinceStart.TotalHours - Bedtime + 24) % 24 < 8;
    }

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateOn(_cluster.Superuser);
        // In the morning, so that everybody's date changes within the day.
        await StartNode(new DateTimeOffset(2031, 1, 1, 6, 0, 0, TimeSpan.Zero).AddDays(Random.Shared.Next(0, 3650)));
    }

    public async Task DisposeAsync()
    {
        _api.Dispose();
        await _node.DisposeAsync();
        await _database.DisposeAsync();
        _cluster.Dispose();
    }

    [Fact]
    public async Task Every_guard_holds_and_every_end_counts_once()
    {
        await Together(_people.Select(SetUp).ToList());
        var start = _node.Now;
        for (var round = 0; _node.Now - start < Day; round++)
        {
            var acts = _people.Where(_ => NextDouble() < 0.4).Select(person => Draw(person, person.IsAsleep(_node.Now - start))).ToList();
            switch (round % Soak.Of(264, 66))
            {
                case 10:
                    await Disturbed(acts, CutConnections);
                    break;
                case 30:
                    await Disturbed(acts, _node.Kill);
                    await Restart();
                    break;
                case 50:
                    await Together(acts);
                    await _node.Stop();
                    await Restart();
                    break;
                default:
                    await Together(acts);
                    break;
            }

            await _node.Pass(TimeSpan.FromSeconds(_random.Next(Soak.Of(300, 150), 500)));
        }

        await Together(_people.Where(person => person.Session is not null).Select(person => (Func<Task>)(() => LastEnd(person.Session!.Value))));
        await CheckNudges();
        await CheckSilence();
        await CheckTicks();
        await CheckEnds();
        Assert.DoesNotContain(_errors.Concat(_node.Errors), error => !Expected.Any(error.Contains));
        // Nothing is tried that the database has to refuse.
        Assert.Empty(_cluster.Errors());
    }

    /// <summary>It may have ended by itself meanwhile: an end of what has ended answers the same.</summary>
    private async Task LastEnd(Guid session) => (await Do(session, "end", new { completionScore = 0.7 })).Should(HttpStatusCode.OK);

    private static Task Together(IEnumerable<Func<Task>> acts) =>
        Parallel.ForEachAsync(acts, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (act, _) => await act());

    /// <summary>Something befalls the node under the commands; of those under way nobody knows whether they happened.</summary>
    private async Task Disturbed(List<Func<Task>> acts, Func<Task> disturbance)
    {
        var running = Together(acts.Select(act => (Func<Task>)(async () =>
        {
            try
            {
                await act();
            }
            catch (HttpRequestException)
            {
            }
        })));
        await disturbance();
        await running;
    }

    private async Task StartNode(DateTimeOffset now)
    {
        _node = await ClockedNode.Start(_database, now);
        _api = _node.Client();
    }

    private async Task Restart()
    {
        _api.Dispose();
        _errors.AddRange(_node.Errors);
        await _node.DisposeAsync();
        await StartNode(_node.Now);
    }

    private Task<ApiAnswer> Do(Guid session, string what, object? body = null) => _api.Post($"/v1/focus/sessions/{session}/{what}", body);

    private Task<List<T>> Query<T>(string sql, Func<NpgsqlDataReader, T> map) => Sql.Rows(_database.Superuser, sql, map);

    private Task<long> Count(string sql) => Sql.Ask<long>(_database.Superuser, sql);

    /// <summary>Who the person is, drawn before anything runs so that the seed decides and not the scheduler.</summary>
    private Func<Task> SetUp(Person person)
    {
        person.Bedtime = 24 * NextDouble();
        person.Forgets = NextDouble() < 0.1;
        person.TimeZone = ((string[])["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])[Draw(0, 5)];
        var (phase, height) = (Draw(0, 96), 0.25 + (0.25 * NextDouble()));
        var energy = Enumerable.Range(0, 96).Select(i => Math.Clamp(0.5 + (height * Math.Sin((i + phase) * Math.PI / 24)), 0, 1)).ToArray();
        var levels = new { bodyEnergy = NextDouble(), stressLevel = NextDouble() * 0.8, fatigueLevel = NextDouble() * 0.8, emotionTone = NextDouble() < 0.2 ? "heavy" : null };
        return async () =>
        {
            (await _api.Put($"/v1/people/{person.Id}/rhythm/curve", new { energy, confidence = 0.8 })).Should(HttpStatusCode.OK);
            (await _api.Put($"/v1/people/{person.Id}/rhythm", levels)).Should(HttpStatusCode.OK);
            (await _api.Patch($"/v1/users/{person.Id}", new { timeZone = person.TimeZone })).Should(HttpStatusCode.OK);
        };
    }

    /// <summary>What the person does in this round, likewise drawn first.</summary>
    private Func<Task> Draw(Person person, bool asleep)
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
            if (asleep ? person.Session is null || person.Forgets : person.Session is null && dice > (Soak.IsOn ? 0.5 : 0.15))
            {
                return;
            }

            if (person.Session is not { } session || (dice > 0.97 && !asleep))
            {
                var started = await _api.Post("/v1/focus/sessions", start);
                if (started.Status == HttpStatusCode.Created)
                {
                    person.Session = started.Id;
                }

                return;
            }

            var answer = dice switch
            {
                _ when asleep => await Ends(session, dice),
                < 0.5 => await Do(session, "ping", new { biomarkers = ping }),
                < 0.58 => await Do(session, "pause"),
                < 0.7 => await Do(session, "resume"),
                < 0.74 => await Do(session, "break", new { minutes }),
                < 0.77 => await Do(session, "skip-break"),
                < 0.79 => await Do(session, "snooze", new { minutes }),
                < 0.81 => await Do(session, "idle-return", new { answer = "discard" }),
                < 0.83 => await Do(session, "extend", new { minutes }),
                < 0.86 => await _api.Put($"/v1/people/{person.Id}/rhythm", new { stressLevel = 0.9 * dice * NextDouble(), fatigueLevel = 0.5, bodyEnergy = 0.6 }),
                _ => await Ends(session, dice),
            };
            Assert.NotEqual(HttpStatusCode.InternalServerError, answer.Status);
            if (answer.Status is HttpStatusCode.NotFound or HttpStatusCode.Conflict || ((asleep || dice >= 0.86) && answer.Status == HttpStatusCode.OK))
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

    private Task CutConnections() => Sql.Run(
        _database.Superuser,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'personactors app%'");

    /// <param name="At">Of a punctual tick its due time, to which intervals are reckoned.</param>
    private sealed record Said(Guid Session, DateTimeOffset At, string Type, int? Tick, string Words, string Reason, int Rule);

    private async Task CheckNudges()
    {
        var words = Enum.GetValues<NudgeType>().Select(SessionState.Word).ToHashSet();
        var nudges = await Query(
            """
            SELECT e.session_id, CASE WHEN e.ts - due.at <= interval '30 seconds' THEN due.at ELSE e.ts END, e.event_type, e.tick, e.content->>'nudge', e.content->>'reason', (e.content->>'rule')::int
            FROM focus_events e JOIN focus_sessions s ON s.id = e.session_id CROSS JOIN LATERAL (SELECT s.start_time + e.tick * interval '5 minutes' AS at) due
            WHERE e.content->>'rule' IS NOT NULL ORDER BY e.session_id, e.ts
            """,
            r => new Said(r.GetGuid(0), r.GetFieldValue<DateTimeOffset>(1), r.GetString(2), r.IsDBNull(3) ? null : r.GetInt32(3), r.GetString(4), r.GetString(5), r.GetInt32(6)));
        Assert.Equal(6, nudges.Select(n => n.Type).Distinct().Count());
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
            }
        }
    }

    /// <summary>In the order of the log: a clock that stands still while much happens says nothing of it.</summary>
    private async Task CheckSilence()
    {
        var log = await Query(
            """
            SELECT stream, type, data->>'eventId' FROM events
            WHERE stream LIKE 'session:%' AND type IN ('started', 'ended', 'paused', 'resumed', 'break_started', 'break_over', 'nudge') ORDER BY stream, seq
            """,
            r => (Stream: r.GetString(0), Type: r.GetString(1), Nudge: r.IsDBNull(2) ? null : r.GetString(2)));
        Assert.Equal(await Count("SELECT count(*) FROM focus_events WHERE content->>'rule' IS NOT NULL"), log.Count(e => e.Type == "nudge"));
        foreach (var session in log.GroupBy(e => e.Stream))
        {
            var state = "";
            foreach (var (stream, type, nudge) in session)
            {
                if (type == "nudge")
                {
                    Assert.True(state is "started" or "resumed" or "break_over", $"{stream} was nudged ({nudge}) after {state}");
                }
                else
                {
                    state = type;
                }
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
        // Slowly: were a minute over at each look, what is being done would be claimed anew before it is done.
        var looks = 0;
        try
        {
            await Eventually.True("every ended session is among the memories", async () =>
            {
                if (looks++ % 40 == 0)
                {
                    await _node.Pass(TimeSpan.FromSeconds(61));
                }

                return await Count("SELECT count(*) FROM focus_sessions s WHERE s.status = 'ended' AND NOT EXISTS (SELECT FROM memory_short_term m WHERE m.session_id = s.id)") == 0;
            }, TimeSpan.FromMinutes(3));
        }
        catch (TimeoutException late)
        {
            var left = await Query(
                "SELECT concat_ws(' ', kind, status, attempts, run_after, leased_until, last_error, payload) FROM outbox_tasks ORDER BY run_after LIMIT 20", r => r.GetString(0));
            throw new TimeoutException($"{late.Message}; it is {_node.Now}, and the outbox has\n{string.Join('\n', left)}\n{string.Join('\n', _node.Errors.TakeLast(5))}", late);
        }

        Assert.True(await Count("SELECT count(*) FROM focus_sessions WHERE status = 'ended'") > People / 2);
        Assert.Equal(0, await Count("SELECT count(*) FROM focus_sessions WHERE status = 'ended' AND summary IS NULL"));
        const string notOnce = """
            WITH closed AS (SELECT session_id AS id, count(*) AS n FROM focus_events WHERE event_type = 'session_end' GROUP BY 1),
            told AS (SELECT split_part(stream, ':', 2)::uuid AS id, count(*) AS n FROM events WHERE stream LIKE 'session:%' AND type = 'ended' GROUP BY 1),
            kept AS (SELECT session_id AS id, count(*) AS n FROM memory_short_term WHERE session_id IS NOT NULL GROUP BY 1),
            counted AS (SELECT (data->>'sessionId')::uuid AS id, count(*) AS n FROM events WHERE stream LIKE 'companion:%' AND type = 'session_ended' GROUP BY 1)
            SELECT count(*) FROM focus_sessions s LEFT JOIN closed USING (id) LEFT JOIN told USING (id) LEFT JOIN kept USING (id) LEFT JOIN counted USING (id)
            WHERE (closed.n, told.n, kept.n, counted.n) IS DISTINCT FROM (CASE s.status WHEN 'ended' THEN (1::bigint, 1::bigint, 1::bigint, 1::bigint) END)
              AND NOT (s.status <> 'ended' AND (closed.n, told.n, kept.n, counted.n) IS NULL)
            """;
        Assert.Equal(0, await Count(notOnce));
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
        var zones = _people.ToDictionary(person => person.Id, person => RhythmRules.Zone(person.TimeZone));
        foreach (var person in ended.GroupBy(e => e.Person))
        {
            var habit = Habit.None;
            foreach (var session in person)
            {
                var line = JsonNode.Parse(session.State)!["line"]!;
                habit = HabitRules.After(habit, RhythmRules.LocalDay(session.End, zones[person.Key]), TimeSpan.Parse((string)line["activeBefore"]!).TotalMinutes, session.Score);
            }

            Assert.Equal((habit.Streak, habit.Strength), (habits[person.Key].Streak, habits[person.Key].Strength));
        }
    }

    private int Draw(int from, int to) => _random.Next(from, to);

    private double NextDouble() => _random.NextDouble();
}
