using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.Mindscapes;

/// <summary>
/// One mapper of a tenant, with its versions and the weights of its rules. Key: <see cref="MapperKey"/>. Their only writer but
/// for the count of uses, which the persona's own transaction raises.
/// </summary>
[Alias("mapper")]
public interface IMapperGrain : IGrainWithStringKey
{
    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<MapperView>> Grant(SiloAddress holder);

    [Alias("create")]
    Task<Outcome<MapperVersionView>> Create(Command command, string configId, JsonText configuration, MapperStatus status);

    /// <summary>The next version of it, or the first.</summary>
    [Alias("upload")]
    Task<Outcome<MapperVersionView>> Upload(Command command, string configId, JsonText configuration, MapperStatus status);

    /// <summary>Always a new version; what isn't given is the newest one's.</summary>
    [Alias("change")]
    Task<Outcome<MapperVersionView>> Change(Command command, JsonText? configuration, MapperStatus? status);

    [Alias("deprecate")]
    Task<Outcome<DeprecatedMapper>> Deprecate(Command command);

    /// <summary>Feedback doesn't move a locked rule.</summary>
    [Alias("lock-rule")]
    Task<Outcome<MapperView>> LockRule(Command command, string rule, bool locked);

    /// <summary>A new active version with the weights that feedback made.</summary>
    [Alias("publish-weights")]
    Task<Outcome<MapperVersionView>> PublishWeights(Command command);

    /// <summary>Takes into the weights whatever feedback there is that isn't in them yet. Called again it finds nothing to do.</summary>
    [Alias("learn")]
    Task<Items<RuleAdjustment>> Learn();
}
