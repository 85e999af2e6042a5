using System.Collections.Concurrent;

namespace PersonaActors.Tests.Harness;

/// <summary>Notes each call that one of our grains gets.</summary>
public sealed class GrainCalls : IIncomingGrainCallFilter
{
    private readonly ConcurrentQueue<string> _seen = new();

    public IReadOnlyCollection<string> Seen => _seen;

    public void Forget() => _seen.Clear();

    public Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.Grain.GetType().Assembly == typeof(PersonaActors.Grains.OutageFilter).Assembly)
        {
            _seen.Enqueue($"{context.Grain.GetType().Name}.{context.MethodName}");
        }

        return context.Invoke();
    }
}
