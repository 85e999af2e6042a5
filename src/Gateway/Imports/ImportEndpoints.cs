using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using PersonaActors.Contracts.Jobs;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Jobs;
using PersonaActors.Grains;
using PersonaActors.Grains.Imports;
using PersonaActors.Storage.Imports;
using PersonaActors.Storage.Jobs;

namespace PersonaActors.Gateway.Imports;

/// <param name="From">The connection string of the other database, as the node that does the job reaches it.</param>
/// <param name="OrphansTo">Whose personas are to be that nobody owns or uses: a user by id or provider:subject, here or there.</param>
public sealed record LegacyBody(string? From, string? OrphansTo);

/// <param name="From">The connection string of PersonaKit's database, as the node that does the job reaches it.</param>
public sealed record PersonaKitBody(string? From);

/// <summary>Something that an import had to change.</summary>
public sealed record ImportedNote(string Key, string Table, string Id, string Field, string Note);

/// <summary>Imports from elsewhere: each is a job.</summary>
public static class ImportEndpoints
{
    private const int MaxConnectionString = 4000;
    private const int MaxKey = 1000;

    private static readonly Refusal NoFile = Refusal.NotFound("file");
    private static readonly Refusal Expired = new(RefusalKind.Gone, "archive_expired", "An archive can be fetched for a day: make another one.");

    public static void MapImports(this IEndpointRouteBuilder routes)
    {
        var imports = routes.MapGroup("/v1/imports").WithTags("Imports").WithMetadata(new RequestSizeLimitAttribute(UploadedFile.MaxSize));
        imports.MapPost("shapes", Shapes).WithSummary("Imports a character from shapes.inc for a user, again in place; with ?dryRun=true it only says what would happen").Produces<JobView>(201).ProducesProblem(400);
        imports.MapPost("legacy", Legacy).WithSummary("Brings a database of the first founding document's tables into a tenant, in one transaction; again it brings what is new there; with ?dryRun=true it only says what would happen")
            .RequireAuthorization(Policies.Operator).Produces<JobView>(201).ProducesProblem(400);
        imports.MapPost("personakit", PersonaKit).WithSummary("Brings PersonaKit's mappers, observations, narratives, mindscapes, personas and feedback into a tenant; its report names whom to make keys for; with ?dryRun=true it only says what would happen")
            .RequireAuthorization(Policies.Operator).Produces<JobView>(201).ProducesProblem(400);
        imports.MapPost("archive", Archive).WithSummary("Restores a user's archive in an empty tenant; with ?dryRun=true it only says what would happen").RequireAuthorization(Policies.Operator)
            .WithMetadata(new RequestSizeLimitAttribute(UploadedFile.MaxArchive)).Accepts<string>("application/zip", "application/octet-stream", "application/json", "multipart/form-data")
            .Produces<JobView>(201).ProducesProblem(400);
        routes.MapPost("/v1/users/{id}/export", Export).WithTags("Imports").WithSummary("Makes an archive of everything a user owns").Produces<JobView>(201).ProducesProblem(404);
        routes.MapGet("/v1/jobs/{id:guid}/file", File).WithTags("Jobs").WithSummary("The archive that a job made, for a day").Produces<string>(200, "application/zip")
            .ProducesProblem(404).ProducesProblem(410);
        routes.MapGet("/v1/jobs/{id:guid}/notes", Notes).WithTags("Jobs").WithSummary("What an import had to change or leave out").Produces<Page<ImportedNote>>().ProducesProblem(404);
    }

    private static async Task<IResult> Legacy(HttpContext http, LegacyBody body, bool? dryRun, ActingResolver who, JobDesk jobs)
    {
        var (acting, refusal) = await who.Resolve(http);
        return (refusal ?? Text.CheckRequired("from", body.From, MaxConnectionString) ?? Text.CheckOptional("orphansTo", body.OrphansTo, 310)) is { } no
            ? no.ToResult()
            : await jobs.Start(http, acting!, LegacyImport.Kind, null, JsonText.From(new LegacyImport.Input(body.From!, body.OrphansTo, dryRun is true)), new { body, dryRun });
    }

