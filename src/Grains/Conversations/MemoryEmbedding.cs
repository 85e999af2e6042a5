using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Storage;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>
/// Makes the embeddings of memories that have none yet: right after they were written here, and every few seconds whatever was
/// written elsewhere. With its first round it looks for those that another model made, too.
/// </summary>
public sealed class MemoryEmbedding : BackgroundService
{
    private const int Batch = 32;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly MemoryStore _memories;
    private readonly IEmbedder _embedder;
    private readonly Rounds _rounds;
    private bool _hasLookedForOthers;

    public MemoryEmbedding(MemoryStore memories, IEmbedder embedder, Clock time, ILogger<MemoryEmbedding> logger)
    {
        (_memories, _embedder) = (memories, embedder);
        _rounds = new Rounds("Embedding of memories", Pause, time, logger);
    }

    public void Hurry() => _rounds.Hurry();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _rounds.Run(Embed, stoppingToken);

    private async Task Embed(CancellationToken cancel)
    {
        List<UnembeddedMemory> some;
        do
        {
            some = await _memories.Unembedded(_hasLookedForOthers ? null : _embedder.Model, Batch, cancel);
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

        _hasLookedForOthers = true;
    }
}
