using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Storage;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>
/// Makes the embeddings of memories that have none yet: right after they were written here, and every few seconds whatever is
/// left of this silo's part. What another model made is a job's (<see cref="Reembedding"/>).
/// </summary>
public sealed class MemoryEmbedding : BackgroundService
{
    private const int Batch = 32;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly MemoryStore _memories;
    private readonly IEmbedder _embedder;
    private readonly IClusterMembershipService _membership;
    private readonly ILocalSiloDetails _silo;
    private readonly Rounds _rounds;
    private int _wereWritten;

    public MemoryEmbedding(
        MemoryStore memories, IEmbedder embedder, IClusterMembershipService membership, ILocalSiloDetails silo, Clock time, ILogger<MemoryEmbedding> logger)
    {
        (_memories, _embedder, _membership, _silo) = (memories, embedder, membership, silo);
        _rounds = new Rounds("Embedding of memories", Pause, time, logger);
    }

    public void Hurry()
    {
        Volatile.Write(ref _wereWritten, 1);
        _rounds.Hurry();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _rounds.Run(Embed, stoppingToken);

    private async Task Embed(CancellationToken cancel)
    {
        // Those that were written here may be of any part.
        Part? part = Interlocked.Exchange(ref _wereWritten, 0) == 1 ? Part.Whole : SweepPart.Of(_membership, _silo.SiloAddress);
        List<UnembeddedMemory> some;
        do
        {
            some = part is { } mine ? await _memories.Unembedded(mine, Batch, cancel) : [];
            if (some.Count > 0)
            {
                var made = await _embedder.Embed(EmbeddingKind.Passage, [.. some.Select(memory => memory.Content)], cancel);
                for (var i = 0; i < some.Count; i++)
                {
                    await _memories.Embed(some[i], made[i], _embedder.Model, cancel);
                }
            }
        }
        while (some.Count == Batch);
    }
}