    private static async Task<IResult> PersonaKit(HttpContext http, PersonaKitBody body, bool? dryRun, ActingResolver who, JobDesk jobs)
    {
        var (acting, refusal) = await who.Resolve(http);
        return (refusal ?? Text.CheckRequired("from", body.From, MaxConnectionString)) is { } no
            ? no.ToResult()
            : await jobs.Start(http, acting!, PersonaKitImport.Kind, null, JsonText.From(new PersonaKitImport.Input(body.From!, dryRun is true)), new { body, dryRun });
    }

    private static async Task<IResult> Archive(HttpContext http, bool? dryRun, ActingResolver who, JobDesk jobs)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var (file, unread) = await UploadedFile.Read(http);
        return (unread ?? ArchiveFile.Read(file).Refusal) is { } invalid
            ? invalid.ToResult()
            : await jobs.Start(http, acting!, ArchiveImport.Kind, null, JsonText.From(new ArchiveImport.Input(dryRun is true)), new { file = Convert.ToHexStringLower(SHA256.HashData(file)), dryRun }, file);
    }

    private static async Task<IResult> Export(HttpContext http, string id, ActingResolver who, JobDesk jobs, UserStandings standings)
    {
        var (acting, user, refusal) = await who.Account(http, id);
        return refusal is not null || await standings.Of(acting!.Tenant, user) == Standing.Unknown
            ? (refusal ?? Refusal.NotFound("user")).ToResult()
            : await jobs.Start(http, acting, UserExport.Kind, user, JsonText.EmptyObject, null);
    }

    private static async Task<IResult> File(HttpContext http, Guid id, ActingResolver who, JobDesk jobs, JobFileStore files, Clock time)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null || await jobs.Find(acting!, id, http.RequestAborted) is not { } job || await job.Get() is not { Value: var view })
        {
            return (refusal ?? JobDesk.NotFound).ToResult();
        }

        var found = await files.Find(acting!.Tenant, id, JobFileStore.Archive, http.RequestAborted);
        return found is { ExpiresAt: { } until } && until > time.GetUtcNow() ? Results.File(found.Content, "application/zip", $"{view.UserId}.zip")
            : found is not null || (view.Kind == UserExport.Kind && view.Status == JobStatus.Done) ? Expired.ToResult()
            : NoFile.ToResult();
    }

    private static async Task<IResult> Notes(HttpContext http, Guid id, ActingResolver who, JobDesk jobs, StagingStore staging)
    {
        var (acting, refusal) = await who.Resolve(http);
        var (limit, invalid) = PageQuery.ReadLimit(http);
        var after = http.Request.Query["after"].ToString();
        if ((refusal ?? invalid ?? (after.Length > MaxKey || after.Contains('\0') ? PageQuery.BadAfter : null)) is { } no)
        {
            return no.ToResult();
        }

        if (await jobs.Find(acting!, id, http.RequestAborted) is null)
        {
            return JobDesk.NotFound.ToResult();
        }

        var rows = await staging.List(acting!.Tenant, id, "note", after, limit + 1, http.RequestAborted);
        return Answers.Page(rows.ConvertAll(row => row.Row.Read<ImportedNote>() with { Key = row.Id }), limit, note => note.Key);
    }

    private static async Task<IResult> Shapes(HttpContext http, JsonElement body, string? user, bool? dryRun, ActingResolver who, JobDesk jobs)
    {
        var (acting, owner, refusal) = await who.ActFor(http, user);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        // What is wrong with it as such is said at once.
        var export = new JsonText(JsonSerializer.Serialize(body, Wire.Json));
        return (ShapesFile.Parse(body).Refusal ?? Text.CheckJson("body", export, null, body.ValueKind, UploadedFile.MaxSize)) is { } invalid
            ? invalid.ToResult()
            : await jobs.Start(http, acting!, ShapesImport.Kind, owner, JsonText.From(new ShapesImport.Input(export, dryRun is true)), export);
    }
}
