using PersonaActors.Contracts;

namespace PersonaActors.Tests.Orleans;

[Alias("tests.ITallyGrain")]
public interface ITallyGrain : IGrainWithStringKey
{
    [Alias("Activation")]
    Task<Guid> Activation();

    [Alias("Add")]
    Task<int> Add(int amount);

    [Alias("AddSlowly")]
    Task<int> AddSlowly(int amount);

    [Alias("AddAfterWorkElsewhere")]
    Task<int> AddAfterWorkElsewhere(int amount);

    [Alias("Fail")]
    Task Fail(string kind);

    [ResponseTimeout("00:00:01")]
    [Alias("AddAtGate")]
    Task AddAtGate(int amount);

    [Alias("Retire")]
    Task Retire();

    [Alias("RetireAfterGate")]
    Task RetireAfterGate();
}

public sealed class TallyGrain : Grain, ITallyGrain
{
    private readonly Guid _activation = Guid.NewGuid();
    private int _total;

    private Logbook Book => Logbook.Of(this.GetPrimaryKeyString());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Book.Activated();
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await Task.Yield();
        Book.Write($"deactivated {reason.ReasonCode}");
        Book.Deactivated();
    }

    public Task<Guid> Activation() => Task.FromResult(_activation);

    public Task<int> Add(int amount)
    {
        _total += amount;
        return Task.FromResult(_total);
    }

    public async Task<int> AddSlowly(int amount)
    {
        var before = _total;
        Book.Work();
        await Task.Yield();
        Book.Work();
        await Task.Delay(1);
        Book.Work();
        return _total = before + amount;
    }

    public async Task<int> AddAfterWorkElsewhere(int amount)
    {
        var before = _total;
        await Task.Run(() => Thread.SpinWait(500));
        Book.Work();
        return _total = before + amount;
    }

    public async Task Fail(string kind)
    {
        await Task.Yield();
        throw kind switch
        {
            nameof(StorageUnavailableException) => new StorageUnavailableException(kind),
            nameof(ActivationOutdatedException) => new ActivationOutdatedException(kind),
            nameof(CommandRepeatedException) => new CommandRepeatedException(kind),
            _ => new InvalidOperationException(kind),
        };
    }

    public async Task AddAtGate(int amount)
    {
        await Book.Gate.Task;
        _total += amount;
    }

    public Task Retire()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public async Task RetireAfterGate()
    {
        DeactivateOnIdle();
        Book.Reached.TrySetResult();
        await Book.Gate.Task;
        _total = -1000;
    }
}

[Alias("tests.IDeskGrain")]
public interface IDeskGrain : IGrainWithStringKey
{
    [Alias("Hold")]
    Task Hold();

    [AlwaysInterleave]
    [Alias("Peek")]
    Task<int> Peek();

    [AlwaysInterleave]
    [Alias("Churn")]
    Task<int> Churn(int rounds);

    [AlwaysInterleave]
    [Alias("Release")]
    Task Release();

    [Alias("Write")]
    Task Write();

    [Alias("Lend")]
    Task<int> Lend(string borrower);
}

/// <summary>One call at a time, but for what is marked.</summary>
public sealed class DeskGrain : Grain, IDeskGrain
{
    private readonly TaskCompletionSource _released = new();
    private int _holding;
    private int _churned;

    private Logbook Book => Logbook.Of(this.GetPrimaryKeyString());

    public async Task Hold()
    {
        _holding++;
        Book.Reached.TrySetResult();
        await _released.Task;
        _holding--;
    }

    public Task<int> Peek() => Task.FromResult(_holding);

    public async Task<int> Churn(int rounds)
    {
        for (var i = 0; i < rounds; i++)
        {
            Book.Work();
            _churned++;
            await Task.Yield();
        }

        return _churned;
    }

    public Task Release()
    {
        _released.TrySetResult();
        return Task.CompletedTask;
    }

