using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Replicas;
using PersonaActors.Grains.Texts;

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

    /// <summary>One that is named and has an active version; or why there is none.</summary>
    public static (PreparedMapper? Mapper, Refusal? Refusal) ActiveMapper(Reading reading, Guid tenant, string? name) =>
        name is null ? default
        : reading.Take(Mapper, new ReplicaKey(ReplicaKind.Mapper, MapperKey.Of(tenant, name))) is { View: not null } found
            && found.Made(PreparedMapper.Of) is { Config: not null } mapper ? (mapper, null)
        : (null, new Refusal(RefusalKind.NotFound, "mapper_not_found", $"There is no active mapper '{Text.Shorten(name)}'.", "mapper"));

    public static PreparedMindscape? Known(Reading reading, TenantScopedKey person) =>
        reading.Take(Mindscape, new ReplicaKey(ReplicaKind.Mindscape, person)) is { View: not null } found
            ? found.Made(static side => new PreparedMindscape(side))
            : null;
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
    private IReadOnlyList<CountedLine>? _lines;
    private int _next;

    public MindscapeView View => side.View;

    /// <summary>For who counts tokens: what is known with enough confidence, the surest first.</summary>
    public IReadOnlyList<CountedLine> Lines => _lines ??= [.. KnownLines.Sure(View).Take(MaxLines).Select(trait => CountedLine.Of(KnownLines.Of(trait.Key, trait.Value)))];

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
