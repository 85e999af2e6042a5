using System.Collections;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PersonaActors.Contracts;

/// <summary>
/// An immutable list with the equality of its elements, for records that cross between grains: an interface would carry
/// whatever list was put there (Orleans has no codec for those that the compiler makes), and records that hold one would
/// never be equal.
/// </summary>
[GenerateSerializer, Immutable, Alias("items`1")]
[CollectionBuilder(typeof(Items), nameof(Items.Of))]
[JsonConverter(typeof(ItemsConverterFactory))]
public sealed class Items<T> : IReadOnlyList<T>, IEquatable<Items<T>>
{
    public static readonly Items<T> Empty = new([]);

    [Id(0)]
    private readonly T[] _items;

    internal Items(T[] items) => _items = items;

    public int Count => _items.Length;

    public T this[int index] => _items[index];

    public ReadOnlySpan<T> AsSpan() => _items;

    public bool Equals(Items<T>? other) => other is not null && (ReferenceEquals(this, other) || _items.AsSpan().SequenceEqual(other._items));

    public override bool Equals(object? obj) => Equals(obj as Items<T>);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in _items)
        {
            hash.Add(item);
        }

        return hash.ToHashCode();
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public static implicit operator Items<T>(T[] items) => new([.. items]);

    public static implicit operator Items<T>(List<T> items) => new([.. items]);
}

public static class Items
{
    public static Items<T> Of<T>(ReadOnlySpan<T> items) => items.IsEmpty ? Items<T>.Empty : new Items<T>(items.ToArray());

    public static Items<T> ToItems<T>(this IEnumerable<T> items) => new([.. items]);
}

public sealed class ItemsConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(Items<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(ItemsConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    private sealed class ItemsConverter<T> : JsonConverter<Items<T>>
    {
        public override Items<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(NestedJson.Read<T[]>(ref reader, options)!);

        public override void Write(Utf8JsonWriter writer, Items<T> value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value.ToArray(), options);
    }
}
