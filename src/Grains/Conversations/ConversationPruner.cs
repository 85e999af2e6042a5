using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PersonaActors.Storage;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>Takes what was said before a tenant's retention, and what was cleared and can't be restored any more: every few minutes, in small batches.</summary>
public sealed class ConversationPruner(ConversationKeeper conversations, Clock time, ILogger<ConversationPruner> logger) : BackgroundService
{
    public const int Batch = 500;
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => new Rounds("Retention of conversations", Pause, time, logger).Run(Prune, stoppingToken);

    public async Task Prune(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        foreach (var (tenant, days) in await conversations.Tenants(cancel))
        {
            await Rounds.Drain(Batch, () => conversations.Prune(tenant, now.AddDays(-days), Batch, cancel));
        }

        List<(Guid Tenant, Guid Clear)> due;
        do
        {
            due = await conversations.Due(now - ChannelGrain.Restorable, Batch, cancel);
            foreach (var (tenant, clear) in due)
            {
                await conversations.EraseCleared(tenant, clear, Batch, cancel);
            }
        }
        while (due.Count == Batch);
    }
}
