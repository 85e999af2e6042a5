using System.Diagnostics;

namespace PersonaActors.Tests.Harness;

/// <summary>The node as the commit before this one makes it, built once for each commit.</summary>
public static class CommitBefore
{
    public static async Task<string> Executable()
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(PostgresServer.Script)!, ".."));
        var commit = (await Run(root, "git", "rev-parse", "HEAD~1")).Trim();
        var tree = Path.Combine(root, "artifacts", "before", commit);
        var executable = Path.Combine(tree, "artifacts", "bin", "Silo", "debug", "personactors.dll");
        if (!File.Exists(executable))
        {
            Directory.CreateDirectory(tree);
            await Run(root, "bash", "-c", "set -o pipefail; git archive \"$0\" | tar -x -C \"$1\"", commit, tree);
            await Run(tree, "dotnet", "build", "src/Silo", "--nologo", "-v", "quiet");
        }

        return executable;
    }

    private static async Task<string> Run(string folder, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {output}{await errors}");
    }
}
