namespace PersonaActors.Tests.Harness;

/// <summary>The node as the commit before this one makes it, built once for each commit.</summary>
public static class CommitBefore
{
    public static async Task<string> Executable()
    {
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(PostgresServer.Script)!, ".."));
        var commit = (await Programs.Run(root, "git", "rev-parse", "HEAD~1")).Trim();
        var tree = Path.Combine(root, "artifacts", "before", commit);
        var executable = Path.Combine(tree, "artifacts", "bin", "Silo", "debug", "personactors.dll");
        if (!File.Exists(executable))
        {
            Directory.CreateDirectory(tree);
            await Programs.Run(root, "bash", "-c", "set -o pipefail; git archive \"$0\" | tar -x -C \"$1\"", commit, tree);
            await Programs.Run(tree, "dotnet", "build", "src/Silo", "--nologo", "-v", "quiet");
        }

        return executable;
    }
}
