using Microsoft.AspNetCore.Mvc;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Mindscapes;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Gateway.PersonaKit;

/// <summary>Mappers, also under their name twice, as the first server had them.</summary>
public static class WireMappers
{
    private const int MaxForm = MapperFile.MaxSize + (64 * 1024);

    public static void MapWireMappers(this IEndpointRouteBuilder routes)
    {
        foreach (var mappers in (string[])["/mappers", "/mappers/mappers"])
        {
            routes.MapGet(mappers, List);
            routes.MapPost(mappers, Create);
            routes.MapPost($"{mappers}/upload", Upload).WithMetadata(new RequestSizeLimitAttribute(MaxForm));
            routes.MapGet($"{mappers}/{{id}}", Get);
            routes.MapPut($"{mappers}/{{id}}", Change);
            routes.MapDelete($"{mappers}/{{id}}", Deprecate);
            routes.MapGet($"{mappers}/{{id}}/versions", Versions);
        }
    }

    private static async Task<IResult> List(HttpContext http, ActingResolver who, MapperStore store)
    {
        var query = WireBody.Query(http);
        var (skip, limit) = (query.Int("skip", 0, int.MaxValue) ?? 0, query.Int("limit", 1, 1000) ?? 100);
        var word = query.Text("status");
        var (acting, refusal) = await who.Resolve(http);
        if (query.IsInvalid || refusal is not null)
        {
            return query.IsInvalid ? query.Refuse() : refusal!.ToWire();
        }

        var status = MapperStore.StatusOf(word);
        if (word is not null && status is null)
        {
            return WireAnswers.Of(400, $"Invalid status: {word}");
        }

        var rows = await store.Latest(acting!.Tenant, status, null, limit, skip, http.RequestAborted);
        return WireAnswers.Json(new
        {
            Mappers = (await MapperEndpoints.Weighed(store, acting.Tenant, rows, http.RequestAborted)).Select(WireAnswers.Of),
            Total = await store.Count(acting.Tenant, status, http.RequestAborted),
        });
    }

    private static async Task<IResult> Create(HttpContext http, ActingResolver who, MindscapeAccess mindscapes)
    {
        var body = await WireBody.Read(http);
        var (id, configuration, status) = (body.Text("config_id", isRequired: true, min: 1, max: MapperKey.MaxName), body.Object("configuration", isRequired: true), body.Status("status"));
        if (body.IsInvalid)
        {
            return body.Refuse();
        }

        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToWire()
            : (await mindscapes.Run<MapperVersionView>(http, acting!, new { id, configuration, status }, command =>
                mindscapes.Mapper(acting!, id!).Create(command, id!, configuration!, status ?? MapperStatus.Draft))).ToWire(WireAnswers.Of);
    }

    private static async Task<IResult> Upload(HttpContext http, ActingResolver who, MindscapeAccess mindscapes)
    {
        var form = http.Request.HasFormContentType ? await http.Request.ReadFormAsync(http.RequestAborted) : FormCollection.Empty;
        if (form.Files.GetFile("file") is not { } file)
        {
            return WireBody.Missing("file");
        }

        var word = form["status"] is [{ Length: > 0 } text] ? text : "draft";
        if (MapperStore.StatusOf(word) is not { } status)
        {
            return WireAnswers.Of(400, $"Invalid status: {word}");
        }

        if (file.Length > MapperFile.MaxSize)
        {
            return WireAnswers.Of(400, "File too large. Maximum size is 1 MB.");
        }

        var kind = Path.GetExtension(file.FileName).ToLowerInvariant();
        if (kind is not (".yaml" or ".yml" or ".json"))
        {
            return WireAnswers.Of(400, "Invalid file type. Use .yaml, .yml or .json.");
        }

        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToWire();
        }

        using var reader = new StreamReader(file.OpenReadStream());
        var content = await reader.ReadToEndAsync(http.RequestAborted);
        var (configuration, mistake) = kind == ".json" ? MapperFile.ReadJson(content) : MapperFile.ReadYaml(content);
        return configuration is null
            ? WireAnswers.Of(400, mistake!)
            : (await MapperEndpoints.Add(http, acting!, mindscapes, configuration, status)).ToWire(WireAnswers.Of);
    }

    private static async Task<IResult> Get(HttpContext http, string id, ActingResolver who, MapperStore store)
    {
        var query = WireBody.Query(http);
        var version = query.Int("version", 1, int.MaxValue);
        var (acting, refusal) = await who.Resolve(http);
        return query.IsInvalid ? query.Refuse()
            : refusal is not null ? refusal.ToWire()
            : await MapperEndpoints.Find(store, acting!.Tenant, id, version, http.RequestAborted) is { } found ? WireAnswers.Json(WireAnswers.Of(found))
            : WireAnswers.Of(404, "Mapper configuration not found");
    }

    private static async Task<IResult> Versions(HttpContext http, string id, ActingResolver who, MapperStore store)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null ? refusal.ToWire()
            : await MapperEndpoints.Find(store, acting!.Tenant, id, null, http.RequestAborted) is not { } one ? WireAnswers.Of(404, "Mapper configuration not found")
            : WireAnswers.Json((await MapperEndpoints.Weighed(store, acting.Tenant, await store.Versions(acting.Tenant, one.ConfigId, http.RequestAborted), http.RequestAborted)).Select(WireAnswers.Of));
    }

    private static async Task<IResult> Change(HttpContext http, string id, ActingResolver who, MindscapeAccess mindscapes, MapperStore store)
    {
        var body = await WireBody.Read(http);
        var (configuration, status) = (body.Object("configuration"), body.Status("status"));
        return body.IsInvalid
            ? body.Refuse()
            : (await MapperEndpoints.OnNamed<MapperVersionView>(http, id, new { configuration, status }, who, mindscapes, store, (mapper, command) => mapper.Change(command, configuration, status)))
                .ToWire(WireAnswers.Of);
    }

    private static async Task<IResult> Deprecate(HttpContext http, string id, ActingResolver who, MindscapeAccess mindscapes, MapperStore store) =>
        (await MapperEndpoints.OnNamed<DeprecatedMapper>(http, id, null, who, mindscapes, store, (mapper, command) => mapper.Deprecate(command)))
            .ToWire(deprecated => new { Message = $"Deprecated {deprecated.Versions} versions of mapper '{deprecated.ConfigId}'" });
}
