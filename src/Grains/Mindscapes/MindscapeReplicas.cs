using PersonaActors.Contracts;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>The views of mindscapes and mappers, as silos hold them.</summary>
public static class MindscapeReplicas
{
    public static readonly ReplicaOf<MindscapeView> Mindscape = new(
        static (grains, key, silo) => grains.Of<IMindscapeGrain>(new TenantScopedKey(key.Tenant, key.Id)).Grant(silo),
        static mindscape => 1024 + mindscape.Traits.Sum(trait => 256 + ((trait.Key.Length + trait.Value.Value.Json.Length) * 2)));

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
