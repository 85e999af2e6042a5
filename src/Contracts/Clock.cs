namespace PersonaActors;

/// <summary>
/// The time that everything of ours goes by. A type of its own because Orleans takes its time from the container's
/// <see cref="TimeProvider"/>, which a test that moves this clock must not move.
/// </summary>
public sealed class Clock(TimeProvider time) : TimeProvider
{
    public override long TimestampFrequency => time.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => time.LocalTimeZone;

    public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => time.CreateTimer(callback, state, dueTime, period);
}
