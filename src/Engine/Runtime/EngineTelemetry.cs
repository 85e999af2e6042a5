using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace PersonaActors.Engine;

/// <summary>What the engine says about itself: a span a call and a few instruments. No keys, so nobody's id.</summary>
internal static class EngineTelemetry
{
    internal const string Name = "PersonaActors.Engine";

    internal static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);
    private static readonly ConcurrentDictionary<GrainEngine, byte> Engines = new();

    internal static readonly Histogram<double> TurnTime = Meter.CreateHistogram<double>(
        "personactors.engine.turn.time", "s", "How long a call held its grain, from its start to its end.");

    internal static readonly Histogram<double> ReminderLateness = Meter.CreateHistogram<double>(
        "personactors.engine.reminder.lateness", "s", "From when a reminder was due to when its grain was called.");

    static EngineTelemetry()
    {
        Meter.CreateObservableUpDownCounter("personactors.engine.activations", static () => EachKind(
            kind => kind.Activations.Count), "{activation}", "Grains in memory.");
        Meter.CreateObservableUpDownCounter("personactors.engine.queue.length", static () => EachKind(
            kind => kind.Activations.Sum(entry => entry.Value.WaitingCount)), "{call}", "Calls that wait for their grain.");
    }

    internal static void Add(GrainEngine engine) => Engines.TryAdd(engine, 0);

    internal static void Remove(GrainEngine engine) => Engines.TryRemove(engine, out _);

    private static IEnumerable<Measurement<int>> EachKind(Func<GrainKind, int> measure) =>
        from engine in Engines.Keys
        from kind in engine.Kinds
        select new Measurement<int>(measure(kind), new KeyValuePair<string, object?>("grain", kind.Name));

    internal static void Turn(GrainMethod method, TimeSpan time) =>
        TurnTime.Record(time.TotalSeconds, new KeyValuePair<string, object?>("method", method.Name));

    internal static Activity? Start(GrainMethod method) => Source.StartActivity(method.Name);

    internal static void Fail(Activity? span, Exception exception) =>
        span?.SetStatus(ActivityStatusCode.Error, exception.GetType().Name);
}
