using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace PersonaActors.Engine;

/// <summary>
/// The base of the emitted references: they wrap arguments in a <see cref="Call"/> and send it here. A reference keeps
/// the activation that it found, and looks again when that one has gone.
/// </summary>
internal abstract class GrainReference(GrainInterface target, string key) : IAddressable
{
    private Activation? _activation;

    internal string Key { get; } = key;

    internal GrainInterface Target { get; } = target;

    /// <summary>The emitted code's way to what its calls are about.</summary>
    public GrainMethod Method(int index) => Target.Methods[index];

    public Task Send(TaskCall call) =>
        EngineTelemetry.Source.HasListeners() ? SendTraced(call) : Dispatch(call);

    public Task<T> Send<T>(TaskCall<T> call) =>
        EngineTelemetry.Source.HasListeners() ? SendTraced(call) : Unsafe.As<Task<T>>(Dispatch(call));

    private Task Dispatch(Call call)
    {
        var activation = _activation;
        if (activation is null || activation.IsGone)
        {
            try
            {
                _activation = activation = Target.Kind.Find(Key);
            }
            catch (SiloUnavailableException stopped)
            {
                return call.Throw(stopped);
            }
        }
        return activation.Send(call);
    }

    private async Task SendTraced(TaskCall call)
    {
        using var span = EngineTelemetry.Start(call.Method);
        try
        {
            await Dispatch(call).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            EngineTelemetry.Fail(span, exception);
            throw;
        }
    }

    private async Task<T> SendTraced<T>(TaskCall<T> call)
    {
        using var span = EngineTelemetry.Start(call.Method);
        try
        {
            return await Unsafe.As<Task<T>>(Dispatch(call)).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            EngineTelemetry.Fail(span, exception);
            throw;
        }
    }

    public override bool Equals(object? obj) =>
        obj is GrainReference other && other.Target.Kind == Target.Kind && other.Key == Key;

    public override int GetHashCode() => HashCode.Combine(Target.Kind, Key);

    public override string ToString() => $"{Target.Type.Name}/{Key}";
}
