using PersonaActors.Contracts.Focus;

namespace PersonaActors.Grains.Focus;

/// <summary>An active focus session, as prompts and contexts speak of it.</summary>
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
