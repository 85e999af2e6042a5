using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using PersonaActors.Grains.Focus;
using PersonaActors.Grains.Jobs;
using PersonaActors.Storage;
using PersonaActors.Tests.Jobs;

namespace PersonaActors.Tests.Faults;

/// <summary>A node whose way to PostgreSQL can be cut. Time stands, so that nothing is made good by what is looked after every few seconds.</summary>
public sealed class CutRoom : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public FakeTimeProvider Clock { get; } = FakeTime.Start(new DateTimeOffset(2032, 5, 4, 10, 0, 0, TimeSpan.Zero).AddDays(Random.Shared.Next(1000)));

    public CutProxy Proxy { get; private set; } = null!;

    public Node Node { get; private set; } = null!;

    public string Superuser => _database.Superuser;

    public ApiClient Operator { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.Create();
        Proxy = new CutProxy(_database.App);
        Node = await Node.Start(
            new DatabaseLogins(Proxy.ConnectionString, _database.Worker), Clock, with: services => services.AddSingleton<IJobKind>(new CountingJob()));
        Operator = Node.Client(await Node.OperatorKey());
    }

    public async Task DisposeAsync()
    {
        Operator.Dispose();
        await Node.DisposeAsync();
        await Proxy.DisposeAsync();
        await _database.DisposeAsync();
    }

    public Task Pass(TimeSpan time)
    {
        Clock.Advance(time);
        return Node.Services.GetRequiredService<FocusSweep>().WakePeople(CancellationToken.None);
    }
}

