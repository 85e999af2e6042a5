using System.Text.Json;
using System.Text.Json.Nodes;

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
            OutcomeKind.Created => new EntityResult(ToJson(outcome.Value), StatusCodes.Status201Created, outcome.At, location?.Invoke(outcome.Value!)),
            OutcomeKind.Deleted => new EntityResult(null, StatusCodes.Status204NoContent, outcome.At),
            _ => new EntityResult(ToJson(outcome.Value), StatusCodes.Status200OK, outcome.At),
        };

    /// <summary>An entity with the cursor of its stream, in a header and in the body.</summary>
    public static IResult ToResult<T>(this Read<T> read)
        where T : class => new EntityResult(ToJson(read.Value), StatusCodes.Status200OK, new StreamCursor(read.Epoch, read.Seq));

    /// <summary>A thing that no stream of its own tells of.</summary>
    public static IResult Entity<T>(T value)
        where T : class => new EntityResult(ToJson(value), StatusCodes.Status200OK, null);

    /// <summary>A page of a list; <c>next</c> is given back as <c>after</c>.</summary>
    public static IResult Page<T>(List<T> rows, int limit, Func<T, string> cursor) =>
        Results.Json(new Page<T>(rows.Count > limit ? rows[..limit] : rows, rows.Count > limit ? cursor(rows[limit - 1]) : null), Wire.Json);

    /// <summary>A page of a list that is in memory whole, in the order of its cursors.</summary>
    public static IResult Page<T>(HttpContext http, IEnumerable<T> all, Func<T, string> cursor)
    {
        var (limit, refusal) = PageQuery.ReadLimit(http);
        var after = http.Request.Query["after"].ToString();
        return refusal is not null
            ? refusal.ToResult()
            : Page([.. all.Where(item => string.CompareOrdinal(cursor(item), after) > 0).OrderBy(cursor, StringComparer.Ordinal).Take(limit + 1)], limit, cursor);
    }

    private static JsonObject ToJson<T>(T? value) => JsonSerializer.SerializeToNode(value, Wire.Json)!.AsObject();
}

/// <summary>Some of a list. <c>next</c> is given back as <c>after</c>, until there is none.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>An entity as it is answered to reads and to writes: its version as ETag, and the position of its stream, in a header and in the body.</summary>
public sealed class EntityResult(JsonObject? body, int status, StreamCursor? at, string? location = null) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = status;
        if (at is not null)
        {
            response.Headers[Answers.CursorHeader] = $"{at.Epoch}:{at.Seq}";
        }

        if (location is not null)
        {
            response.Headers.Location = location;
        }

        if (body is null)
        {
            return Task.CompletedTask;
        }

        if (body["version"] is { } version)
        {
            response.Headers.ETag = $"\"{version}\"";
        }

        if (at is not null)
        {
            body["cursor"] = new JsonObject { ["epoch"] = at.Epoch, ["seq"] = at.Seq };
        }

        return response.WriteAsJsonAsync(body, Wire.Json);
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
