namespace PersonaActors.Tests.Engine;

// Grains as anybody would write them, compiled against either engine.

[GenerateSerializer, Immutable, Alias("tests.Parcel")]
public sealed record Parcel([property: Id(0)] string Label, [property: Id(1)] int Weight);

[Alias("tests.ITallyGrain")]
public interface ITallyGrain : IGrainWithStringKey
{
    [Alias("Key")]
    Task<string> Key();

    [Alias("Activation")]
    Task<Guid> Activation();

    [Alias("Add")]
    Task<int> Add(int amount);

    [Alias("AddSlowly")]
    Task<int> AddSlowly(int amount);

    [Alias("AddAfterWorkElsewhere")]
    Task<int> AddAfterWorkElsewhere(int amount);

    [Alias("AddAsValue")]
    ValueTask<int> AddAsValue(int amount);

    [Alias("Touch")]
    ValueTask Touch();

    [Alias("Describe")]
    Task<Parcel> Describe(Parcel parcel, List<int> more);

    [Alias("FailAtOnce")]
    Task FailAtOnce(string message);

    [Alias("FailLater")]
    Task<int> FailLater(string message);

    [Alias("WaitForGate")]
    Task WaitForGate();

    [Alias("WaitCancelled")]
    Task WaitCancelled(CancellationToken cancellationToken);

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

    public Task<string> Key() => Task.FromResult(this.GetPrimaryKeyString());

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

    public ValueTask<int> AddAsValue(int amount) => new(_total += amount);

    public async ValueTask Touch()
    {
        await Task.Yield();
        _total++;
    }

    public Task<Parcel> Describe(Parcel parcel, List<int> more) =>
        Task.FromResult(parcel with { Weight = parcel.Weight + more.Sum() });

    public Task FailAtOnce(string message) => throw new InvalidOperationException(message);

    public async Task<int> FailLater(string message)
    {
        await Task.Yield();
        throw new KeyNotFoundException(message);
    }

    public async Task WaitForGate()
    {
        Book.Reached.TrySetResult();
        await Book.Gate.Task;
    }

    public async Task WaitCancelled(CancellationToken cancellationToken)
    {
        Book.Reached.TrySetResult();
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Book.Write("cancelled");
            throw;
        }
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

[Alias("tests.IGuidGrain")]
public interface IGuidGrain : IGrainWithGuidKey
{
    [Alias("Key")]
    Task<Guid> Key();
}

public sealed class GuidGrain : Grain, IGuidGrain
{
    public Task<Guid> Key() => Task.FromResult(this.GetPrimaryKey());
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
    Task Churn(int rounds);

    [AlwaysInterleave]
    [Alias("Release")]
    Task Release();

    [ReadOnly]
    [Alias("Read")]
    Task<int> Read(int readersExpected);

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
    private int _reading;
    private TaskCompletionSource _readers = new();
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

    public async Task Churn(int rounds)
    {
        for (var i = 0; i < rounds; i++)
        {
            Book.Work();
            _churned++;
            await Task.Yield();
        }
    }

    public Task Release()
    {
        _released.TrySetResult();
        return Task.CompletedTask;
    }

    public async Task<int> Read(int readersExpected)
    {
        _reading++;
        Book.Write("read");
        Book.Reached.TrySetResult();
        if (_reading == readersExpected) _readers.TrySetResult();
        await _readers.Task;
        return _churned;
    }

    public async Task Write()
    {
        Book.Write("write begins");
        await Task.Delay(20);
        Book.Write("write ends");
        _readers = new();
        _reading = 0;
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

[Alias("tests.IOpenGrain")]
public interface IOpenGrain : IGrainWithStringKey
{
    [Alias("Meet")]
    Task<int> Meet(int expected);
}

[Reentrant]
public sealed class OpenGrain : Grain, IOpenGrain
{
    private readonly TaskCompletionSource _everybody = new();
    private int _here;

    public async Task<int> Meet(int expected)
    {
        if (++_here == expected) _everybody.SetResult();
        await _everybody.Task;
        return _here;
    }
}

[Alias("tests.IRingGrain")]
public interface IRingGrain : IGrainWithStringKey
{
    [ResponseTimeout("00:00:01")]
    [Alias("Round")]
    Task<int> Round(string next, string last);

    [Alias("Chain")]
    Task<int> Chain(int length);

    [Alias("Ping")]
    Task<string> Ping();
}

public sealed class RingGrain : Grain, IRingGrain
{
    public async Task<int> Round(string next, string last) =>
        1 + await GrainFactory.GetGrain<IRingGrain>(next).Round(last, next);

    public async Task<int> Chain(int length) =>
        length == 0 ? 0 : 1 + await GrainFactory.GetGrain<IRingGrain>($"{this.GetPrimaryKeyString()}.").Chain(length - 1);

    public Task<string> Ping() => Task.FromResult("pong");
}

[Alias("tests.IFragileGrain")]
public interface IFragileGrain : IGrainWithStringKey
{
    [Alias("Ping")]
    Task<string> Ping();
}

/// <summary>Its first activation of a key fails, in OnActivateAsync or, for keys that say so, in the constructor.</summary>
public sealed class FragileGrain : Grain, IFragileGrain
{
    public FragileGrain()
    {
        var book = Logbook.Of(this.GetPrimaryKeyString());
        if (this.GetPrimaryKeyString().StartsWith("constructor", StringComparison.Ordinal) && book.Entries.Count == 0)
        {
            book.Write("refused");
            throw new InvalidOperationException("Not in the mood.");
        }
    }

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var book = Logbook.Of(this.GetPrimaryKeyString());
        await Task.Yield();
        if (book.Entries.Count > 0) return;
        book.Write("refused");
        throw new InvalidOperationException("Not in the mood.");
    }

    public Task<string> Ping() => Task.FromResult("pong");
}

[Alias("tests.IRestlessGrain")]
public interface IRestlessGrain : IGrainWithStringKey
{
    [Alias("Call")]
    Task<bool> Call(int number);
}

/// <summary>Deactivates after every third call.</summary>
public sealed class RestlessGrain : Grain, IRestlessGrain
{
    private bool _active;
    private int _calls;

    private Logbook Book => Logbook.Of(this.GetPrimaryKeyString());

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Book.Activated();
        await Task.Yield();
        _active = true;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _active = false;
        await Task.Yield();
        Book.Deactivated();
    }

    public async Task<bool> Call(int number)
    {
        if (++_calls == 3) DeactivateOnIdle();
        if (number % 2 == 0) await Task.Yield();
        return _active;
    }
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

/// <summary>Given by the fixture's services.</summary>
public sealed record Greeting(string Text);

[Alias("tests.IInjectedGrain")]
public interface IInjectedGrain : IGrainWithStringKey
{
    [Alias("Greet")]
    Task<string> Greet();
}

public sealed class InjectedGrain(Greeting greeting, IGrainFactory grains) : Grain, IInjectedGrain
{
    public async Task<string> Greet() =>
        $"{greeting.Text}, {await grains.GetGrain<ITallyGrain>(this.GetPrimaryKeyString()).Key()}";
}
