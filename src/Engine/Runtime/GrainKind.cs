using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace PersonaActors.Engine;

/// <summary>A grain class, and its activations by key.</summary>
internal sealed class GrainKind
{
    private readonly ObjectFactory _create;
    private readonly StoredParameter[] _stored;
    private readonly GrainMethod?[] _timerMethods = new GrainMethod[4];
    private GrainInterface? _remindable;

    internal GrainKind(GrainEngine engine, Type type, TimeSpan collectionAge)
    {
        Engine = engine;
        Type = type;
        Name = NameOf(type);
        IsReentrant = type.IsDefined(typeof(ReentrantAttribute));
        var limit = type.GetCustomAttribute<CollectionAgeLimitAttribute>();
        if (!type.IsDefined(typeof(KeepAliveAttribute)) && limit is not { AlwaysActive: true })
            CollectionAge = limit?.AgeLimit ?? collectionAge;
        _stored = StoredParameter.Of(type);
        _create = ActivatorUtilities.CreateFactory(type, [.. _stored.Select(parameter => parameter.Type)]);
    }

    internal GrainEngine Engine { get; }

    internal Type Type { get; }

    /// <summary>What the kind is called in storage and telemetry: the class without its "Grain", in lower case, as Orleans has it.</summary>
    internal string Name { get; }

    internal bool IsReentrant { get; }

    /// <summary>Null: never collected.</summary>
    internal TimeSpan? CollectionAge { get; }

    internal ConcurrentDictionary<string, Activation> Activations { get; } = new(StringComparer.Ordinal);

    internal Grain Create(IServiceProvider services, object[] stored) => (Grain)_create(services, stored);

    /// <summary>What the constructor wants of storage, for one activation; none of it read yet.</summary>
    internal object[] NewStored(Activation activation) =>
        _stored.Length == 0 ? [] : [.. _stored.Select(parameter => parameter.Create(activation))];

    internal GrainMethod TimerMethod(bool interleaves, bool countsAsUse) =>
        _timerMethods[(interleaves ? 1 : 0) + (countsAsUse ? 2 : 0)] ??= new(this, $"{Name}.timer", interleaves, countsAsUse);

    internal IRemindable Remindable(string key)
    {
        if (!typeof(IRemindable).IsAssignableFrom(Type)) throw new InvalidOperationException($"{Type} is no {nameof(IRemindable)} (any more).");
        _remindable ??= new(this, typeof(IRemindable), Engine.ResponseTimeout);
        return (IRemindable)(object)_remindable.Reference(key);
    }

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

    /// <summary>A constructor's parameter marked with <see cref="PersistentStateAttribute"/>.</summary>
    private sealed record StoredParameter(Type Type, Func<Activation, object> Create)
    {
        internal static StoredParameter[] Of(Type grain) =>
        [
            .. from constructor in grain.GetConstructors()
               from parameter in constructor.GetParameters()
               let marked = parameter.GetCustomAttribute<PersistentStateAttribute>()
               where marked is not null
               select Of(grain, parameter.ParameterType, marked.StateName),
        ];

        private static StoredParameter Of(Type grain, Type parameter, string name)
        {
            if (!parameter.IsGenericType || parameter.GetGenericTypeDefinition() != typeof(IPersistentState<>))
                throw new InvalidOperationException($"{grain}: state '{name}' must be an IPersistentState<T>.");
            var type = typeof(PersistentState<>).MakeGenericType(parameter.GetGenericArguments());
            return new(type, activation => System.Activator.CreateInstance(
                type, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public, null, [activation, name], null)!);
        }
    }
}
