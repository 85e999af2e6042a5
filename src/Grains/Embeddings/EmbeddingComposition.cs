using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Embeddings;

public static class EmbeddingComposition
{
    /// <summary>On every node: grains embed what they keep, gateways what is asked. Nothing is loaded before it is used.</summary>
    public static void AddEmbeddings(this IServiceCollection services, EmbeddingOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<NarrativeSearch>();
        services.AddSingleton(static provider => new OwnModel(provider.GetRequiredService<IEmbedder>().Model));
        if (options.Endpoint is null)
        {
            services.AddSingleton<IEmbedder, BuiltInEmbedder>();
        }
        else
        {
            services.AddSingleton<IEmbedder, EndpointEmbedder>();
        }
    }
}
