using System.Globalization;
using System.Text;
using Ical.Net.CalendarComponents;
using Ical.Net.DataTypes;
using Ical.Net.Serialization;
using PersonaActors.Contracts.Focus;
using Calendar = Ical.Net.Calendar;

namespace PersonaActors.Grains.Focus;

/// <summary>A person's sessions as other programs read them.</summary>
public static class FocusExports
{
    public static ExportText Of(ExportFormat format, IReadOnlyList<EndedSession> sessions, TimeZoneInfo zone, DateTimeOffset now) => format switch
    {
        ExportFormat.Csv => new("text/csv; charset=utf-8", "focus.csv", Csv(sessions)),
        ExportFormat.Ics => new("text/calendar; charset=utf-8", "focus.ics", Ics(sessions, now)),
        ExportFormat.Md => new("text/markdown; charset=utf-8", "focus.md", Markdown(sessions, zone)),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    public static string Csv(IReadOnlyList<EndedSession> sessions)
    {
        var text = new StringBuilder("id,start,end,mode,task,estimated_minutes,active_minutes,completion_score,flow_quality\r\n");
        foreach (var s in sessions)
        {
            text.AppendJoin(',',
                s.Id, Utc(s.Start), Utc(s.End), SessionState.Word(s.Mode), Cell(s.Task), s.EstimatedMinutes, s.ActiveMinutes, Number(s.Score), Number(s.FlowQuality));
            text.Append("\r\n");
        }

        return text.ToString();
    }

    public static string Ics(IReadOnlyList<EndedSession> sessions, DateTimeOffset now)
    {
        var calendar = new Calendar { ProductId = "-//PersonaActors//Focus//EN" };
        // A calendar counts in seconds, and an event in it lasts.
        foreach (var s in sessions.Where(s => s.End.ToUnixTimeSeconds() > s.Start.ToUnixTimeSeconds()))
        {
            calendar.Events.Add(new CalendarEvent
            {
                Uid = $"{s.Id}@personactors",
                DtStamp = new CalDateTime(now.UtcDateTime),
                Start = new CalDateTime(s.Start.UtcDateTime),
                End = new CalDateTime(s.End.UtcDateTime),
                Summary = $"Focus: {s.Task}",
                Description = SessionSummary.Count(s.ActiveMinutes, "active minute"),
            });
        }

        return new CalendarSerializer().SerializeToString(calendar)!;
    }

    public static string Markdown(IReadOnlyList<EndedSession> sessions, TimeZoneInfo zone)
    {
        var text = new StringBuilder("# Focus sessions\n\n| day | from | to | task | mode | active | score |\n| --- | --- | --- | --- | --- | --- | --- |\n");
        foreach (var s in sessions)
        {
            var from = TimeZoneInfo.ConvertTime(s.Start, zone);
            var to = TimeZoneInfo.ConvertTime(s.End, zone);
            text.Append(CultureInfo.InvariantCulture,
                $"| {from:yyyy-MM-dd} | {from:HH:mm} | {to:HH:mm} | {Plain(s.Task)} | {SessionState.Word(s.Mode)} | {s.ActiveMinutes} min | {Number(s.Score) ?? "–"} |\n");
        }

        return text.ToString();
    }

    /// <summary>Quoted where needed; a leading sign that a spreadsheet would run as a formula is made text.</summary>
    private static string Cell(string value)
    {
        var safe = value.Length > 0 && "=+-@\t\r".Contains(value[0]) ? $"'{value}" : value;
        return safe.AsSpan().ContainsAny(",\"\r\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }

    private static string Plain(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");

    private static string? Number(double? value) => value?.ToString("0.####", CultureInfo.InvariantCulture);

    private static string Utc(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
