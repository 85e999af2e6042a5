using System.Diagnostics;

namespace PersonaActors.Tests.Harness;

/// <summary>Waiting for something that another process or a background loop will make true, and saying what it was.</summary>
public static class Eventually
{
    public static async Task True(string what, Func<Task<bool>> holds, TimeSpan? within = null)
    {
        var patience = within ?? TimeSpan.FromSeconds(30);
        var since = Stopwatch.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(since) > patience)
            {
                throw new TimeoutException($"waited {patience.TotalSeconds:0} s until {what}");
            }

            await poll.WaitForNextTickAsync();
        }
    }
}
