using System.Diagnostics;

namespace PersonaActors.Tests.Harness;

public sealed record Ended(int Code, string Output, string Error);

/// <summary>Programs, run to their end.</summary>
public static class Programs
{
    /// <summary>One that a test needs the work of.</summary>
    /// <returns>What it printed.</returns>
    public static async Task<string> Run(string folder, string program, params string[] arguments)
    {
        var ended = await Run(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder }, Timeout.InfiniteTimeSpan);
        Assert.True(ended.Code == 0, $"{program} {string.Join(' ', arguments)} in {folder} ended with {ended.Code}: {ended.Output}{ended.Error}");
        return ended.Output;
    }

    public static async Task<Ended> Run(ProcessStartInfo start, TimeSpan patience)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        // Read both to their end, or a full pipe would hold the program.
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            process.Kill();
            throw new TimeoutException($"waited {patience.TotalSeconds:0} s for '{start.FileName} {string.Join(' ', start.ArgumentList)}' to end");
        }

        return new Ended(process.ExitCode, await output, await error);
    }
}
