using System.Globalization;
using System.Text;
using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Prompts;

/// <summary>An active focus session, as a prompt speaks of it.</summary>
public readonly record struct FocusNow(string Mode, int MinutesIn, bool InFlow)
{
    /// <summary>Nothing while it is paused or on a break: then the user isn't at work.</summary>
    public static FocusNow? Of(FocusSessionView? session, DateTimeOffset now) => session is { State: FocusState.Active }
        ? new FocusNow(
            session.Mode.ToString().ToLowerInvariant(),
            (int)Math.Max(0, (session.ActiveSecondsBefore + (now - session.Since).TotalSeconds) / 60),
            session.InFlowSince is not null)
        : null;
}

/// <summary>
/// Section 6: what is true at this moment, the first text that moves between requests. There only if the user is in a focus
/// session, or if something before it points to the time given here.
/// </summary>
public static class CurrentState
{
    public static string? Build(DateTimeOffset now, string timeZone, FocusNow? focus, bool needsTime)
    {
        if (focus is null && !needsTime)
        {
            return null;
        }

        var zone = TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out var found) ? found : TimeZoneInfo.Utc;
        var local = TimeZoneInfo.ConvertTime(now, zone);
        var text = new StringBuilder(256)
            .Append("<current_state>\n<time>")
            .Append(local.ToString("dddd, d MMMM yyyy, HH:mm", CultureInfo.InvariantCulture))
            .Append(" (").Append(zone.Id).Append(")</time>\n");
        if (focus is { } session)
        {
            text.Append("<focus_session>The user is in a focus session (").Append(ProtectedTags.Escape(session.Mode)).Append("), ")
                .Append(session.MinutesIn).Append(session.MinutesIn == 1 ? " minute in." : " minutes in.");
            if (session.InFlow)
            {
                text.Append(" They are in flow: be brief, and don't pull them out of it.");
            }

            text.Append("</focus_session>\n");
        }

        return text.Append("</current_state>").ToString();
    }
}
