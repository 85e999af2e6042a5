using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts;

namespace PersonaActors.Gateway.Http;

/// <summary>How outcomes and reads look in HTTP.</summary>
public static class Answers
{
    /// <summary>The position of the entity's stream when it was read: <c>{epoch}:{seq}</c>.</summary>
    public const string CursorHeader = "Persona-Cursor";

    public static IResult ToResult<T>(this Outcome<T> outcome, Func<T, string>? location = null)
        where T : class => outcome.Kind switch
        {
            OutcomeKind.Refused => outcome.Refusal!.ToResult(),
            OutcomeKind.Created => Results.Json(outcome.Value, Wire.Json, statusCode: StatusCodes.Status201Created).WithLocation(location?.Invoke(outcome.Value!)),
            OutcomeKind.Deleted => Results.NoContent(),
            _ => Results.Json(outcome.Value, Wire.Json),
        };

    /// <summary>An entity with the cursor of its stream, in a header and in the body.</summary>
    public static IResult ToResult<T>(this Read<T> read)
        where T : class => new ReadResult<T>(read);

    /// <summary>A page of a list; <c>next</c> is given back as <c>after</c>.</summary>
    public static IResult Page<T>(List<T> rows, int limit, Func<T, string> cursor) =>
        Results.Json(new { items = rows.Take(limit), next = rows.Count > limit ? cursor(rows[limit - 1]) : null }, Wire.Json);

    /// <summary>A page of a list that is in memory whole, in the order of its cursors.</summary>
    public static IResult Page<T>(HttpContext http, IEnumerable<T> all, Func<T, string> cursor)
    {
        var (limit, refusal) = PageQuery.ReadLimit(http);
        var after = http.Request.Query["after"].ToString();
        return refusal is not null
            ? refusal.ToResult()
            : Page([.. all.Where(item => string.CompareOrdinal(cursor(item), after) > 0).OrderBy(cursor, StringComparer.Ordinal).Take(limit + 1)], limit, cursor);
    }

    private static IResult WithLocation(this IResult result, string? location) => location is null ? result : new Located(result, location);

    private sealed class Located(IResult inner, string location) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.Location = location;
            return inner.ExecuteAsync(httpContext);
        }
    }

    private sealed class ReadResult<T>(Read<T> read) : IResult
        where T : class
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers[CursorHeader] = $"{read.Epoch}:{read.Seq}";
            var body = JsonSerializer.SerializeToNode(read.Value, Wire.Json)!.AsObject();
            body["cursor"] = new JsonObject { ["epoch"] = read.Epoch, ["seq"] = read.Seq };
            return httpContext.Response.WriteAsJsonAsync(body, Wire.Json);
        }
    }
}

/// <summary>Paging of every list: at most 200 a page, 50 by default.</summary>
/// <param name="Search">What the name has to contain, in any case; null for all.</param>
public readonly record struct PageQuery(Guid After, int Limit, string? Search)
{
    public const int MaxLimit = 200;
    public const int MaxSearch = 255;

    public static readonly Refusal BadAfter = Refusal.Invalid("after", "'after' is the 'next' of the page before.");

    public static (PageQuery Page, Refusal? Refusal) Read(HttpContext http, string? search = null)
    {
        var (limit, refusal) = ReadLimit(http);
        if ((refusal ?? CheckSearch(search)) is { } no)
        {
            return (default, no);
        }

        var after = Guid.Empty;
        return http.Request.Query.TryGetValue("after", out var text) && !Guid.TryParse(text, out after)
            ? (default, BadAfter)
            : (new PageQuery(after, limit, Trimmed(search)), null);
    }

    public static Refusal? CheckSearch(string? search) => search?.Length > MaxSearch || search?.Contains('\0') is true
        ? Refusal.Invalid("search", $"'search' is a text of at most {MaxSearch} characters.")
        : null;

    /// <summary>A search as the stores take it; a blank one is none.</summary>
    public static string? Trimmed(string? search) => string.IsNullOrWhiteSpace(search) ? null : search.Trim();

    /// <summary>For lists in an order that has a cursor of its own.</summary>
    public static (int Limit, Refusal? Refusal) ReadLimit(HttpContext http)
    {
        var limit = 50;
        return http.Request.Query.TryGetValue("limit", out var text) && (!int.TryParse(text, out limit) || limit is < 1 or > MaxLimit)
            ? (0, Refusal.Invalid("limit", $"'limit' is a number from 1 to {MaxLimit}."))
            : (limit, null);
    }
}
