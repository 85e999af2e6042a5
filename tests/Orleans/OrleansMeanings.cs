using PersonaActors.Contracts;

namespace PersonaActors.Tests.Orleans;

/// <summary>
/// What our grains rely on, said of Orleans: an upgrade of its packages that changes one of these changes ours. On one silo and
/// on two, where every other call leaves the silo.
/// </summary>
public abstract class OrleansMeanings(Silos silos)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private IGrainFactory Grains => silos.Grains;

    private static string NewKey() => $"key-{Guid.NewGuid():N}";

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
    public async Task One_call_at_a_time_also_across_awaits_and_work_on_other_threads()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<ITallyGrain>(key);
        var calls = Enumerable.Range(0, 200)
            .Select(i => Task.Run(() => i % 2 == 0 ? grain.AddAfterWorkElsewhere(1) : grain.AddSlowly(1)));
        var totals = await Task.WhenAll(calls).WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(1, 200), totals.Order());
        Assert.Equal(1, Logbook.Of(key).MostThreadsInside);
    }

    [Fact]
    public async Task A_marked_method_is_answered_while_another_call_is_under_way_and_one_without_the_mark_waits()
    {
        var key = NewKey();
        var desk = Grains.GetGrain<IDeskGrain>(key);
        var held = desk.Hold();
        await Logbook.Of(key).Reached.Task.WaitAsync(Patience);
        var write = desk.Write();

        Assert.Equal(1, await desk.Peek().WaitAsync(Patience));
        await desk.Churn(100).WaitAsync(Patience);
        Assert.False(held.IsCompleted);
        Assert.Empty(Logbook.Of(key).Entries);
        await desk.Release().WaitAsync(Patience);
        await Task.WhenAll(held, write).WaitAsync(Patience);
        Assert.Equal(["write begins", "write ends"], Logbook.Of(key).Entries);
    }

    [Fact]
    public async Task Interleaving_calls_never_run_beside_each_other()
    {
        var key = NewKey();
        var desk = Grains.GetGrain<IDeskGrain>(key);
        var churned = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => desk.Churn(100)))).WaitAsync(Patience);
        Assert.Equal(1, Logbook.Of(key).MostThreadsInside);
        Assert.Equal(5000, churned.Max());
    }

    [Fact]
    public async Task A_grain_called_back_by_the_one_it_waits_for_answers_through_a_marked_method()
    {
        var desk = Grains.GetGrain<IDeskGrain>(NewKey());
        Assert.Equal(40, await desk.Lend(NewKey()).WaitAsync(Patience));
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
    public async Task A_call_that_timed_out_for_its_caller_is_carried_out_all_the_same()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<ITallyGrain>(key);
        await Assert.ThrowsAsync<TimeoutException>(() => grain.AddAtGate(5)).WaitAsync(Patience);
        Logbook.Of(key).Gate.SetResult();
        Assert.Equal(6, await grain.Add(1).WaitAsync(Patience));
    }

    [Theory]
    [InlineData(typeof(StorageUnavailableException))]
    [InlineData(typeof(ActivationOutdatedException))]
    [InlineData(typeof(CommandRepeatedException))]
    [InlineData(typeof(InvalidOperationException))]
    public async Task An_exception_reaches_the_caller_as_thrown_and_the_grain_lives_on(Type type)
    {
        var key = NewKey();
        var grain = Grains.GetGrain<ITallyGrain>(key);
        var thrown = await Assert.ThrowsAsync(type, () => grain.Fail(type.Name)).WaitAsync(Patience);
        Assert.Equal(type.Name, thrown.Message);
        Assert.Equal(1, await grain.Add(1));
        Assert.Equal(1, Logbook.Of(key).Activations);
    }

    [Fact]
    public async Task A_failed_activation_reaches_its_caller_as_thrown_and_leaves_nothing_behind()
    {
        var grain = Grains.GetGrain<IFragileGrain>(NewKey());
        await Assert.ThrowsAsync<StorageUnavailableException>(() => grain.Ping()).WaitAsync(Patience);
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
    public async Task An_idle_grain_goes_when_its_class_says()
    {
        var key = NewKey();
        await Grains.GetGrain<IShortLivedGrain>(key).Touch();
        await Logbook.Of(key).Gate.Task.WaitAsync(Patience);
        Assert.Equal([$"deactivated {DeactivationReasonCode.ActivationIdle}"], Logbook.Of(key).Entries);
    }

    [Fact]
    public async Task A_reminder_wakes_its_grain()
    {
        var key = NewKey();
        var grain = Grains.GetGrain<IRemindedGrain>(key);
        await grain.RemindAndRetire("wake up", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        await Logbook.Of(key).Gate.Task.WaitAsync(Patience);
        Assert.Equal(2, Logbook.Of(key).Activations);
        await grain.Forget("wake up");
    }

    [Fact]
    public async Task A_reminder_stands_once_however_often_it_was_registered_until_it_is_unregistered()
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
    }
}
