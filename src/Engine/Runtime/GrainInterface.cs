namespace PersonaActors.Engine;

/// <summary>A grain interface in one engine: the kind of grain behind it, and how references to it are made.</summary>
internal sealed class GrainInterface
{
    private readonly Func<GrainInterface, string, GrainReference> _create;

    internal GrainInterface(GrainKind kind, Type type, TimeSpan responseTimeout)
    {
        Kind = kind;
        Type = type;
        var shape = ReferenceEmitter.ShapeOf(type);
        _create = shape.Create;
        Methods = [.. shape.Methods.Select(method => new GrainMethod(kind, type.Name, method, responseTimeout))];
    }

    internal GrainKind Kind { get; }

    internal Type Type { get; }

    internal GrainMethod[] Methods { get; }

    internal GrainReference Reference(string key) => _create(this, key);
}

/// <summary>Numbers interfaces, so that an engine finds one by an index instead of a lookup.</summary>
internal static class InterfaceSlot
{
    private static int _last = -1;

    internal static int Next() => Interlocked.Increment(ref _last);
}

internal static class InterfaceSlot<TGrainInterface>
{
#pragma warning disable CA1823 // Read through the generic.
    internal static readonly int Index = InterfaceSlot.Next();
#pragma warning restore CA1823
}
