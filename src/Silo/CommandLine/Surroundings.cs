using System.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace PersonaActors.Silo.CommandLine;

/// <summary>Where a command is given: its variables and its folder, and where it answers. The process's, where nothing else is said.</summary>
public sealed class Surroundings : InvocationConfiguration
{
    public Surroundings()
    {
        EnableDefaultExceptionHandler = false;
        // The node's host hears signals itself, and takes as long as it needs.
        ProcessTerminationTimeout = null;
    }

    public IConfigurationSource Variables { get; init; } = new EnvironmentVariablesConfigurationSource();

    public string Folder { get; init; } = Environment.CurrentDirectory;
}
