using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.Mindscapes;

public sealed record NewMapperBody(string? ConfigId, JsonObject? Configuration, MapperStatus? Status);

public sealed record MapperBody(JsonObject? Configuration, MapperStatus? Status);

public sealed record LockBody(bool? Locked);

public sealed record MapperWeights(IReadOnlyDictionary<string, RuleWeight> Rules);

/// <param name="Traits">As if they were so: {path: value}.</param>
/// <param name="Configuration">Tried in place of the mapper's active version.</param>
public sealed record SimulateBody(string? Person, JsonObject? Context, JsonObject? Traits, JsonObject? Configuration);

/// <summary>Mappers: versions, the weights that feedback made, and trying one on a person.</summary>
public static class MapperEndpoints
{
    private static readonly Refusal NotFound = new(RefusalKind.NotFound, "mapper_not_found", "Mapper configuration not found");

    public static void MapMappers(this IEndpointRouteBuilder routes)
    {
        var mappers = routes.MapGroup("/v1/mappers").WithTags("Mappers");
        mappers.MapGet("", List).WithSummary("Lists mappers, the newest version of each, by name").Produces<Page<MapperVersionView>>();
        mappers.MapPost("", Create).WithSummary("Makes a mapper: its first version").Produces<MapperVersionView>(201).ProducesProblem(400).ProducesProblem(409);
        mappers.MapPost("upload", Upload).WithSummary("The next version of a mapper from a file, YAML or JSON, as the request's body; ?status=").Accepts<string>("application/yaml", "application/json")
            .Produces<MapperVersionView>(201).ProducesProblem(400);
        mappers.MapGet("{id}", Get).WithSummary("A version of a mapper: by its id, or the newest (or ?version=) of a name").Produces<MapperVersionView>().ProducesProblem(404);
        mappers.MapGet("{id}/versions", Versions).WithSummary("All versions of a mapper, the newest first").Produces<Page<MapperVersionView>>().ProducesProblem(404);
        mappers.MapGet("{id}/weights", Weights).WithSummary("What feedback made of a mapper's rules, and which are locked").Produces<MapperWeights>().ProducesProblem(404);
        mappers.MapPut("{id}", Change).WithSummary("A new version of a mapper; becoming active it replaces the active one").Produces<MapperVersionView>(201).ProducesProblem(404);
        mappers.MapDelete("{id}", Deprecate).WithSummary("Deprecates all versions of a mapper").Produces<DeprecatedMapper>().ProducesProblem(404);
        mappers.MapPut("{id}/rules/{rule}/lock", LockRule).WithSummary("Keeps feedback from moving a rule's weight, or lets it").Produces<MapperWeights>().ProducesProblem(404);
        mappers.MapPost("{id}/weights:publish", Publish).WithSummary("A new active version with the weights that feedback made").Produces<MapperVersionView>(201).ProducesProblem(404);
        mappers.MapPost("{id}:simulate", Simulate).WithSummary("Tries a mapper on a person: which conditions hold, and why").WritesNothing().Produces<JsonObject>().ProducesProblem(404);
    }

    private static async Task<IResult> List(HttpContext http, string? status, ActingResolver who, MapperStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        var (limit, invalid) = PageQuery.ReadLimit(http);
        var only = MapperStore.StatusOf(status);
        if (status is not null && only is null)
        {
            invalid ??= Refusal.Invalid("status", "'status' is draft, active or deprecated.");
        }

        if ((refusal ?? invalid) is { } no)
        {
            return no.ToResult();
        }

        var after = http.Request.Query["after"] is [{ } text] ? text : null;
        var rows = await store.Latest(acting!.Tenant, only, after, limit + 1, 0, http.RequestAborted);
        return Answers.Page(await Weighed(store, acting.Tenant, rows, http.RequestAborted), limit, mapper => mapper.ConfigId);
    }

