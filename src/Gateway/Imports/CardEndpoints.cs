using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;
using PersonaActors.Contracts.Jobs;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Jobs;
using PersonaActors.Gateway.Personalities;
using PersonaActors.Grains.Cards;
using PersonaActors.Grains.Imports;
using PersonaActors.Storage.Personalities;

namespace PersonaActors.Gateway.Imports;

/// <summary>Character cards in and out: of the first three versions, as JSON, in a picture, in an archive.</summary>
public static class CardEndpoints
{
    private const string Png = "image/png";
    private const string Zip = "application/zip";

    private static readonly Refusal Hidden = Refusal.Forbidden("definition_private", "A card is a personality's inside, which is shown to those with a role only.");

    private static readonly Refusal BadFormat = Refusal.Invalid("format", "'format' is json, png or charx.");

    /// <summary>What a card would become.</summary>
    public sealed record CardPreview(string? Slug, PersonalityDraft Personality);

    public static void MapCards(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/imports/cards", Import).WithTags("Imports")
            .WithSummary("Makes a private personality of a character card: JSON, PNG or CHARX, as the body or as a form's file; with ?dryRun=true it only says what would become of it")
            .WithMetadata(new RequestSizeLimitAttribute(UploadedFile.MaxSize))
            .Accepts<string>("application/json", UploadedFile.Types).Produces<PersonalityView>(201).Produces<CardPreview>().ProducesProblem(400).ProducesProblem(409);
        routes.MapPost("/v1/imports/card-collections", ImportAll).WithTags("Imports")
            .WithSummary("Makes private personalities of the cards in a zip, for a user; those brought before stay as they are; with ?dryRun=true it only says what would happen")
            .WithMetadata(new RequestSizeLimitAttribute(UploadedFile.MaxArchive))
            .Accepts<string>(Zip, "application/octet-stream", "application/json", "multipart/form-data").Produces<JobView>(201).ProducesProblem(400);
        routes.MapGet("/v1/personalities/{personality}/card", Export).WithTags("Imports")
            .WithSummary("A personality as a character card; one that was imported goes out as it came in, with what was changed since: ?format=json, png or charx")
            .Produces<JsonObject>().Produces<string>(200, Png, Zip).ProducesProblem(403).ProducesProblem(404);
    }

    private static async Task<IResult> Import(HttpContext http, bool? dryRun, ActingResolver who, Commands commands, IGrainFactory grains, Clock time)
    {
        var (acting, refusal) = await who.Resolve(http);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var (file, unread) = await UploadedFile.Read(http);
        if (unread is not null)
        {
            return unread.ToResult();
        }

        var (card, imported, bad) = CardFile.Read(file);
        if (card is null)
        {
            return bad!.ToResult();
        }

        var id = Guid.CreateVersion7(time.GetUtcNow());
        var draft = card.ToDraft();
        if (dryRun is true)
        {
            var (would, invalid) = FreeSlugs.WouldBe(draft, id, time.GetUtcNow());
            return invalid is not null ? invalid.ToResult() : Results.Json(new CardPreview(would.Slug, would), Wire.Json);
        }

        return (await commands.Run<PersonalityView>(http, acting!, new { file = Convert.ToHexStringLower(SHA256.HashData(file)) }, command =>
            FreeSlugs.Import(grains.Of<IPersonalityGrain>(new TenantScopedKey(acting!.Tenant, id)), command, draft, id, imported))).ToResult(made => $"/v1/personalities/{made.Slug}");
    }

    private static async Task<IResult> ImportAll(HttpContext http, string? user, bool? dryRun, ActingResolver who, JobDesk jobs)
    {
        var (acting, owner, refusal) = await who.ActFor(http, user);
        if (refusal is not null)
        {
            return refusal.ToResult();
        }

        var (file, unread) = await UploadedFile.Read(http);
        return (unread ?? CardsImport.Check(file)) is { } invalid
            ? invalid.ToResult()
            : await jobs.Start(http, acting!, CardsImport.Kind, owner, JsonText.From(new CardsImport.Input(dryRun is true)), new { file = Convert.ToHexStringLower(SHA256.HashData(file)) }, file);
    }

    private static async Task<IResult> Export(
        HttpContext http, string personality, string? format, ActingResolver who, PersonalityIndex index, IGrainFactory grains, CardStore cards)
    {
        var (acting, read, refusal) = await PersonalityEndpoints.Find(http, personality, who, index, grains);
        CardFormat? asked = format switch { null or "json" => CardFormat.Json, "png" => CardFormat.Png, "charx" => CardFormat.Charx, _ => null };
        if ((refusal ?? (asked is null ? BadFormat : null)) is { } no)
        {
            return no.ToResult();
        }

        var view = read!.Value;
        if (!view.MaySeeDefinition(acting!.Actor))
        {
            return Hidden.ToResult();
        }

        var imported = await cards.Find(acting.Tenant, view.Id, http.RequestAborted);
        var card = imported is null ? Card.Of(view) : Card.Parse(imported.Card.Json).Card!.With(view);
        var wanted = asked!.Value;
        return Results.File(CardFile.Write(card, imported, wanted), wanted switch
        {
            CardFormat.Json => "application/json",
            CardFormat.Png => Png,
            _ => Zip,
        }, $"{view.Slug}.{format ?? "json"}");
    }
}
