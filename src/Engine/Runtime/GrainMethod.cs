using System.Reflection;

namespace PersonaActors.Engine;

/// <summary>A method of a grain interface, and how its calls may run beside others on this kind of grain.</summary>
internal sealed class GrainMethod
{
    internal GrainMethod(GrainKind kind, string interfaceName, MethodInfo method, TimeSpan responseTimeout)
    {
        Kind = kind;
        Name = $"{interfaceName}.{method.Name}";
        Interleaves = kind.IsReentrant || method.IsDefined(typeof(AlwaysInterleaveAttribute));
        ReadsOnly = method.IsDefined(typeof(ReadOnlyAttribute));
        Timeout = method.GetCustomAttribute<ResponseTimeoutAttribute>()?.Timeout ?? responseTimeout;
        TimeoutTicks = Timeout > TimeSpan.Zero ? kind.Engine.Ticks(Timeout) : long.MaxValue / 2;
    }

    /// <summary>What the engine itself runs as a turn of the grain.</summary>
    internal GrainMethod(GrainKind kind, string name, bool interleaves, bool countsAsUse)
    {
        Kind = kind;
        Name = name;
        Interleaves = interleaves || kind.IsReentrant;
        CountsAsUse = countsAsUse;
    }

    internal GrainKind Kind { get; }

    internal string Name { get; }

    internal bool Interleaves { get; }

    internal bool ReadsOnly { get; }

    /// <summary>A call of it keeps the grain from being idle.</summary>
    internal bool CountsAsUse { get; } = true;

    internal TimeSpan Timeout { get; }

    internal long TimeoutTicks { get; }

    public override string ToString() => Name;
}
