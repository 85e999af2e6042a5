using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Contexts;
using PersonaActors.Grains.Conversations;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Grains.Events;
using PersonaActors.Grains.Focus;
using PersonaActors.Grains.Imports;
using PersonaActors.Grains.Jobs;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Grains.Outbox;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains;

/// <summary>What runs beside the grains, on nodes that have grains.</summary>
public static class GrainsComposition
{
    public static void AddGrainWork(this IServiceCollection services)
    {
        services.AddSingleton<NotifySender>();
        services.AddHostedService(provider => provider.GetRequiredService<NotifySender>());
        services.ReactToAll<NotifySender>(static (sender, announced) => sender.Note(announced));
        services.AddSingleton<Owners>();
        services.AddSingleton<ReplicaServiceClient>();
        services.AddGrainService<ReplicaService>();
        services.AddSingleton<Keeper>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<Keeper>());
        services.AddSingleton<Replicas.Replicas>();
        services.AddSingleton<IOutboxTaskHandler, EraseUser>();
        services.AddSingleton<IOutboxTaskHandler, LeavePersonalities>();
        services.AddSingleton<IOutboxTaskHandler, ForgetDeleted>();
        services.AddSingleton<IOutboxTaskHandler, EraseStream>();
        services.AddSingleton<IOutboxTaskHandler, ReloadUser>();
        services.AddSingleton<IOutboxTaskHandler, SessionStartedTask>();
        services.AddSingleton<IOutboxTaskHandler, SessionEndedTask>();
        services.AddSingleton<IOutboxTaskHandler, EndLiveSession>();
        services.AddSingleton<IOutboxTaskHandler, FoldMindscape>();
        services.AddSingleton<IOutboxTaskHandler, LearnFromFeedback>();
        services.AddSingleton<IOutboxTaskHandler, EmbedNarrative>();
        services.AddSingleton<IOutboxTaskHandler, TellAdjusted>();
        services.AddSingleton<IOutboxTaskHandler, EraseCleared>();
        services.AddSingleton<MemoryRecall>();
        services.AddSingleton<MemoryEmbedding>();
        services.AddHostedService(provider => provider.GetRequiredService<MemoryEmbedding>());
        services.AddSingleton<ConversationPruner>();
        services.AddHostedService(provider => provider.GetRequiredService<ConversationPruner>());
        services.AddHostedService<ShippedMappers>();
        services.AddSingleton<FocusSweep>();
        services.AddHostedService(provider => provider.GetRequiredService<FocusSweep>());
        services.AddHostedService<OutboxWorker>();
        services.AddSingleton<JobKinds>();
        services.AddSingleton<IJobKind, ShapesImport>();
        services.AddSingleton<IJobKind, LegacyImport>();
        services.AddSingleton<IJobKind, PersonaKitImport>();
        services.AddSingleton<IJobKind, UserExport>();
        services.AddSingleton<IJobKind, ArchiveImport>();
        services.AddSingleton<IJobKind, CardsImport>();
        services.AddSingleton<IJobKind, Reembedding>();
        services.AddSingleton<OtherModels>();
        services.AddHostedService(provider => provider.GetRequiredService<OtherModels>());
        services.AddSingleton<ImportCommit>();
        services.AddHostedService<JobSweep>();
        services.AddSingleton<ContextDesk>();
        services.AddSingleton<ChannelDesk>();
        services.AddSingleton<PromptDesk>();
        services.AddSingleton<IPromptDesk>(provider => provider.GetRequiredService<PromptDesk>());
        services.AddSingleton<Pruner>();
        services.AddHostedService(provider => provider.GetRequiredService<Pruner>());
    }
}