    public async Task Write()
    {
        Book.Write("write begins");
        await Task.Yield();
        Book.Write("write ends");
    }

    public Task<int> Lend(string borrower) =>
        GrainFactory.GetGrain<IBorrowerGrain>(borrower).Borrow(this.GetPrimaryKeyString());
}

[Alias("tests.IBorrowerGrain")]
public interface IBorrowerGrain : IGrainWithStringKey
{
    [Alias("Borrow")]
    Task<int> Borrow(string desk);
}

public sealed class BorrowerGrain : Grain, IBorrowerGrain
{
    public async Task<int> Borrow(string desk) => 40 + await GrainFactory.GetGrain<IDeskGrain>(desk).Peek();
}

[Alias("tests.IRingGrain")]
public interface IRingGrain : IGrainWithStringKey
{
    [ResponseTimeout("00:00:01")]
    [Alias("Round")]
    Task<int> Round(string next, string last);

    [Alias("Ping")]
    Task<string> Ping();
}

public sealed class RingGrain : Grain, IRingGrain
{
    public async Task<int> Round(string next, string last) =>
        1 + await GrainFactory.GetGrain<IRingGrain>(next).Round(last, next);

    public Task<string> Ping() => Task.FromResult("pong");
}

[Alias("tests.IFragileGrain")]
public interface IFragileGrain : IGrainWithStringKey
{
    [Alias("Ping")]
    Task<string> Ping();
}

/// <summary>The first activation of a key fails, as one does that finds no database.</summary>
public sealed class FragileGrain : Grain, IFragileGrain
{
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var book = Logbook.Of(this.GetPrimaryKeyString());
        await Task.Yield();
        if (book.Entries.Count > 0) return;
        book.Write("refused");
        throw new StorageUnavailableException("Not in the mood.");
    }

    public Task<string> Ping() => Task.FromResult("pong");
}

[Alias("tests.IShortLivedGrain")]
public interface IShortLivedGrain : IGrainWithStringKey
{
    [Alias("Touch")]
    Task Touch();
}

[CollectionAgeLimit("00:00:02")]
public sealed class ShortLivedGrain : Grain, IShortLivedGrain
{
    private Logbook Book => Logbook.Of(this.GetPrimaryKeyString());

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Book.Write($"deactivated {reason.ReasonCode}");
        Book.Gate.TrySetResult();
        return Task.CompletedTask;
    }

    public Task Touch() => Task.CompletedTask;
}

[Alias("tests.IRemindedGrain")]
public interface IRemindedGrain : IGrainWithStringKey
{
    [Alias("Remind")]
    Task Remind(string name, TimeSpan due, TimeSpan period);

    [Alias("RemindAndRetire")]
    Task RemindAndRetire(string name, TimeSpan due, TimeSpan period);

    [Alias("Has")]
    Task<bool> Has(string name);

    [Alias("Forget")]
    Task Forget(string name);
}

public sealed class RemindedGrain : Grain, IRemindedGrain, IRemindable
{
    private Logbook Book => Logbook.Of(this.GetPrimaryKeyString());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Book.Activated();
        return Task.CompletedTask;
    }

    public async Task Remind(string name, TimeSpan due, TimeSpan period)
    {
        try
        {
            await this.RegisterOrUpdateReminder(name, due, period);
        }
        catch (Exception e)
        {
            Book.Write($"{e.GetType().Name} of {e.InnerException?.GetType().Name}");
            throw;
        }
    }

    public async Task RemindAndRetire(string name, TimeSpan due, TimeSpan period)
    {
        await Remind(name, due, period);
        DeactivateOnIdle();
    }

    public async Task<bool> Has(string name) => await this.GetReminder(name) is not null;

    public async Task Forget(string name)
    {
        if (await this.GetReminder(name) is { } reminder) await this.UnregisterReminder(reminder);
    }

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        Book.Write($"reminded {reminderName}");
        Book.Gate.TrySetResult();
        return Task.CompletedTask;
    }
}
