namespace PersonaActors.Engine;

/// <summary>The key that a grain, or a reference to one, is called by.</summary>
public static class GrainExtensions
{
    public static string GetPrimaryKeyString(this IAddressable grain) => KeyOf(grain);

    public static Guid GetPrimaryKey(this IAddressable grain)
    {
        var key = KeyOf(grain);
        return Guid.TryParseExact(key, "N", out var id)
            ? id
            : throw new InvalidOperationException($"The key '{key}' of {grain.GetType().Name} is not a GUID.");
    }

    private static string KeyOf(IAddressable grain)
    {
        ArgumentNullException.ThrowIfNull(grain);
        return grain switch
        {
            GrainReference reference => reference.Key,
            Grain { GrainContext: Activation activation } => activation.Key,
            _ => throw new ArgumentException(
                $"{grain.GetType().Name} was made outside the engine: it has no key.", nameof(grain)),
        };
    }
}
