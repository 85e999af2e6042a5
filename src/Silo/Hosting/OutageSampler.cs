using Microsoft.Extensions.Logging.Abstractions;
using PersonaActors.Storage;

namespace PersonaActors.Silo.Hosting;

/// <summary>
/// A database that is away is said once by each part of ours that waits for it. What it makes fail elsewhere, each activation
/// of Orleans' and each of its own reads, is said by nobody: hundreds of stack traces for one cause.
/// </summary>
public sealed class OutageSampler : LoggingSampler
{
    public override bool ShouldSample<TState>(in LogEntry<TState> logEntry) => !logEntry.Exception.MeansOutage();
}
