using System.Globalization;
using System.Text;
using System.Text.Json;
using PersonaActors.Contracts.Events;

namespace PersonaActors.Storage.Events;

/// <summary>How far a stream goes, as another process says it.</summary>
/// <param name="Passing">An event that is stored nowhere, and so comes whole.</param>
public readonly record struct EventHint(Guid? Tenant, string Stream, long Seq, StreamEvent? Passing = null);

/// <summary>
/// What processes tell each other over PostgreSQL's notifications: who tells, then lines of tenant, stream and number. A
/// hint carries no event; whoever cares reads the log, which is the truth, and a lost hint is made good by the next check.
/// </summary>
public static class EventHints
{
    public const string Channel = "persona_events";

    /// <summary>PostgreSQL takes less than 8,000 bytes a notification.</summary>
    private const int MaxPayload = 7900;

    private const string Sender = "from ";

    /// <summary>In place of a number: instead of the stream's name follows an event that is stored nowhere.</summary>
    private const string Passing = "~";

    // What may be lost need not wait for the disk.
    private const string SendSql = $"""
        WITH hasty AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
        SELECT pg_notify('{Channel}', payload) FROM hasty, unnest($1::text[]) AS payload
        """;

    /// <param name="node">The process that tells, if it hears hints itself: it passes over its own.</param>
    public static Task Send(Database database, string? node, IEnumerable<EventHint> hints, CancellationToken cancel) =>
        database.Worker.Run(SendSql, cancel, Sql.Texts([.. Pack($"{Sender}{node}\n", hints.Select(Line))]));

    public static Task Send(Database database, Guid? tenant, IReadOnlyList<StreamEvent> events, CancellationToken cancel) =>
        Send(database, null, events.Select(e => new EventHint(tenant, e.Stream, e.Seq)), cancel);

    private static string Line(EventHint hint) => hint.Passing is null
        ? $"{hint.Tenant?.ToString("N")} {hint.Seq} {hint.Stream}"
        : $"{hint.Tenant?.ToString("N")} {Passing} {JsonText.From(hint.Passing)}";

    private static IEnumerable<string> Pack(string head, IEnumerable<string> lines)
    {
        var payload = new StringBuilder(head);
        foreach (var line in lines)
        {
            // Names of streams are ours, so they are ASCII but for channels; two bytes a character is more than enough room.
            if (payload.Length > head.Length && (payload.Length + line.Length + 1) * 2 > MaxPayload)
            {
                yield return payload.ToString();
                payload.Clear().Append(head);
            }

            payload.Append(line).Append('\n');
        }

        if (payload.Length > head.Length)
        {
            yield return payload.ToString();
        }
    }

    /// <summary>Lines that aren't hints (another version's, anybody's) are passed over, and so is what this process told itself.</summary>
    public static IEnumerable<EventHint> Read(string payload, string? node)
    {
        if (node is not null && payload.StartsWith($"{Sender}{node}\n", StringComparison.Ordinal))
        {
            yield break;
        }

        foreach (var line in payload.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(' ', 3);
            if (parts is [{ Length: > 0 }, Passing, var told] && Guid.TryParseExact(parts[0], "N", out var of) && Passed(told) is { } passing)
            {
                yield return new EventHint(of, passing.Stream, 0, passing);
            }
            else if (parts.Length == 3 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var seq))
            {
                if (parts[0].Length == 0)
                {
                    yield return new EventHint(null, parts[2], seq);
                }
                else if (Guid.TryParseExact(parts[0], "N", out var tenant))
                {
                    yield return new EventHint(tenant, parts[2], seq);
                }
            }
        }
    }

    private static StreamEvent? Passed(string json)
    {
        try
        {
            return new JsonText(json).Read<StreamEvent?>();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
