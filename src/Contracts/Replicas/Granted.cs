namespace PersonaActors.Contracts.Replicas;

/// <summary>An owner's view as it answers a silo that asks: what is committed, as of one version.</summary>
/// <param name="View">Null where there is no such thing.</param>
/// <param name="Version">Of the row; rises with every commit.</param>
/// <param name="Activation">Which activation of the owner speaks.</param>
/// <param name="Owner">Its silo.</param>
/// <param name="MayBeKept">The owner noted the silo, and takes the view back before it changes.</param>
/// <param name="Changes">How many changes the activation has brought to an end; some raise no version of the row.</param>
[GenerateSerializer, Immutable, Alias("granted`1")]
public sealed record Granted<T>(
    [property: Id(0)] T? View,
    [property: Id(1)] long Version,
    [property: Id(2)] Guid Activation,
    [property: Id(3)] SiloAddress Owner,
    [property: Id(4)] bool MayBeKept,
    [property: Id(5)] long Changes)
    where T : class;