/// <summary>
/// The connection to PostgreSQL is cut at the very moment a command's commit would be answered, or just before it is asked
/// for. What is answered and what is seen then, everywhere and within a second, is what another scene shows in which
/// nothing was cut.
/// </summary>
[Long]
public sealed class CommitCutTests(CutRoom room) : IClassFixture<CutRoom>
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(25);

    private static readonly (bool IsNamed, CutAt At)[] Cuts = Soak.Of<(bool, CutAt)[]>(
        [(false, CutAt.Answer)], [(false, CutAt.Answer), (true, CutAt.Answer), (false, CutAt.Request)]);

    public static TheoryData<string> Commands => [.. CommandTable.All.Keys];

    [Theory, MemberData(nameof(Commands))]
    public async Task What_follows_a_commit_follows_it_whoever_heard_its_answer(string command)
    {
        var failures = new List<string>();
        using var ordinary = await Tried.Of(command, room);
        await ordinary.Send($"ordinary {command}");
        Assert.True((int)ordinary.Answer!.Status < 300, $"uncut it is answered {(int)ordinary.Answer.Status} {ordinary.Answer.Text}");
        foreach (var (isNamed, at) in Cuts)
        {
            using var tried = await Tried.Of(command, room);
            var cut = room.Proxy.Arm(at, tried.Command.Commit);
            await tried.Send(isNamed ? $"named {command}" : null);
            room.Proxy.Disarm();
            Assert.True(cut.Happened, "nothing was cut");
            if (await Difference(ordinary, tried) is { } difference)
            {
                failures.Add($"--- {(isNamed ? "named" : "unnamed")}, cut at its {at}:\n{difference}");
            }
        }

        Assert.True(ordinary.Before != ordinary.Seen, $"nothing of it is seen:\n{ordinary.Seen}");
        Assert.Empty(await ordinary.Command.Left());
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    /// <summary>Nobody could look whether it happened: it is refused, and once it can be reached again, what happened has been followed all the same.</summary>
    [Theory]
    [InlineData("DELETE /v1/users/{id}")]
    [InlineData("DELETE /v1/personas/{id}")]
    [InlineData("PATCH /v1/llm-configs/{id} - given away")]
    public async Task What_was_committed_before_an_outage_is_followed_after_it(string command)
    {
        room.Node.Expect("Orleans.");
        using var ordinary = await Tried.Of(command, room);
        await ordinary.Send($"ordinary, outage {command}");
        using var tried = await Tried.Of(command, room);
        var cut = room.Proxy.Arm(CutAt.Answer, tried.Command.Commit, thenAway: true);
        await tried.Send($"outage {command}");
        Assert.True(cut.Happened, "nothing was cut");
        tried.Answer!.Should(HttpStatusCode.ServiceUnavailable);
        room.Proxy.Disarm();
        room.Proxy.Back();
        // What looks every few seconds, or tries again in a moment, does.
        room.Clock.Advance(TimeSpan.FromSeconds(6));
        await tried.Send($"outage {command}");
        // A stream that was erased before anybody was told of its end is lost with its connection: who comes back is told then.
        // And a config that is given away is nobody's until its new owner is told: a prompt that used it says so, and that it is as before.
        var isBetween = command.EndsWith("given away", StringComparison.Ordinal);
        var difference = await Difference(ordinary, tried, seen =>
            (isBetween ? Regex.Replace(seen, "prompt\\.changed(\n  prompt\\.changed)*", "") : seen).Replace("  closed\n  ended", "  revoked", StringComparison.Ordinal));
        Assert.True(difference is null, difference);
    }

    [Fact]
    public async Task Every_route_that_changes_something_is_in_the_table()
    {
        var document = (await room.Operator.Get("/openapi/v1.json")).Json;
        var routes = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => $"{operation.Key.ToUpperInvariant()} {path.Key}"))
            .Where(route => !route.StartsWith("GET ", StringComparison.Ordinal));
        var known = CommandTable.All.Keys.Select(row => Regex.Replace(row, " - .*", "")).Distinct();
        Assert.Equal(routes.Except(CommandTable.WriteNothing).Order(), known.Order());
    }

    private static async Task<string?> Difference(Tried ordinary, Tried tried, Func<string, string>? forgiving = null)
    {
        forgiving ??= static seen => seen;
        var (expected, got) = (ordinary.Text(ordinary.Answer!), tried.Text(tried.Answer!));
        if (expected != got)
        {
            return $"it is answered\n  {got}\nand not\n  {expected}";
        }

        using var poll = new PeriodicTimer(LookEvery);
        for (var looks = 1; ; looks++)
        {
            // A machine that others keep busy has no whole second in a second, and shows it by looks that take longer than they should.
            var took = Stopwatch.GetElapsedTime(tried.At);
            var isBusy = took > 1.2 * looks * LookEvery;
            var isLast = took > tried.Command.Within && looks > tried.Command.Within / LookEvery * (isBusy ? 3 : 1);
            await tried.Look();
            await ordinary.Look();
            if (forgiving(tried.Seen) == forgiving(ordinary.Seen))
            {
                return null;
            }

            if (isLast)
            {
                var (mine, theirs) = (forgiving(tried.Seen).Split('\n'), forgiving(ordinary.Seen).Split('\n'));
                var same = mine.Zip(theirs).TakeWhile(lines => lines.First == lines.Second).Count();
                return $"after {tried.Command.Within.TotalSeconds} s, behind '{mine.Take(same).LastOrDefault(line => !line.StartsWith(' '))}', there is\n{string.Join('\n', mine.Skip(same).Take(4))}\nand not\n{string.Join('\n', theirs.Skip(same).Take(4))}";
            }

            await poll.WaitForNextTickAsync();
        }
    }

    /// <summary>One scene in which the command was tried.</summary>
    private sealed class Tried(CutScene scene, CutTry command, string before) : IDisposable
    {
        public CutTry Command => command;

        public string Before => before;

        public string Seen { get; private set; } = "";

        public ApiAnswer? Answer { get; private set; }

        public long At { get; private set; }

        public static async Task<Tried> Of(string command, CutRoom room)
        {
            var scene = await CutScene.Set(room);
            var one = await CommandTable.All[command](scene);
            return new Tried(scene, one, await one.Open());
        }

        public async Task Send(string? id)
        {
            Answer = await command.Send(id);
            At = Stopwatch.GetTimestamp();
        }

        public async Task Look() => Seen = await command.Seen();

        /// <summary>Without the cursor of the system's catalogue, which is every scene's.</summary>
        public string Text(ApiAnswer answer)
        {
            var text = $"{(int)answer.Status} {scene.Neutral(answer.Text)}";
            return text.Contains("\"isSystem\":true", StringComparison.Ordinal) ? Regex.Replace(text, "\"seq\":[0-9]+", "\"seq\":0") : text;
        }

        public void Dispose() => scene.Dispose();
    }
}
