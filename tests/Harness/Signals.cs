using System.Diagnostics;

namespace PersonaActors.Tests.Harness;

/// <summary>Sent by the shell's own kill: a minimal machine has no program of that name.</summary>
public static class Signals
{
    public static void Send(string signal, params IEnumerable<int> processes)
    {
        using var kill = Process.Start("bash", ["-c", $"kill -{signal} {string.Join(' ', processes)}"]);
        kill.WaitForExit();
    }
}
