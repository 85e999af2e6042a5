namespace PersonaActors.Contracts.Focus;

[GenerateSerializer, Immutable, Alias("energy-point")]
public sealed record EnergyPoint([property: Id(0)] int Minute, [property: Id(1)] double Energy, [property: Id(2)] string Source);

/// <summary>Something that cost focus.</summary>
/// <param name="Kind">pause, distraction, idle, energy_dip, stress_spike or overrun.</param>
/// <param name="Minutes">How long a pause, idleness or overrun was; the others are moments.</param>
[GenerateSerializer, Immutable, Alias("friction-point")]
public sealed record FrictionPoint([property: Id(0)] int Minute, [property: Id(1)] string Kind, [property: Id(2)] int? Minutes);

[GenerateSerializer, Immutable, Alias("focus-summary")]
public sealed record FocusSummary(
    [property: Id(0)] int DurationMinutes,
    [property: Id(1)] int ActiveMinutes,
    [property: Id(2)] double? FlowQuality,
    [property: Id(3)] Items<EnergyPoint> EnergyCurve,
    [property: Id(4)] string EnergyTrend,
    [property: Id(5)] Items<FrictionPoint> FrictionPoints,
    [property: Id(6)] Items<string> Wins,
    [property: Id(7)] Items<string> Suggestions,
    [property: Id(8)] double Confidence);
