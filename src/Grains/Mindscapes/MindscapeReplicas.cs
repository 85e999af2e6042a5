using PersonaActors.Contracts;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>The views of mindscapes and mappers, as silos hold them.</summary>
public static class MindscapeReplicas
{
    public static readonly ReplicaOf<MindscapeSide> Mindscape = new(
        static (grains, key, silo) => grains.Of<IMindscapeGrain>(new TenantScopedKey(key.Tenant, key.Id)).Grant(silo),
        static mindscape => 4096 + mindscape.View.Traits.Sum(trait => 256 + ((trait.Key.Length + trait.Value.Value.Json.Length) * 4)));

    public static readonly ReplicaOf<MapperView> Mapper = new(
        static (grains, key, silo) => grains.Of<IMapperGrain>(new TenantScopedKey(key.Tenant, key.Id)).Grant(silo),
        static mapper => 2048 + ((mapper.Active?.Configuration.Json.Length ?? 0) * 6) + (mapper.Weights.Count * 256));
}

/// <summary>What is made of a mapper's view, once for all personas.</summary>
/// <param name="Config">None where no version is active.</param>
public sealed record PreparedMapper(MapperView View, MapperConfig? Config)
{
    public static PreparedMapper Of(MapperView view) => new(
        view, view.Active is { } active ? MapperParser.Parse(System.Text.Json.JsonElement.Parse(active.Configuration.Json)).Mapper : null);

    public double? WeightOf(string rule) => Config is null ? null : WeightRules.Current(View, Config, rule)?.Weight;
}

/// <summary>What is made of a mindscape's view, once for all prompts.</summary>
public sealed class PreparedMindscape(MindscapeSide side)
{
    private const int MaxLines = 200;

    /// <summary>Few prompts of a person ask for more mappers. Read and written by many at once; one that is overwritten is made again.</summary>
    private readonly MindscapeOverlay?[] _overlays = new MindscapeOverlay?[4];
    private IReadOnlyList<ContextLine>? _lines;
    private int _next;

    public MindscapeView View => side.View;

    /// <summary>For who counts tokens: what is known with enough confidence, the surest first.</summary>
    public IReadOnlyList<ContextLine> Lines => _lines ??= [.. KnownLines.Sure(View).Take(MaxLines).Select(trait => ContextLine.Of(KnownLines.Of(trait.Key, trait.Value)))];

    public TraitFacts Facts { get; } = new(side.View.Traits, side.FocusMinutes ?? []);

    /// <param name="mapper">One that has an active version.</param>
    public MindscapeOverlay By(PreparedMapper mapper)
    {
        foreach (var overlay in _overlays)
        {
            if (ReferenceEquals(overlay?.Mapper, mapper))
            {
                return overlay!;
            }
        }

        var made = new MindscapeOverlay(this, mapper);
        _overlays[(uint)Interlocked.Increment(ref _next) % _overlays.Length] = made;
        return made;
    }
}
