using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Conversations;
using PersonaActors.Storage.Events;
using PersonaActors.Storage.Focus;
using PersonaActors.Storage.Imports;
using PersonaActors.Storage.Jobs;
using PersonaActors.Storage.Mindscapes;
using PersonaActors.Storage.Outbox;
using PersonaActors.Storage.Personalities;
using PersonaActors.Storage.Personas;
using PersonaActors.Storage.Tenants;
using PersonaActors.Storage.UserPersonas;
using PersonaActors.Storage.Users;

namespace PersonaActors.Storage;

public static class StorageComposition
{
    public static void AddStorage(this IServiceCollection services, Database database)
    {
        services.AddSingleton(database);
        services.AddSingleton<EventLog>();
        services.AddSingleton<LogKeeper>();
        services.AddSingleton<CommandLog>();
        services.AddSingleton<OutboxStore>();
        services.AddSingleton<TenantStore>();
        services.AddSingleton<ApiKeyStore>();
        services.AddSingleton<UserStore>();
        services.AddSingleton<OverrideStore>();
        services.AddSingleton<PersonaStore>();
        services.AddSingleton<UserPersonaStore>();
        services.AddSingleton<CatalogueStore>();
        services.AddSingleton<LlmConfigStore>();
        services.AddSingleton<FocusStore>();
        services.AddSingleton<CompanionStore>();
        services.AddSingleton<PersonalityStore>();
        services.AddSingleton<CardStore>();
        services.AddSingleton<MindscapeStore>();
        services.AddSingleton<NarrativeStore>();
        services.AddSingleton<NarrativeSearchStore>();
        services.AddSingleton<EmbeddingModelStore>();
        services.AddSingleton<MapperStore>();
        services.AddSingleton<GeneratedPersonaStore>();
        services.AddSingleton<FeedbackStore>();
        services.AddSingleton<ChannelStore>();
        services.AddSingleton<MessageStore>();
        services.AddSingleton<ConversationKeeper>();
        services.AddSingleton<MemoryStore>();
        services.AddSingleton<JobStore>();
        services.AddSingleton<JobFileStore>();
        services.AddSingleton<StagingStore>();
        services.AddSingleton<PersonaKitStore>();
        services.AddSingleton<ArchiveStore>();
    }
}
