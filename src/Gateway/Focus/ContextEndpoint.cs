using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Prompts;
using PersonaActors.Grains;
using PersonaActors.Grains.Contexts;
using PersonaActors.Grains.Mindscapes;

namespace PersonaActors.Gateway.Focus;

public enum ContextFormat
{
    Text,

    /// <summary>The messages of a chat-completions body.</summary>
    Openai,

    /// <summary>The system blocks of a messages body.</summary>
    Anthropic,
}

[AnyOf(typeof(OpenaiContext), typeof(AnthropicContext))]
public sealed record AnyContext;

public sealed record OpenaiContext(IReadOnlyList<PromptMessageShape> Messages);

public sealed record AnthropicContext(JsonText System);

/// <summary>One call for an agent that is to work with a person.</summary>
public static class ContextEndpoint
{
    /// <summary>What it comes to, in tokens.</summary>
    public const string TokensHeader = "Persona-Tokens";

    public static void MapContext(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/people/{id}/context", Get).WithTags("People")
            .WithSummary("What an agent has to know of a person, within a budget of tokens: who they are, what is known, what they are doing, and what is near to a query")
            .WithQuery("budget", typeof(int), $"Tokens, {ContextText.MinBudget}–{ContextText.MaxBudget}; {ContextText.DefaultBudget} if it isn't said. What it came to is in the header {TokensHeader}.")
            .WithQuery("mapper", typeof(string), "An active mapper, whose suggestions are told too.")
            .WithQuery("query", typeof(string), "What it is about: narratives and notes that are near to it are told.")
            .WithQuery("format", typeof(ContextFormat), "text, if it isn't said; openai and anthropic give what goes into a body.")
            .Produces<string>(200, "text/plain").Produces<AnyContext>().ProducesProblem(400).ProducesProblem(404);

    private static async Task<IResult> Get(HttpContext http, string id, ActingResolver who, IPromptDesk desk)
    {
        string? Asked(string name) => http.Request.Query[name] is [{ Length: > 0 } text, ..] ? text : null;
        var (budget, mapper, query) = (ContextText.DefaultBudget, Asked("mapper"), Asked("query"));
        var (format, invalid) = QueryWord.Read<ContextFormat>("format", Asked("format"));
        if (Asked("budget") is { } said && !int.TryParse(said, out budget))
        {
            invalid ??= Refusal.Invalid("budget", "'budget' is a number of tokens.");
        }

        invalid ??= Text.CheckRange("budget", budget, ContextText.MinBudget, ContextText.MaxBudget) ?? Text.CheckOptional("mapper", mapper, MapperKey.MaxName)
            ?? Text.CheckOptional("query", query, NarrativeRules.MaxQuery);
        var (acting, user, refusal) = await who.ActFor(http, id);
        if ((refusal ?? invalid) is { } no)
        {
            return no.ToResult();
        }

        var outcome = await desk.Context(acting!.Tenant, user, new ContextRequest(budget, mapper, query));
        if (outcome.Value is not { } context)
        {
            return outcome.Refusal!.ToResult();
        }

        http.Response.Headers[TokensHeader] = $"{context.Tokens}";
        http.Response.Headers.CacheControl = "no-store";
        var text = context.Moment is { } moment ? $"{context.Lasting}\n\n{moment}" : context.Lasting;
        return format switch
        {
            ContextFormat.Openai => Results.Json(new OpenaiContext([new PromptMessageShape("system", text)]), Wire.Json),
            ContextFormat.Anthropic => Results.Json(new { system = Blocks(context) }, Wire.Json),
            _ => Results.Text(text, "text/plain; charset=utf-8"),
        };
    }

    /// <summary>What stays is kept by the upstream.</summary>
    private static IEnumerable<JsonObject> Blocks(PersonContext context)
    {
        yield return new JsonObject { ["type"] = "text", ["text"] = context.Lasting, ["cache_control"] = new JsonObject { ["type"] = "ephemeral" } };
        if (context.Moment is { } moment)
        {
            yield return new JsonObject { ["type"] = "text", ["text"] = moment };
        }
    }
}
