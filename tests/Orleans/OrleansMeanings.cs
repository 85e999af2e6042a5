namespace PersonaActors.Tests.Engine;

/// <summary>
/// What a grain may rely on, whichever engine runs it: written against grains and references only, so that the same file
/// says it of the embedded engine and of Orleans.
/// </summary>
[Collection("engine")]
public sealed class EngineConformance(EngineFixture engine) : IClassFixture<EngineFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private IGrainFactory Grains => engine.Grains;

    private static string NewKey(string kind = "key") => $"{kind}-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_grain_knows_the_key_it_is_called_by()
    {
        var key = NewKey("tenant/größe");
        Assert.Equal(key, await Grains.GetGrain<ITallyGrain>(key).Key());

        var id = Guid.NewGuid();
        Assert.Equal(id, await Grains.GetGrain<IGuidGrain>(id).Key());
    }

    [Fact]
    public void A_reference_knows_the_key_it_was_asked_for()
    {
        var key = NewKey();
        Assert.Equal(key, Grains.GetGrain<ITallyGrain>(key).GetPrimaryKeyString());
        var id = Guid.NewGuid();
        Assert.Equal(id, Grains.GetGrain<IGuidGrain>(id).GetPrimaryKey());
    }

    [Fact]
    public async Task A_reference_activates_nothing_and_the_first_call_does()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<ITallyGrain>(key);
        Assert.Equal(0, Logbook.Of(key).Activations);
        await grain.Add(1);
        Assert.Equal(1, Logbook.Of(key).Activations);
    }

    [Fact]
    public async Task A_thousand_concurrent_first_calls_make_one_activation()
    {
        var key = NewKey();
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = Enumerable.Range(0, 1000).Select(_ => Task.Run(async () =>
        {
            await start.Task;
            return await Grains.GetGrain<ITallyGrain>(key).Add(1);
        })).ToArray();
        start.SetResult();
        var totals = await Task.WhenAll(calls).WaitAsync(Patience);

        Assert.Equal(Enumerable.Range(1, 1000), totals.Order());
        Assert.Equal(1, Logbook.Of(key).Activations);
    }

    [Fact]
    public async Task State_stays_between_calls_and_belongs_to_one_key()
    {
        var (one, other) = (Grains.GetGrain<ITallyGrain>(NewKey()), Grains.GetGrain<ITallyGrain>(NewKey()));
        await one.Add(2);
        await one.Add(3);
        Assert.Equal(6, await one.Add(1));
        Assert.Equal(1, await other.Add(1));
    }

    [Fact]
    public async Task One_call_at_a_time_also_across_awaits()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<ITallyGrain>(key);
        var totals = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => grain.AddSlowly(1)))).WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(1, 200), totals.Order());
        Assert.Equal(1, Logbook.Of(key).MostThreadsInside);
    }

    [Fact]
    public async Task Work_awaited_on_another_thread_comes_back_to_the_turn()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<ITallyGrain>(key);
        var calls = Enumerable.Range(0, 100)
            .Select(i => Task.Run(() => i % 2 == 0 ? grain.AddAfterWorkElsewhere(1) : grain.AddSlowly(1)));
        var totals = await Task.WhenAll(calls).WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(1, 100), totals.Order());
        Assert.Equal(1, Logbook.Of(key).MostThreadsInside);
    }

    [Fact]
    public async Task Methods_may_return_value_tasks()
    {
        var grain = Grains.GetGrain<ITallyGrain>(NewKey());
        Assert.Equal(5, await grain.AddAsValue(5));
        await grain.Touch();
        Assert.Equal(7, await grain.AddAsValue(1));
    }

    [Fact]
    public async Task Arguments_and_results_cross_whole()
    {
        var grain = Grains.GetGrain<ITallyGrain>(NewKey());
        Assert.Equal(new Parcel("books", 10), await grain.Describe(new("books", 4), [1, 2, 3]));
    }

    [Fact]
    public async Task An_exception_reaches_the_caller_as_thrown_and_the_grain_lives_on()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<ITallyGrain>(key);
        await grain.Add(1);
        var atOnce = await Assert.ThrowsAsync<InvalidOperationException>(() => grain.FailAtOnce("at once"));
        Assert.Equal("at once", atOnce.Message);
        var later = await Assert.ThrowsAsync<KeyNotFoundException>(() => grain.FailLater("later"));
        Assert.Equal("later", later.Message);
        Assert.Equal(2, await grain.Add(1));
        Assert.Equal(1, Logbook.Of(key).Activations);
    }

    [Fact]
    public async Task A_marked_method_is_answered_while_another_call_is_under_way()
    {
        var key = NewKey();
        var desk = Grains.GetGrain<IDeskGrain>(key);
        var held = desk.Hold();
        await Logbook.Of(key).Reached.Task.WaitAsync(Patience);

        Assert.Equal(1, await desk.Peek().WaitAsync(Patience));
        Assert.False(held.IsCompleted);
        await desk.Release().WaitAsync(Patience);
        await held.WaitAsync(Patience);
        Assert.Equal(0, await desk.Peek());
    }

    [Fact]
    public async Task A_call_without_the_mark_waits_for_the_one_under_way()
    {
        var key = NewKey();
        var desk = Grains.GetGrain<IDeskGrain>(key);
        var held = desk.Hold();
        await Logbook.Of(key).Reached.Task.WaitAsync(Patience);

        var write = desk.Write();
        await desk.Churn(100);
        Assert.Empty(Logbook.Of(key).Entries);
        await desk.Release();
        await Task.WhenAll(held, write).WaitAsync(Patience);
        Assert.Equal(["write begins", "write ends"], Logbook.Of(key).Entries);
    }

    [Fact]
    public async Task Interleaving_calls_never_run_beside_each_other()
    {
        var key = NewKey();
        var desk = Grains.GetGrain<IDeskGrain>(key);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => desk.Churn(100)))).WaitAsync(Patience);
        Assert.Equal(1, Logbook.Of(key).MostThreadsInside);
        Assert.Equal(5000, await desk.Read(1));
    }

    [Fact]
    public async Task A_grain_called_back_by_the_one_it_waits_for_answers_through_a_marked_method()
    {
        var desk = Grains.GetGrain<IDeskGrain>(NewKey());
        Assert.Equal(40, await desk.Lend(NewKey()).WaitAsync(Patience));
    }

    [Fact]
    public async Task Methods_that_only_read_run_together_and_not_with_one_that_writes()
    {
        var key = NewKey();
        var desk = Grains.GetGrain<IDeskGrain>(key);
        var write = desk.Write();
        await Task.WhenAll([write, .. Enumerable.Range(0, 5).Select(_ => desk.Read(5))]).WaitAsync(Patience);

        var seen = Logbook.Of(key).Entries.ToList();
        Assert.Equal(seen.IndexOf("write begins") + 1, seen.IndexOf("write ends"));
        Assert.Equal(5, seen.Count(entry => entry == "read"));
    }

    [Fact]
    public async Task One_that_writes_waits_for_those_that_read()
    {
        var key = NewKey();
        var desk = Grains.GetGrain<IDeskGrain>(key);
        var first = desk.Read(2);
        await Logbook.Of(key).Reached.Task.WaitAsync(Patience);
        var write = desk.Write();
        await desk.Churn(50);
        var second = desk.Read(2);
        await Task.WhenAll(first, second, write).WaitAsync(Patience);
        Assert.Equal(["read", "read", "write begins", "write ends"], Logbook.Of(key).Entries);
    }

    [Fact]
    public async Task All_calls_of_a_reentrant_grain_interleave()
    {
        var grain = Grains.GetGrain<IOpenGrain>(NewKey());
        var met = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => grain.Meet(10))).WaitAsync(Patience);
        Assert.All(met, here => Assert.Equal(10, here));
    }

    [Fact]
    public async Task A_call_that_waits_for_itself_round_a_circle_ends_in_a_timeout_and_the_grains_are_free_again()
    {
        var (one, other) = (NewKey(), NewKey());
        await Assert.ThrowsAsync<TimeoutException>(() => Grains.GetGrain<IRingGrain>(one).Round(other, one)).WaitAsync(Patience);
        Assert.Equal("pong", await Grains.GetGrain<IRingGrain>(one).Ping().WaitAsync(Patience));
        Assert.Equal("pong", await Grains.GetGrain<IRingGrain>(other).Ping().WaitAsync(Patience));
    }

    [Fact]
    public async Task Grains_call_grains_however_deep()
    {
        Assert.Equal(200, await Grains.GetGrain<IRingGrain>(NewKey()).Chain(200).WaitAsync(Patience));
    }

    [Theory]
    [InlineData("activation")]
    [InlineData("constructor")]
    public async Task A_failed_activation_reaches_every_caller_and_leaves_nothing_behind(string where)
    {
        var grain = Grains.GetGrain<IFragileGrain>(NewKey(where));
        var failed = await Assert.ThrowsAnyAsync<Exception>(() => grain.Ping()).WaitAsync(Patience);
        Assert.Contains("Not in the mood.", failed.ToString(), StringComparison.Ordinal);
        Assert.Equal("pong", await grain.Ping().WaitAsync(Patience));
    }

    [Fact]
    public async Task A_grain_that_asks_to_go_goes_after_its_call_and_the_next_call_finds_a_fresh_one()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<ITallyGrain>(key);
        await grain.Add(5);
        var first = await grain.Activation();
        await grain.Retire();

        Assert.Equal(1, await grain.Add(1).WaitAsync(Patience));
        Assert.NotEqual(first, await grain.Activation());
        Assert.Equal([$"deactivated {DeactivationReasonCode.ApplicationRequested}"], Logbook.Of(key).Entries);
        Assert.Equal(1, Logbook.Of(key).MostAliveAtOnce);
    }

    [Fact]
    public async Task Calls_that_arrive_while_it_goes_land_on_a_fresh_activation()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<ITallyGrain>(key);
        await grain.Add(5);
        var retiring = grain.RetireAfterGate();
        await Logbook.Of(key).Reached.Task.WaitAsync(Patience);
        var calls = Enumerable.Range(0, 20).Select(_ => grain.Add(1)).ToArray();
        Logbook.Of(key).Gate.SetResult();

        await retiring.WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(1, 20), (await Task.WhenAll(calls).WaitAsync(Patience)).Order());
        Assert.Equal(2, Logbook.Of(key).Activations);
        Assert.Equal(1, Logbook.Of(key).MostAliveAtOnce);
    }

    [Fact]
    public async Task Never_two_activations_of_a_key_however_often_it_comes_and_goes()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<IRestlessGrain>(key);
        // No more than two: Orleans passes a call on to the next activation twice, then refuses it.
        var calls = Enumerable.Range(0, 2).Select(caller => Task.Run(async () =>
        {
            var active = true;
            for (var i = 0; i < 300; i++) active &= await grain.Call(caller + i);
            return active;
        }));
        Assert.All(await Task.WhenAll(calls).WaitAsync(TimeSpan.FromSeconds(60)), Assert.True);
        Assert.Equal(1, Logbook.Of(key).MostAliveAtOnce);
        Assert.InRange(Logbook.Of(key).Activations, 2, 600);
    }

    [Fact]
    public async Task An_idle_grain_goes_after_its_class_says()
    {
        var key = NewKey();
        await Grains.GetGrain<IShortLivedGrain>(key).Touch();
        await Logbook.Of(key).Gate.Task.WaitAsync(Patience);
        Assert.Equal([$"deactivated {DeactivationReasonCode.ActivationIdle}"], Logbook.Of(key).Entries);
    }

    [Fact]
    public async Task A_callers_cancellation_reaches_the_grain()
    {
        var key = NewKey();
        using var cancel = new CancellationTokenSource();
        var waiting = Grains.GetGrain<ITallyGrain>(key).WaitCancelled(cancel.Token);
        await Logbook.Of(key).Reached.Task.WaitAsync(Patience);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience));
        // The grain has ended its call too, so the next one gets in.
        await Grains.GetGrain<ITallyGrain>(key).Add(1).WaitAsync(Patience);
        Assert.Equal(["cancelled"], Logbook.Of(key).Entries);
    }

    [Fact]
    public async Task A_timer_ticks_until_it_is_disposed_of()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<IClockGrain>(key);
        await grain.Start(new(0, 20));
        await grain.Ticked(3).WaitAsync(Patience);
        var ticks = await grain.Stop();
        Assert.True(ticks >= 3);
        // On Orleans one that was in line when it was disposed of still comes.
        await Task.Delay(100);
        var last = await grain.Ticks();
        Assert.InRange(last, ticks, ticks + 1);
        await Task.Delay(100);
        Assert.Equal(last, await grain.Ticks());
    }

    [Fact]
    public async Task A_timer_without_a_period_ticks_once_and_again_when_changed()
    {
        var grain = Grains.GetGrain<IClockGrain>(NewKey());
        await grain.Start(new(1, -1));
        await grain.Ticked(1).WaitAsync(Patience);
        await Task.Delay(50);
        Assert.Equal(1, await grain.Ticks());
        await grain.Change(new(1, -1));
        await grain.Ticked(2).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_tick_waits_for_the_call_under_way()
    {
        var grain = Grains.GetGrain<IClockGrain>(NewKey());
        await grain.Start(new(1, 5));
        Assert.Equal(0, await grain.TicksDuringThis(100).WaitAsync(Patience));
        await grain.Ticked(1).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_tick_that_may_interleave_does_not_wait()
    {
        var grain = Grains.GetGrain<IClockGrain>(NewKey());
        await grain.Start(new(1, 5, Interleave: true));
        Assert.InRange(await grain.TicksDuringThis(500).WaitAsync(Patience), 1, 1000);
    }

    [Fact]
    public async Task A_tick_that_fails_is_followed_by_the_next()
    {
        var grain = Grains.GetGrain<IClockGrain>(NewKey());
        await grain.Start(new(0, 10, Fail: true));
        await grain.Ticked(3).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_timer_does_not_keep_its_grain_and_ends_with_it()
    {
        var key = NewKey();
        await Grains.GetGrain<IBriefClockGrain>(key).Start(20, keepAlive: false);
        await Logbook.Of(key).Gate.Task.WaitAsync(Patience);
        var ticks = Logbook.Of(key).Entries.Count;
        await Task.Delay(100);
        Assert.Equal(ticks, Logbook.Of(key).Entries.Count);
        Assert.True(ticks > 1);
    }

    [Fact]
    public async Task A_timer_that_says_so_keeps_its_grain()
    {
        var key = NewKey();
        await Grains.GetGrain<IBriefClockGrain>(key).Start(100, keepAlive: true);
        await Assert.ThrowsAsync<TimeoutException>(() => Logbook.Of(key).Gate.Task.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task A_reminder_is_delivered_and_wakes_its_grain()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<IRemindedGrain>(key);
        await grain.RemindAndRetire("wake up", TimeSpan.FromSeconds(1));
        // Silos that have only just found each other may hand the reminder over and miss its first tick: then it is the second.
        var status = await Logbook.Of(key).Told("wake up").WaitAsync(TimeSpan.FromSeconds(150));

        Assert.Equal(2, Logbook.Of(key).Activations);
        Assert.Equal(TimeSpan.FromMinutes(1), status.Period);
        Assert.Equal(DateTimeKind.Utc, status.FirstTickTime.Kind);
        var since = status.CurrentTickTime - status.FirstTickTime;
        Assert.InRange(since, TimeSpan.Zero, TimeSpan.FromSeconds(100));
        Assert.InRange(since.Ticks % status.Period.Ticks, 0, TimeSpan.FromSeconds(30).Ticks);
        await grain.Forget("wake up");
    }

    [Fact]
    public async Task A_reminder_stands_until_it_is_unregistered()
    {
        var grain = Grains.GetGrain<IRemindedGrain>(NewKey());
        Assert.False(await grain.Has("tea"));
        await grain.Remind("tea", TimeSpan.FromHours(1), TimeSpan.FromHours(1));
        await grain.Remind("tea", TimeSpan.FromHours(2), TimeSpan.FromHours(2));
        await grain.Remind("sleep", TimeSpan.FromHours(2), TimeSpan.FromHours(2));
        Assert.True(await grain.Has("tea"));
        await grain.Forget("tea");
        Assert.False(await grain.Has("tea"));
        Assert.True(await grain.Has("sleep"));
        await grain.Forget("sleep");
    }

    [Fact]
    public async Task A_period_under_a_minute_is_refused()
    {
        var grain = Grains.GetGrain<IRemindedGrain>(NewKey());
        await Assert.ThrowsAsync<ArgumentException>(() => grain.Remind("tea", TimeSpan.FromHours(1), TimeSpan.FromSeconds(59)));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => grain.Remind("tea", TimeSpan.FromHours(-1), TimeSpan.FromHours(1)));
        Assert.False(await grain.Has("tea"));
    }

    [Fact]
    public async Task A_grain_gets_its_constructors_arguments_from_the_services()
    {
        var key = NewKey();
        Assert.Equal($"Hello, {key}", await Grains.GetGrain<IInjectedGrain>(key).Greet());
    }
}
