using System.Globalization;

namespace PersonaActors.Gateway.Realtime;

/// <summary>A user at a place of a tenant.</summary>
internal readonly record struct Visit(Guid Tenant, string Place, Guid User);

/// <summary>
/// What gateways tell each other of who is where, a line each, beside the hints on the same channel: that a gateway lives;
/// how many connections a user has at a place there, and that the user has left it; a request to be told everything, of one
/// gateway or of all; and that everything, between two marks.
/// </summary>
internal abstract record PresenceLine(string Node)
{
    private const string Word = "presence";

    public sealed record Beat(string Node) : PresenceLine(Node);

    public sealed record Ask(string Node, string Whom) : PresenceLine(Node)
    {
        public const string Everybody = "*";
    }

    public sealed record All(string Node) : PresenceLine(Node);

    public sealed record Done(string Node) : PresenceLine(Node);

    public sealed record At(string Node, Visit Visit, DateTimeOffset Since, int Connections) : PresenceLine(Node);

    public sealed record Gone(string Node, Visit Visit) : PresenceLine(Node);

    public sealed override string ToString() => this switch
    {
        At at => string.Create(CultureInfo.InvariantCulture, $"{Word} at {Node} {at.Visit.Tenant:N} {at.Visit.User:N} {at.Since.ToUnixTimeMilliseconds()} {at.Connections} {at.Visit.Place}"),
        Gone gone => $"{Word} gone {Node} {gone.Visit.Tenant:N} {gone.Visit.User:N} {gone.Visit.Place}",
        Ask ask => $"{Word} ask {Node} {ask.Whom}",
        All => $"{Word} all {Node}",
        Done => $"{Word} done {Node}",
        _ => $"{Word} beat {Node}",
    };

    /// <summary>Lines of another kind (hints, another version's) are passed over.</summary>
    public static IEnumerable<PresenceLine> Read(string payload)
    {
        foreach (var line in payload.Split('\n'))
        {
            if (line.StartsWith(Word, StringComparison.Ordinal) && Parse(line.Split(' ')) is { } read)
            {
                yield return read;
            }
        }
    }

    private static PresenceLine? Parse(string[] words) => words switch
    {
        [Word, "beat", var node] => new Beat(node),
        [Word, "ask", var node, var whom] => new Ask(node, whom),
        [Word, "all", var node] => new All(node),
        [Word, "done", var node] => new Done(node),
        [Word, "at", var node, var tenant, var user, var since, var connections, .. var place]
            when VisitOf(tenant, user, place) is { } visit
            && long.TryParse(since, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            && int.TryParse(connections, NumberStyles.None, CultureInfo.InvariantCulture, out var count) =>
            new At(node, visit, DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), count),
        [Word, "gone", var node, var tenant, var user, .. var place] when VisitOf(tenant, user, place) is { } visit => new Gone(node, visit),
        _ => null,
    };

    // The place comes last: a channel's name may have spaces.
    private static Visit? VisitOf(string tenant, string user, string[] place) =>
        place.Length > 0 && Guid.TryParseExact(tenant, "N", out var tenantId) && Guid.TryParseExact(user, "N", out var userId)
            ? new Visit(tenantId, string.Join(' ', place), userId)
            : null;
}
