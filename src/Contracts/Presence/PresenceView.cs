using System.Text.Json.Serialization;

namespace PersonaActors.Contracts.Presence;

/// <summary>Somebody online, since when, and over how many connections.</summary>
[GenerateSerializer, Immutable, Alias("present-user")]
public sealed record PresentUser([property: Id(0)] Guid User, [property: Id(1)] DateTimeOffset Since, [property: Id(2)] int Connections);

/// <summary>Comings and leavings are counted by each activation of the place's grain for itself.</summary>
[GenerateSerializer, Immutable, Alias("presence-version")]
public sealed record PresenceVersion([property: Id(0)] string Activation, [property: Id(1)] long Changes)
{
    public override string ToString() => $"{Activation}-{Changes}";
}

[GenerateSerializer, Immutable, Alias("presence-change")]
public sealed record PresenceChange(
    [property: Id(0), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? Joined = null,
    [property: Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? Left = null)
{
    public static readonly PresenceChange None = new();
}

/// <summary>The last coming or leaving, and everybody who is there: who missed one between has the whole.</summary>
[GenerateSerializer, Immutable, Alias("presence-view")]
public sealed record PresenceView([property: Id(0)] PresenceVersion Version, [property: Id(1)] PresenceChange Last, [property: Id(2)] Items<PresentUser> Online);

/// <summary>Who has connections at a gateway.</summary>
/// <param name="Version">What the gateway has last seen of the place, if anything.</param>
/// <param name="Seen">Who was there then, where that was asked for.</param>
[GenerateSerializer, Immutable, Alias("presence-report")]
public sealed record PresenceReport(
    [property: Id(0)] string Gateway,
    [property: Id(1)] Items<PresentUser> Here,
    [property: Id(2)] PresenceVersion? Version = null,
    [property: Id(3)] Items<PresentUser>? Seen = null);
