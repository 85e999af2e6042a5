using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace PersonaActors.Engine;

/// <summary>
/// Everything that runs in one process: the kinds of grains, the calls under way, and the clock that both are measured by.
/// </summary>
internal sealed class GrainEngine : IGrainFactory, IDisposable
{
    internal static readonly TimeSpan DeactivationLimit = TimeSpan.FromSeconds(30);

    /// <summary>Longer than any process lives, and far from overflowing a timestamp.</summary>
    internal static readonly TimeSpan Forever = TimeSpan.FromDays(short.MaxValue);

    internal static readonly DeactivationReason ShuttingDown =
        new(DeactivationReasonCode.ShuttingDown, "This node is shutting down.");

    /// <summary>How late a deadline may be noticed, and how coarse the clock of <see cref="Now"/> is.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly EngineOptions _options;
    private readonly Dictionary<Type, GrainKind> _kindsByInterface = [];
    private readonly Lock _gate = new();
    private readonly ITimer _tick;
    private readonly ITimer _collection;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GrainInterface?[] _interfaces = [];
    private long _now;
    private long _activations;
    private volatile bool _open = true;
    private volatile bool _closed;

    public GrainEngine(IServiceProvider services, IOptions<EngineOptions> options, ILogger<GrainEngine> log, TimeProvider time)
    {
        Services = services;
        Log = log;
        Time = time;
        _options = options.Value;
        _now = time.GetTimestamp();
        Kinds = [.. FindClasses().Select(type => new GrainKind(this, type, _options.CollectionAge))];
        foreach (var kind in Kinds) Introduce(kind);

        using (ExecutionContext.SuppressFlow())
        {
            _tick = time.CreateTimer(static engine => ((GrainEngine)engine!).OnTick(), this, Tick, Tick);
            _collection = time.CreateTimer(static engine => ((GrainEngine)engine!).Collect(), this,
                _options.CollectionQuantum, _options.CollectionQuantum);
        }
        Database = new(_options.ConnectionString, services.GetService<NodeLock>());
        Reminders = new(Database, time);
        Waker = new(this, Reminders);
        EngineTelemetry.Add(this);
    }

    internal IServiceProvider Services { get; }

    internal ILogger Log { get; }

    internal TimeProvider Time { get; }

    internal EngineDatabase Database { get; }

    internal Reminders Reminders { get; }

    internal ReminderWaker Waker { get; }

    internal TimeSpan ResponseTimeout => _options.ResponseTimeout;

    internal PendingCalls Pending { get; } = new();

    internal IReadOnlyList<GrainKind> Kinds { get; }

    /// <summary>The clock's timestamp, as of the last tick.</summary>
    internal long Now => Volatile.Read(ref _now);

    /// <summary>False from the moment that it drains.</summary>
    internal bool IsOpen => _open;

    internal long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Time.TimestampFrequency);

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(primaryKey);
        return Reference<TGrainInterface>(primaryKey);
    }

    public TGrainInterface GetGrain<TGrainInterface>(Guid primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithGuidKey => Reference<TGrainInterface>(primaryKey.ToString("N"));

    private TGrainInterface Reference<TGrainInterface>(string key)
    {
        var slot = InterfaceSlot<TGrainInterface>.Index;
        var interfaces = _interfaces;
        var target = slot < interfaces.Length ? interfaces[slot] : null;
        return (TGrainInterface)(object)(target ?? Prepare(typeof(TGrainInterface), slot)).Reference(key);
    }

    private GrainInterface Prepare(Type type, int slot)
    {
        lock (_gate)
        {
            if (slot < _interfaces.Length && _interfaces[slot] is { } ready) return ready;
            var target = new GrainInterface(KindOf(type), type, _options.ResponseTimeout);
            var interfaces = _interfaces;
            if (slot >= interfaces.Length) Array.Resize(ref interfaces, Math.Max(slot + 1, 16));
            interfaces[slot] = target;
            Volatile.Write(ref _interfaces, interfaces);
            return target;
        }
    }

    internal GrainKind KindOf(Type type) => _kindsByInterface.TryGetValue(type, out var kind)
        ? kind
        : throw new ArgumentException($"No grain class in {string.Join(", ", _options.GrainAssemblies.Select(assembly => assembly.GetName().Name))} implements {type}.");

    internal IRemindable Remindable(string kindName, string key) =>
        (Kinds.FirstOrDefault(kind => kind.Name == kindName) ?? throw new InvalidOperationException($"There is no grain '{kindName}' (any more)."))
        .Remindable(key);

    private IEnumerable<Type> FindClasses() => _options.GrainAssemblies.Distinct()
        .SelectMany(assembly => assembly.GetTypes())
        .Where(type => type is { IsClass: true, IsAbstract: false, ContainsGenericParameters: false } && type.IsSubclassOf(typeof(Grain)));

    private void Introduce(GrainKind kind)
    {
        if (Kinds.FirstOrDefault(other => other != kind && other.Name == kind.Name) is { } namesake)
            throw new InvalidOperationException($"{kind.Type} and {namesake.Type} are both the grain '{kind.Name}': rename one of them.");
        foreach (var type in kind.Type.GetInterfaces())
        {
            if (!typeof(IGrain).IsAssignableFrom(type) || type.Assembly == typeof(IGrain).Assembly) continue;
            if (!_kindsByInterface.TryAdd(type, kind))
                throw new InvalidOperationException($"{kind.Type} and {_kindsByInterface[type].Type} both implement {type}: one class per grain interface.");
        }
    }

    private void OnTick()
    {
        var now = Time.GetTimestamp();
        Volatile.Write(ref _now, now);
        Pending.Expire(now);
    }

    private void Collect()
    {
        var now = Time.GetTimestamp();
        var idle = new DeactivationReason(DeactivationReasonCode.ActivationIdle, "Nobody called it for long enough.");
        foreach (var kind in Kinds)
        {
            if (kind.CollectionAge is not { } age) continue;
            var since = now - Ticks(age);
            foreach (var (_, activation) in kind.Activations) activation.DeactivateIfIdle(idle, since);
        }
    }

    internal void Born() => Interlocked.Increment(ref _activations);

    internal void Gone()
    {
        if (Interlocked.Decrement(ref _activations) == 0 && !_open) _drained.TrySetResult();
    }

    /// <summary>Once draining, only grains may still call: what is under way can end, nothing new begins.</summary>
    internal void ThrowIfClosed()
    {
        if (_closed || !_open && SynchronizationContext.Current is not Activation) throw Stopped();
    }

    private static SiloUnavailableException Stopped() => new("This node is shutting down; it takes no more calls.");

    /// <summary>Lets running and waiting calls end, then deactivates every grain.</summary>
    internal async Task DrainAsync(CancellationToken cancellationToken)
    {
        _open = false;
        foreach (var kind in Kinds)
            foreach (var (_, activation) in kind.Activations)
                activation.Nudge();
        if (Interlocked.Read(ref _activations) == 0) _drained.TrySetResult();
        try
        {
            await _drained.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Log.LogWarning("{Count} grains did not end their turns in time and were left", Interlocked.Read(ref _activations));
        }
        _closed = true;
        Pending.FailAll(Stopped);
    }

    public void Dispose()
    {
        _closed = true;
        _open = false;
        _tick.Dispose();
        _collection.Dispose();
        Waker.Dispose();
        Database.Dispose();
        EngineTelemetry.Remove(this);
    }
}
