using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Engine;

/// <summary>What only the embedded engine can show: its clock is ours, and so is its start and its end.</summary>
[Collection("engine")]
public sealed class EmbeddedEngine : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FakeClock _time = new();
    private readonly IHost _host;

    public EmbeddedEngine() => _host = Build(_time, typeof(EmbeddedEngine).Assembly);

    public Task InitializeAsync() => _host.StartAsync();

    public async Task DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    private IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    private static string NewKey() => $"key-{Guid.NewGuid():N}";

    private static IHost Build(TimeProvider time, params Assembly[] assemblies)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(new Greeting("Hello"));
        builder.Services.AddEngine(options =>
        {
            foreach (var assembly in assemblies) options.GrainAssemblies.Add(assembly);
        });
        return builder.Build();
    }

    [Fact]
    public async Task An_idle_grain_goes_after_fifteen_minutes_and_not_before()
    {
        var key = NewKey();
        await Grains.GetGrain<ITallyGrain>(key).Add(1);
        _time.Advance(TimeSpan.FromMinutes(14));
        await Grains.GetGrain<ITallyGrain>(key).Add(1);
        _time.Advance(TimeSpan.FromMinutes(14));
        Assert.Equal(3, await Grains.GetGrain<ITallyGrain>(key).Add(1));

        _time.Advance(TimeSpan.FromMinutes(16));
        Assert.Equal(1, await Grains.GetGrain<ITallyGrain>(key).Add(1).WaitAsync(Patience));
        Assert.Equal([$"deactivated {DeactivationReasonCode.ActivationIdle}"], Logbook.Of(key).Entries);
    }

    [Fact]
    public async Task A_grain_under_way_is_not_idle_however_long_it_takes()
    {
        var key = NewKey();
        var waiting = Grains.GetGrain<ISlowGrain>(key).WaitForGate();
        await Logbook.Of(key).Reached.Task.WaitAsync(Patience);
        _time.Advance(TimeSpan.FromMinutes(40));
        Assert.False(waiting.IsCompleted);
        Logbook.Of(key).Gate.SetResult();
        Assert.Equal(1, await waiting.WaitAsync(Patience));
        Assert.Equal(2, await Grains.GetGrain<ISlowGrain>(key).Count());
    }

    [Fact]
    public async Task A_class_may_say_how_long_it_stays_or_that_it_does()
    {
        await Grains.GetGrain<IFiveMinuteGrain>("k").Count();
        await Grains.GetGrain<IEternalGrain>("k").Count();
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(2, await Grains.GetGrain<IFiveMinuteGrain>("k").Count());
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(1, await Grains.GetGrain<IFiveMinuteGrain>("k").Count().WaitAsync(Patience));
        _time.Advance(TimeSpan.FromDays(3));
        Assert.Equal(2, await Grains.GetGrain<IEternalGrain>("k").Count());
    }

    [Fact]
    public async Task A_grain_may_put_off_its_end_and_take_that_back()
    {
        var grain = Grains.GetGrain<IFiveMinuteGrain>(NewKey());
        await grain.Stay(TimeSpan.FromHours(2));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, await grain.Count());
        _time.Advance(TimeSpan.FromMinutes(50));
        Assert.Equal(2, await grain.Count());
        await grain.Stay(TimeSpan.FromSeconds(-1));
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(1, await grain.Count().WaitAsync(Patience));
    }

    [Fact]
    public async Task Nobody_waits_longer_than_thirty_seconds_unless_the_method_says_so()
    {
        var (ordinary, patient) = (NewKey(), NewKey());
        var waiting = Grains.GetGrain<ITallyGrain>(ordinary).WaitForGate();
        var patiently = Grains.GetGrain<ISlowGrain>(patient).WaitForGate();
        await Task.WhenAll(Logbook.Of(ordinary).Reached.Task, Logbook.Of(patient).Reached.Task).WaitAsync(Patience);

        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(2));
        var late = await Assert.ThrowsAsync<TimeoutException>(() => waiting).WaitAsync(Patience);
        Assert.Contains("ITallyGrain.WaitForGate", late.Message, StringComparison.Ordinal);
        Assert.False(patiently.IsCompleted);
        Logbook.Of(ordinary).Gate.SetResult();
        Logbook.Of(patient).Gate.SetResult();
        await patiently.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_call_whose_caller_has_gone_never_begins()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<ITallyGrain>(key);
        using var cancel = new CancellationTokenSource();
        var waiting = grain.WaitForGate();
        await Logbook.Of(key).Reached.Task.WaitAsync(Patience);
        var late = grain.Add(1);
        var cancelled = grain.WaitCancelled(cancel.Token);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled).WaitAsync(Patience);
        _time.Advance(TimeSpan.FromSeconds(31));
        await Assert.ThrowsAsync<TimeoutException>(() => late).WaitAsync(Patience);
        Logbook.Of(key).Gate.SetResult();

        Assert.Equal(1, await grain.Add(1).WaitAsync(Patience));
        Assert.DoesNotContain("cancelled", Logbook.Of(key).Entries);
        await Assert.ThrowsAsync<TimeoutException>(() => waiting);
    }

    [Fact]
    public async Task Stopping_lets_running_and_waiting_calls_end_then_every_grain_goes()
    {
        var host = Build(_time, typeof(EmbeddedEngine).Assembly);
        await host.StartAsync();
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        var (busy, idle) = (NewKey(), NewKey());
        await grains.GetGrain<ITallyGrain>(idle).Add(1);
        var running = grains.GetGrain<ITallyGrain>(busy).WaitForGate();
        await Logbook.Of(busy).Reached.Task.WaitAsync(Patience);
        var waiting = grains.GetGrain<ITallyGrain>(busy).AddSlowly(1);

        var stopping = host.StopAsync();
        Assert.False(stopping.IsCompleted);
        await Assert.ThrowsAsync<SiloUnavailableException>(() => grains.GetGrain<ITallyGrain>(NewKey()).Add(1));
        Logbook.Of(busy).Gate.SetResult();
        await stopping.WaitAsync(Patience);

        await running;
        Assert.Equal(1, await waiting);
        string[] gone = [$"deactivated {DeactivationReasonCode.ShuttingDown}"];
        Assert.Equal(gone, Logbook.Of(busy).Entries);
        Assert.Equal(gone, Logbook.Of(idle).Entries);
        await Assert.ThrowsAsync<SiloUnavailableException>(() => grains.GetGrain<ITallyGrain>(idle).Add(1));
        host.Dispose();
    }

    [Fact]
    public async Task A_grain_may_call_another_on_its_way_out()
    {
        var host = Build(_time, typeof(EmbeddedEngine).Assembly);
        await host.StartAsync();
        var heir = NewKey();
        await host.Services.GetRequiredService<IGrainFactory>().GetGrain<ITestatorGrain>(NewKey()).Name(heir);
        await host.StopAsync().WaitAsync(Patience);
        Assert.Equal(["inherited", $"deactivated {DeactivationReasonCode.ShuttingDown}"], Logbook.Of(heir).Entries);
        host.Dispose();
    }

    [Fact]
    public async Task Stopping_gives_up_on_a_turn_that_does_not_end()
    {
        var host = Build(_time, typeof(EmbeddedEngine).Assembly);
        await host.StartAsync();
        var key = NewKey();
        var stuck = host.Services.GetRequiredService<IGrainFactory>().GetGrain<ITallyGrain>(key).WaitForGate();
        await Logbook.Of(key).Reached.Task.WaitAsync(Patience);
        using var patience = new CancellationTokenSource();
        var stopping = host.StopAsync(patience.Token);
        await patience.CancelAsync();
        await stopping.WaitAsync(Patience);
        await Assert.ThrowsAsync<SiloUnavailableException>(() => stuck).WaitAsync(Patience);
        host.Dispose();
    }

    [Fact]
    public async Task However_often_a_call_must_be_passed_on_it_arrives()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<IRestlessGrain>(key);
        var calls = Enumerable.Range(0, 50).Select(caller => Task.Run(async () =>
        {
            var active = true;
            for (var i = 0; i < 50; i++) active &= await grain.Call(caller + i);
            return active;
        }));
        Assert.All(await Task.WhenAll(calls).WaitAsync(Patience), Assert.True);
        Assert.Equal(1, Logbook.Of(key).MostAliveAtOnce);
    }

    [Fact]
    public async Task A_failed_activation_leaves_no_activation_and_no_scope()
    {
        var before = Count("fragile");
        await Assert.ThrowsAsync<InvalidOperationException>(() => Grains.GetGrain<IFragileGrain>(NewKey()).Ping());
        Assert.Equal(before, Count("fragile"));
        await Grains.GetGrain<IFragileGrain>("activation-again").Ping().ContinueWith(_ => { }, TaskScheduler.Default);
        await Grains.GetGrain<IFragileGrain>("activation-again").Ping();
        Assert.Equal(before + 1, Count("fragile"));
    }

    [Fact]
    public async Task Turns_and_lines_are_measured()
    {
        var times = new ConcurrentBag<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "personactors.engine.turn.time") self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => times.Add((string)tags[0].Value!));
        listener.Start();

        var key = NewKey();
        var waiting = Grains.GetGrain<ISlowGrain>(key).WaitForGate();
        await Logbook.Of(key).Reached.Task.WaitAsync(Patience);
        var behind = Grains.GetGrain<ISlowGrain>(key).Count();
        Assert.Equal(1, Count("slow", "personactors.engine.queue.length"));
        Logbook.Of(key).Gate.SetResult();
        await Task.WhenAll(waiting, behind).WaitAsync(Patience);
        Assert.Contains("ISlowGrain.WaitForGate", times);
    }

    [Fact]
    public async Task A_call_is_a_span_of_its_callers_trace_when_somebody_listens()
    {
        var spans = new ConcurrentBag<Activity>();
        using var source = new ActivitySource("test");
        using var listener = new ActivityListener
        {
            ShouldListenTo = candidate => candidate.Name is "test" or "PersonaActors.Engine",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        using var root = source.StartActivity("root")!;

        var desk = NewKey();
        Assert.Equal(40, await Grains.GetGrain<IDeskGrain>(desk).Lend(NewKey()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Grains.GetGrain<ITallyGrain>(NewKey()).FailAtOnce("no"));

        var mine = spans.Where(span => span.TraceId == root.TraceId).ToDictionary(span => span.OperationName);
        Assert.Equal(root.SpanId, mine["IDeskGrain.Lend"].ParentSpanId);
        Assert.Equal(mine["IDeskGrain.Lend"].SpanId, mine["IBorrowerGrain.Borrow"].ParentSpanId);
        Assert.Equal(mine["IBorrowerGrain.Borrow"].SpanId, mine["IDeskGrain.Peek"].ParentSpanId);
        Assert.Equal(ActivityStatusCode.Error, mine["ITallyGrain.FailAtOnce"].Status);
        Assert.Same(root, Activity.Current);
    }

    [Fact]
    public void An_interface_that_no_class_implements_is_refused_by_name()
    {
        var refused = Assert.Throws<ArgumentException>(() => Grains.GetGrain<INobodysGrain>("k"));
        Assert.Contains(nameof(INobodysGrain), refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void An_empty_key_is_refused(string key) =>
        Assert.Throws<ArgumentException>(() => Grains.GetGrain<ITallyGrain>(key));

    private static int Count(string grain, string instrument = "personactors.engine.activations")
    {
        var count = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (published, self) =>
        {
            if (published.Name == instrument) self.EnableMeasurementEvents(published);
        };
        listener.SetMeasurementEventCallback<int>((_, measured, tags, _) =>
        {
            if (tags[0].Value is string name && name == grain) count += measured;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return count;
    }
}

public interface INobodysGrain : IGrainWithStringKey
{
    Task Ping();
}

public interface ISlowGrain : IGrainWithStringKey
{
    [ResponseTimeout("1.00:00:00")]
    Task<int> WaitForGate();

    Task<int> Count();
}

public sealed class SlowGrain : Grain, ISlowGrain
{
    private int _count;

    public async Task<int> WaitForGate()
    {
        var book = Logbook.Of(this.GetPrimaryKeyString());
        book.Reached.SetResult();
        await book.Gate.Task;
        return ++_count;
    }

    public Task<int> Count() => Task.FromResult(++_count);
}

public interface IFiveMinuteGrain : IGrainWithStringKey
{
    Task<int> Count();

    Task Stay(TimeSpan time);
}

[CollectionAgeLimit(Minutes = 5)]
public sealed class FiveMinuteGrain : Grain, IFiveMinuteGrain
{
    private int _count;

    public Task<int> Count() => Task.FromResult(++_count);

    public Task Stay(TimeSpan time)
    {
        DelayDeactivation(time);
        return Task.CompletedTask;
    }
}

public interface IEternalGrain : IGrainWithStringKey
{
    Task<int> Count();
}

[KeepAlive]
public sealed class EternalGrain : Grain, IEternalGrain
{
    private int _count;

    public Task<int> Count() => Task.FromResult(++_count);
}

public interface ITestatorGrain : IGrainWithStringKey
{
    Task Name(string heir);
}

public sealed class TestatorGrain : Grain, ITestatorGrain
{
    private string? _heir;

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        GrainFactory.GetGrain<IHeirGrain>(_heir!).Inherit();

    public Task Name(string heir)
    {
        _heir = heir;
        return Task.CompletedTask;
    }
}

public interface IHeirGrain : IGrainWithStringKey
{
    Task Inherit();
}

public sealed class HeirGrain : Grain, IHeirGrain
{
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Logbook.Of(this.GetPrimaryKeyString()).Write($"deactivated {reason.ReasonCode}");
        return Task.CompletedTask;
    }

    public async Task Inherit()
    {
        await Task.Yield();
        Logbook.Of(this.GetPrimaryKeyString()).Write("inherited");
    }
}
