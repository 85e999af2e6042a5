using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace PersonaActors.Engine;

/// <summary>A grain class, and its activations by key.</summary>
internal sealed class GrainKind
{
    private readonly ObjectFactory _create;

    internal GrainKind(GrainEngine engine, Type type, TimeSpan collectionAge)
    {
        Engine = engine;
        Type = type;
        Name = NameOf(type);
        IsReentrant = type.IsDefined(typeof(ReentrantAttribute));
        var limit = type.GetCustomAttribute<CollectionAgeLimitAttribute>();
        if (!type.IsDefined(typeof(KeepAliveAttribute)) && limit is not { AlwaysActive: true })
            CollectionAge = limit?.AgeLimit ?? collectionAge;
        _create = ActivatorUtilities.CreateFactory(type, Type.EmptyTypes);
    }

    internal GrainEngine Engine { get; }

    internal Type Type { get; }

    /// <summary>What the kind is called in storage and telemetry: the class without its "Grain", in lower case, as Orleans has it.</summary>
    internal string Name { get; }

    internal bool IsReentrant { get; }

    /// <summary>Null: never collected.</summary>
    internal TimeSpan? CollectionAge { get; }

    internal ConcurrentDictionary<string, Activation> Activations { get; } = new(StringComparer.Ordinal);

    internal Grain Create(IServiceProvider services) => (Grain)_create(services, null);

    /// <summary>The activation of the key; its first call makes it.</summary>
    internal Activation Find(string key)
    {
        if (Activations.TryGetValue(key, out var found)) return found;
        Engine.ThrowIfClosed();
        var made = new Activation(this, key);
        while (!Activations.TryAdd(key, made))
            if (Activations.TryGetValue(key, out found)) return found;
        Engine.Born();
        return made;
    }

    internal void Remove(Activation activation)
    {
        if (Activations.TryRemove(new KeyValuePair<string, Activation>(activation.Key, activation))) Engine.Gone();
    }

    internal static string NameOf(Type type)
    {
        var name = type.Name;
        if (name.EndsWith("Grain", StringComparison.Ordinal)) name = name[..^"Grain".Length];
        return name.ToLowerInvariant();
    }
}
