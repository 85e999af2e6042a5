using System.Globalization;
using System.Text;
using PersonaActors.Contracts.Focus;

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
        var text = new StringBuilder("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//PersonaActors//Focus//EN\r\n");
        foreach (var s in sessions)
        {
            Line(text, "BEGIN:VEVENT");
            Line(text, $"UID:{s.Id}@personactors");
            Line(text, $"DTSTAMP:{Stamp(now)}");
            Line(text, $"DTSTART:{Stamp(s.Start)}");
            Line(text, $"DTEND:{Stamp(s.End)}");
            Line(text, $"SUMMARY:Focus: {Escape(s.Task)}");
            Line(text, $"DESCRIPTION:{s.ActiveMinutes} active minutes");
            Line(text, "END:VEVENT");
        }

        return text.Append("END:VCALENDAR\r\n").ToString();
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

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(";", "\\;", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal).ReplaceLineEndings("\\n");

    /// <summary>iCalendar folds lines after 75 octets.</summary>
    private static void Line(StringBuilder text, string line)
    {
        var octets = 0;
        foreach (var rune in line.EnumerateRunes())
        {
            if (octets + rune.Utf8SequenceLength > 75)
            {
                text.Append("\r\n ");
                octets = 1;
            }

            text.Append(rune.ToString());
            octets += rune.Utf8SequenceLength;
        }

        text.Append("\r\n");
    }

    private static string? Number(double? value) => value?.ToString("0.####", CultureInfo.InvariantCulture);

    private static string Utc(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
}
