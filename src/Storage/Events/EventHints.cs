using System.Globalization;
using System.Text;
using PersonaActors.Contracts.Events;

namespace PersonaActors.Storage.Events;

/// <summary>How far a stream goes, as another process says it.</summary>
public readonly record struct EventHint(Guid? Tenant, string Stream, long Seq);

/// <summary>
/// What processes tell each other over PostgreSQL's notifications: lines of tenant, stream and number. A hint carries no event;
/// whoever cares reads the log, which is the truth, and a lost hint is made good by the next check. Lines of another kind
/// (see the gateway's presence) go the same way, whole and in order.
/// </summary>
public static class EventHints
{
    public const string Channel = "persona_events";

    /// <summary>PostgreSQL takes less than 8,000 bytes a notification.</summary>
    private const int MaxPayload = 7900;

    private const string SendSql = $"SELECT pg_notify('{Channel}', payload) FROM unnest($1::text[]) AS payload";

    public static Task Send(Database database, IEnumerable<EventHint> hints, CancellationToken cancel) =>
        Send(database, hints.Select(hint => $"{hint.Tenant?.ToString("N")} {hint.Seq} {hint.Stream}"), cancel);

    public static async Task Send(Database database, IEnumerable<string> lines, CancellationToken cancel)
    {
        await using var command = database.Worker.CreateCommand(SendSql);
        command.Parameters.Add(Sql.Texts([.. Pack(lines)]));
        await command.ExecuteNonQueryAsync(cancel);
    }

    public static Task Send(Database database, Guid? tenant, IReadOnlyList<StreamEvent> events, CancellationToken cancel) =>
        Send(database, events.Select(e => new EventHint(tenant, e.Stream, e.Seq)), cancel);

    private static IEnumerable<string> Pack(IEnumerable<string> lines)
    {
        var payload = new StringBuilder();
        foreach (var line in lines)
        {
            // Names of streams are ours, so they are ASCII but for channels; two bytes a character is more than enough room.
            if (payload.Length > 0 && (payload.Length + line.Length + 1) * 2 > MaxPayload)
            {
                yield return payload.ToString();
                payload.Clear();
            }

            payload.Append(line).Append('\n');
        }

        if (payload.Length > 0)
        {
            yield return payload.ToString();
        }
    }

    /// <summary>Lines that aren't hints (another version's, anybody's) are passed over.</summary>
    public static IEnumerable<EventHint> Read(string payload)
    {
        foreach (var line in payload.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(' ', 3);
            if (parts.Length == 3 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var seq))
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
}
