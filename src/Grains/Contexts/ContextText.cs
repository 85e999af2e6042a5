using System.Globalization;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Focus;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Grains.Texts;

namespace PersonaActors.Grains.Contexts;

/// <summary>
/// What an agent is told of a person within so many tokens: first who they are and what is known, the surest first, then what
/// is of this moment. How much the first may take hangs on the budget alone, so that it stays the same whatever the rest says.
/// </summary>
public static class ContextText
{
    public const int MinBudget = 50;
    public const int MaxBudget = 20_000;
    public const int DefaultBudget = 800;

    private const int MaxAbout = 1000;
    private const int MaxSaid = 500;

    public static IEnumerable<string> Who(PersonaView persona)
    {
        (string Name, string? Said)[] all = [("name", persona.Called()), ("pronouns", persona.Pronouns), ("about", persona.Content)];
        return all.Where(one => !string.IsNullOrWhiteSpace(one.Said)).Select(one => $"- {one.Name}: {KnownLines.OneLine(one.Said!, MaxAbout)} {KnownLines.From(null)}");
    }

    public static string? Doing(FocusSessionView? session, DateTimeOffset now)
    {
        var doing = session is not { State: not FocusState.Ended } ? null
            : FocusNow.Of(session, now) is { } at ? $"in a focus session ({at.Mode}), {at.MinutesIn} {(at.MinutesIn == 1 ? "minute" : "minutes")} in{(at.InFlow ? ", in flow: be brief, and don't pull them out of it" : "")}"
            : session.State == FocusState.Paused ? "a focus session is paused"
            : "on a break from a focus session";
        return doing is null ? null : $"- {doing} {KnownLines.From("focus session")}";
    }

    public static string Said(NarrativeFound found) => Said(found.Narrative.CuratedText ?? found.Narrative.Text, found.Narrative.Source, found.Similarity, found.Narrative.CreatedAt);

    /// <summary>Notes are somebody's of the person, also where nobody is named.</summary>
    public static string Said(UserMemoryView note) => Said(note.Content, note.Source ?? "note", null, note.CreatedAt);

    /// <param name="known">The surest first.</param>
    /// <param name="now">What they are doing, and what a mapper says of the moment.</param>
    /// <param name="query">None where nothing was looked for.</param>
    public static PersonContext Within(
        int budget, IEnumerable<string> who, IEnumerable<CountedLine> known, string? mapper, IEnumerable<string> suggestions, string time, IEnumerable<string> now,
        string? query, IEnumerable<string> said, IEnumerable<string> notes)
    {
        var room = query is null ? budget * 4 / 5 : budget / 2;
        var lasting = new List<string>();
        Add(lasting, "Who the person is:", who.Select(CountedLine.Of), ref room);
        Add(lasting, $"What is known of them, {KnownLines.Legend}:", known, ref room);
        Add(lasting, $"Suggestions that follow from it ({KnownLines.OneLine(mapper ?? "")}):", suggestions.Select(CountedLine.Of), ref room);
        var front = string.Join('\n', lasting);
        var left = budget - TokenCount.Of(front);
        var moment = new List<string>();
        Add(moment, $"Now ({time}):", now.Select(CountedLine.Of), ref left);
        Add(moment, $"What they said that is near to \"{KnownLines.OneLine(query ?? "")}\":", said.Select(CountedLine.Of), ref left);
        Add(moment, "Notes of them that are near to it:", notes.Select(CountedLine.Of), ref left);
        while (true)
        {
            var back = moment.Count == 0 ? null : string.Join('\n', moment);
            // Lines that are counted one by one come to no less than all together, but that is the vocabulary's to keep.
            if (TokenCount.Of(back is null ? front : $"{front}\n\n{back}") is var tokens && (tokens <= budget || back is null))
            {
                return new PersonContext(front, back, tokens);
            }

            moment.RemoveAt(moment.Count - 1);
        }
    }

    /// <summary>As many lines as there is room for; a longer one makes way for those after it.</summary>
    private static void Add(List<string> to, string heading, IEnumerable<CountedLine> lines, ref int room)
    {
        var head = CountedLine.Of(heading);
        var (left, start) = (room - head.Tokens - (to.Count > 0 ? 1 : 0), to.Count);
        foreach (var line in lines)
        {
            if (line.Tokens <= left)
            {
                if (to.Count == start)
                {
                    to.AddRange(start > 0 ? ["", head.Text] : [head.Text]);
                }

                to.Add(line.Text);
                left -= line.Tokens;
            }
        }

        room = to.Count > start ? left : room;
    }

    private static string Said(string text, string? source, double? similarity, DateTimeOffset at) => string.Create(
        CultureInfo.InvariantCulture, $"- {KnownLines.OneLine(text, MaxSaid)} {KnownLines.From(source, similarity)} ({at:yyyy-MM-dd})");
}
