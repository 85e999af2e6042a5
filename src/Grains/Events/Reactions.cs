using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Storage.Events;

namespace PersonaActors.Grains.Events;

/// <summary>To an event that was committed in this process, of one type or, where none is named, of any.</summary>
public sealed record Reaction(string? Type, Action<Announcement> React);

/// <summary>To a stream having moved in another process. What exactly happened there only the log says.</summary>
public sealed record HintReaction(Action<EventHint> React);

/// <summary>To wake-ups having perhaps been lost.</summary>
public sealed record LossReaction(Action React);

/// <summary>Who reacts to what is said once, at composition. All run one after the other, so none waits for anything.</summary>
public static class Reactions
{
    public static void AddEventFeed(this IServiceCollection services)
    {
        services.AddSingleton<EventFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<EventFeed>());
    }

    /// <param name="type">One of <see cref="Contracts.Events.EventTypes"/>.</param>
    public static void React<T>(this IServiceCollection services, string type, Action<T, Announcement> react) where T : notnull =>
        services.AddSingleton(provider => new Reaction(type, Of(provider, react)));

    public static void ReactToAll<T>(this IServiceCollection services, Action<T, Announcement> react) where T : notnull =>
        services.AddSingleton(provider => new Reaction(null, Of(provider, react)));

    public static void ReactToHints<T>(this IServiceCollection services, Action<T, EventHint> react) where T : notnull =>
        services.AddSingleton(provider => new HintReaction(Of(provider, react)));

    public static void ReactToLoss<T>(this IServiceCollection services, Action<T> react) where T : notnull =>
        services.AddSingleton(provider =>
        {
            var one = provider.GetRequiredService<T>();
            return new LossReaction(() => react(one));
        });

    private static Action<TWhat> Of<T, TWhat>(IServiceProvider provider, Action<T, TWhat> react) where T : notnull
    {
        var one = provider.GetRequiredService<T>();
        return what => react(one, what);
    }
}
