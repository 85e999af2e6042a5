namespace PersonaActors.Grains;

/// <summary>
/// A grain whose version others may read (<see cref="LiveVersions"/>), from its coming to its leaving. It holds what was last
/// committed as one reference, so that reads which interleave see it whole.
/// </summary>
/// <typeparam name="TGrain">The interface that others ask it by.</typeparam>
public abstract class LiveGrain<TGrain, TState>(LiveVersions versions) : Grain
    where TGrain : IGrain
{
    private LiveVersion? _live;

    protected TState State
    {
        get;
        set
        {
            field = value;
            _live?.Value = VersionOf(value);
        }
    } = default!;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        State = await Load();
        _live = versions.Begin<TGrain>(this.GetPrimaryKeyString(), VersionOf(State));
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        versions.End<TGrain>(this.GetPrimaryKeyString(), _live);
        return Task.CompletedTask;
    }

    protected abstract Task<TState> Load();

    /// <summary>0 for what isn't there.</summary>
    protected abstract long VersionOf(TState state);
}
