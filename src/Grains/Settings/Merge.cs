using System.Text.Json;

namespace PersonaActors.Grains.Settings;

/// <summary>Something that tiers may say, how it is called, and where it is read; null where a tier doesn't say it.</summary>
public sealed record Field<T>(string Name, Func<T, object?> Of);

/// <summary>A tier that may say nothing at all.</summary>
public readonly record struct Tier<T>(string Name, T? Says)
    where T : class
{
    public object? Value(Field<T> field) => Says is null ? null : field.Of(Says);
}

public readonly record struct Choice<T>(Field<T> Field, object Value, Tier<T> From)
    where T : class;

/// <summary>Field by field what the nearest tier says that says something, each falling through on its own; with its JSON.</summary>
public sealed class Merge<T>
    where T : class
{
    /// <param name="tiers">Nearest first.</param>
    public Merge(IReadOnlyList<Field<T>> fields, params IReadOnlyList<Tier<T>> tiers)
    {
        Fields = fields;
        Tiers = tiers;
        Chosen =
        [
            .. from field in fields
               let nearest = tiers.FirstOrDefault(tier => tier.Value(field) is not null)
               where nearest.Says is not null
               select new Choice<T>(field, nearest.Value(field)!, nearest),
        ];
        Values = ToJson(choice => choice.Value);
        Sources = ToJson(choice => choice.From.Name);
    }

    public IReadOnlyList<Field<T>> Fields { get; }

    public IReadOnlyList<Tier<T>> Tiers { get; }

    /// <summary>Of the fields that some tier sets, in their order.</summary>
    public IReadOnlyList<Choice<T>> Chosen { get; }

    public object? this[Field<T> field] => Find(field)?.Value;

    /// <summary>An object with each field's value.</summary>
    internal byte[] Values { get; }

    /// <summary>An object with the name of the tier that each field came from.</summary>
    internal byte[] Sources { get; }

    public Choice<T>? Find(Field<T> field)
    {
        foreach (var choice in Chosen)
        {
            if (choice.Field == field)
            {
                return choice;
            }
        }

        return null;
    }

    private byte[] ToJson(Func<Choice<T>, object> value) => JsonSerializer.SerializeToUtf8Bytes(
        new OrderedDictionary<string, object>(Chosen.Select(choice => KeyValuePair.Create(choice.Field.Name, value(choice)))), Wire.Json);
}