    private static async Task<IResult> Create(HttpContext http, NewMapperBody body, ActingResolver who, MindscapeAccess mindscapes)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is null && body.ConfigId is null)
        {
            refusal = Refusal.Invalid("configId", "'configId' is required.");
        }

        if (refusal is null && body.Configuration is null)
        {
            refusal = Refusal.Invalid("configuration", "'configuration' is required.");
        }

        return refusal is not null
            ? refusal.ToResult()
            : (await mindscapes.Run<MapperVersionView>(http, acting!, body, command => mindscapes.Mapper(acting!, body.ConfigId!).Create(
                command, body.ConfigId!, new JsonText(body.Configuration!.ToJsonString(Wire.Json)), body.Status ?? MapperStatus.Draft))).ToResult(made => $"/v1/mappers/{made.Id}");
    }

    private static async Task<IResult> Upload(HttpContext http, string? status, ActingResolver who, MindscapeAccess mindscapes)
    {
        var (acting, refusal) = await who.Resolve(http);
        var wanted = MapperStore.StatusOf(status);
        if (refusal is null && status is not null && wanted is null)
        {
            refusal = Refusal.Invalid("status", "'status' is draft, active or deprecated.");
        }

        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        using var reader = new StreamReader(http.Request.Body);
        var text = await reader.ReadToEndAsync(http.RequestAborted);
        var (configuration, mistake) = http.Request.ContentType?.Contains("json", StringComparison.OrdinalIgnoreCase) is true ? MapperFile.ReadJson(text) : MapperFile.ReadYaml(text);
        return configuration is null
            ? Refusal.Invalid("file", mistake!).ToResult()
            : (await Add(http, acting!, mindscapes, configuration, wanted ?? MapperStatus.Draft)).ToResult(made => $"/v1/mappers/{made.Id}");
    }

    /// <summary>The next version of the mapper that a configuration itself names.</summary>
    public static Task<Outcome<MapperVersionView>> Add(HttpContext http, Acting acting, MindscapeAccess mindscapes, JsonText configuration, MapperStatus status)
    {
        var id = JsonNode.Parse(configuration.Json)?["metadata"] is JsonObject metadata && metadata["id"] is JsonValue named && named.TryGetValue<string>(out var text) ? text : null;
        return id is not { Length: > 0 and <= MapperKey.MaxName }
            // Without a name there is no mapper to ask; what else is wrong with it is said all the same.
            ? Task.FromResult<Outcome<MapperVersionView>>(MapperGrain.Invalid(MapperParser.Parse(System.Text.Json.JsonElement.Parse(configuration.Json)).Mistakes))
            : mindscapes.Run<MapperVersionView>(http, acting, configuration, command => mindscapes.Mapper(acting, id).Upload(command, id, configuration, status));
    }

    private static async Task<IResult> Get(HttpContext http, string id, int? version, ActingResolver who, MapperStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is null && await Find(store, acting!.Tenant, id, version, http.RequestAborted) is { } found
            ? Results.Json(found, Wire.Json)
            : (refusal ?? NotFound).ToResult();
    }

    private static async Task<IResult> Versions(HttpContext http, string id, ActingResolver who, MapperStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null || await NameOf(store, acting!.Tenant, id, http.RequestAborted) is not { } name || await store.Versions(acting.Tenant, name, http.RequestAborted) is not { Count: > 0 } versions)
        {
            return (refusal ?? NotFound).ToResult();
        }

        return Results.Json(new Page<MapperVersionView>(await Weighed(store, acting.Tenant, versions, http.RequestAborted), null), Wire.Json);
    }

    private static async Task<IResult> Weights(HttpContext http, string id, ActingResolver who, MapperStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null || await NameOf(store, acting!.Tenant, id, http.RequestAborted) is not { } name
            ? (refusal ?? NotFound).ToResult()
            : Results.Json(new MapperWeights((await store.Weights(acting.Tenant, name, http.RequestAborted)).OrderBy(row => row.Rule, StringComparer.Ordinal).ToDictionary(row => row.Rule, row => row.Weight)), Wire.Json);
    }

    private static async Task<IResult> Change(HttpContext http, string id, MapperBody body, ActingResolver who, MindscapeAccess mindscapes, MapperStore store)
    {
        var configuration = body.Configuration is { } given ? new JsonText(given.ToJsonString(Wire.Json)) : null;
        return (await OnNamed<MapperVersionView>(http, id, body, who, mindscapes, store, (mapper, command) => mapper.Change(command, configuration, body.Status)))
            .ToResult(made => $"/v1/mappers/{made.Id}");
    }

    private static async Task<IResult> Deprecate(HttpContext http, string id, ActingResolver who, MindscapeAccess mindscapes, MapperStore store) =>
        (await OnNamed<DeprecatedMapper>(http, id, null, who, mindscapes, store, (mapper, command) => mapper.Deprecate(command))).ToResult();

    private static async Task<IResult> LockRule(HttpContext http, string id, string rule, LockBody body, ActingResolver who, MindscapeAccess mindscapes, MapperStore store) => body.Locked is { } locked
        ? (await OnNamed<MapperView>(http, id, body, who, mindscapes, store, (mapper, command) => mapper.LockRule(command, rule, locked))).Show(view => new MapperWeights(view.Weights)).ToResult()
        : Refusal.Invalid("locked", "'locked' is true or false.").ToResult();

    private static async Task<IResult> Publish(HttpContext http, string id, ActingResolver who, MindscapeAccess mindscapes, MapperStore store) =>
        (await OnNamed<MapperVersionView>(http, id, null, who, mindscapes, store, (mapper, command) => mapper.PublishWeights(command))).ToResult(made => $"/v1/mappers/{made.Id}");

    private static async Task<IResult> Simulate(HttpContext http, string id, SimulateBody body, MindscapeAccess mindscapes)
    {
        var (acting, person, refusal) = await mindscapes.Find(http, body.Person);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        static JsonText Of(JsonObject? json) => new((json ?? []).ToJsonString(Wire.Json));
        var outcome = await mindscapes.Of(acting!, person).Simulate(
            acting!.Actor, new SimulationRequest(id, Of(body.Context), Of(body.Traits), body.Configuration is null ? null : Of(body.Configuration)));
        return outcome.ToResult();
    }

    /// <summary>A command on the mapper that a path names: by name, or by one of its versions.</summary>
    public static async Task<Outcome<T>> OnNamed<T>(
        HttpContext http, string id, object? body, ActingResolver who, MindscapeAccess mindscapes, MapperStore store, Func<IMapperGrain, Command, Task<Outcome<T>>> call)
        where T : class
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null || await NameOf(store, acting!.Tenant, id, http.RequestAborted) is not { } name
            ? refusal ?? NotFound
            : await mindscapes.Run<T>(http, acting, body, command => call(mindscapes.Mapper(acting, name), command));
    }

    private static async Task<string?> NameOf(MapperStore store, Guid tenant, string id, CancellationToken cancel) =>
        Guid.TryParse(id, out var version) ? (await store.Find(tenant, version, cancel))?.ConfigId : id;

    public static async Task<MapperVersionView?> Find(MapperStore store, Guid tenant, string id, int? version, CancellationToken cancel)
    {
        var found = Guid.TryParse(id, out var one)
            ? await store.Find(tenant, one, cancel)
            : (await store.Versions(tenant, id, cancel)).Find(its => version is null || its.Version == version);
        return found is null ? null : (await Weighed(store, tenant, [found], cancel))[0];
    }

    /// <summary>What feedback made of the weights, shown in the versions that are used.</summary>
    public static async Task<List<MapperVersionView>> Weighed(MapperStore store, Guid tenant, List<MapperVersionView> versions, CancellationToken cancel)
    {
        var weights = (await store.Weights(tenant, versions.Select(version => version.ConfigId).Distinct().Count() == 1 ? versions[0].ConfigId : null, cancel))
            .ToLookup(row => row.ConfigId, StringComparer.Ordinal);
        return versions.ConvertAll(version =>
        {
            if (version.Status != MapperStatus.Active || !weights.Contains(version.ConfigId))
            {
                return version;
            }

            var view = new MapperView(version.ConfigId, version.Version, version, System.Collections.Immutable.ImmutableDictionary.CreateRange(
                StringComparer.Ordinal, weights[version.ConfigId].Select(row => KeyValuePair.Create(row.Rule, row.Weight))));
            return version with { Configuration = MapperGrain.WithWeights(version.Configuration, PreparedMapper.Of(view).WeightOf) };
        });
    }
}
