using System.Globalization;
using System.Text;

namespace PersonaActors.Silo.Configuration;

/// <summary>A variable that was needed at start and is a secret.</summary>
public static class ProcessEnvironment
{
    private const int EnvironmentStart = 50;

    /// <summary>
    /// Takes it out of the environment that this process has and hands on. On Linux the one that it was started with stays to
    /// be read in /proc until it is written over there.
    /// </summary>
    public static void Forget(string name)
    {
        foreach (var variable in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(variable => variable.Equals(name, StringComparison.OrdinalIgnoreCase)).ToList())
        {
            Environment.SetEnvironmentVariable(variable, null);
            if (OperatingSystem.IsLinux())
            {
                WriteOver(Encoding.UTF8.GetBytes($"{variable}="));
            }
        }
    }

    private static void WriteOver(byte[] assignment)
    {
        try
        {
            // Each assignment ends in a zero, so with one before the first each begins after one.
            byte[] begun = [0, .. File.ReadAllBytes("/proc/self/environ")];
            byte[] wanted = [0, .. assignment];
            if (begun.AsSpan().IndexOf(wanted) is not (>= 0 and var at))
            {
                return;
            }

            var length = begun.AsSpan(at + 1).IndexOf((byte)0);
            // What stands before the last ')' may have blanks in it.
            var fields = File.ReadAllText("/proc/self/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var start = long.Parse(fields[EnvironmentStart - 3], CultureInfo.InvariantCulture);
            using var memory = File.OpenHandle("/proc/self/mem", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.Write(memory, new byte[length - assignment.Length], start + at + assignment.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A system that lets nobody write there mostly lets nobody read there either.
        }
    }
}
