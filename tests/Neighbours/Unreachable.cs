using System.Globalization;

namespace PersonaActors.Tests.Neighbours;

/// <summary>The file that says which silos, by their ports, a node can't reach at the moment.</summary>
public sealed class Unreachable : IDisposable
{
    public const string Variable = "UNREACHABLE";

    public string Path { get; } = System.IO.Path.GetTempFileName();

    public static string Hook => typeof(Unreachable).Assembly.Location;

    /// <summary>In one step: whoever reads meanwhile sees the one or the other.</summary>
    public void Set(params IEnumerable<int> ports)
    {
        File.WriteAllText(Path + ".new", string.Join('\n', ports.Select(port => port.ToString(CultureInfo.InvariantCulture))));
        File.Move(Path + ".new", Path, overwrite: true);
    }

    public void Dispose() => File.Delete(Path);
}
