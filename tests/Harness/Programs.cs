using System.Diagnostics;

namespace PersonaActors.Tests.Harness;

/// <summary>Programs that a test needs the work of.</summary>
public static class Programs
{
    /// <returns>What it printed.</returns>
    public static async Task<string> Run(string folder, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} in {folder} ended with {process.ExitCode}: {output}{await errors}");
        return output;
    }
}
