using Microsoft.Extensions.DependencyInjection;

namespace PersonaActors.Grains.Embeddings;

public static class EmbeddingComposition
{
    /// <summary>On every node: grains embed what they keep, gateways what is asked. Nothing is loaded before it is used.</summary>
    public static void AddEmbeddings(this IServiceCollection services, EmbeddingOptions options)
    {
        services.AddSingleton(options);
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
