namespace PersonaActors.Grains;

public static class Microseconds
{
    /// <summary>PostgreSQL keeps microseconds; a time that goes to a table is cut to them first, so that memory and table agree.</summary>
    public static DateTimeOffset ToMicroseconds(this DateTimeOffset time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerMicrosecond), time.Offset);
}
