using System.CodeDom.Compiler;
using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Users;

namespace PersonaActors.Tests.Boundary;

/// <summary>
/// What crosses between grains must have a codec. An unannotated type compiles and fails only when it is sent; so every grain
/// interface is walked here, and every type that it can reach. That none of this changes under an older silo's feet is for
/// OrleansContracts.txt to say, as far as interfaces go.
/// </summary>
public sealed class WireTypeTests
{
    private static readonly HashSet<Type> Carried =
    [
        typeof(bool), typeof(byte), typeof(short), typeof(int), typeof(long), typeof(float), typeof(double), typeof(decimal),
        typeof(string), typeof(Guid), typeof(DateTimeOffset), typeof(DateTime), typeof(DateOnly), typeof(TimeOnly), typeof(TimeSpan), typeof(Uri), typeof(void), typeof(SiloAddress),
    ];

    private static readonly HashSet<Type> CarriedCollections =
    [
        typeof(List<>), typeof(Dictionary<,>), typeof(HashSet<>), typeof(ImmutableArray<>), typeof(ImmutableDictionary<,>),
        typeof(KeyValuePair<,>), typeof(Nullable<>), typeof(ReadOnlyMemory<>),
    ];

    /// <summary>Orleans' own word on a type.</summary>
    private static readonly ICodecProvider Codecs =
        new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<ICodecProvider>();

    public static TheoryData<string> Interfaces => [.. GrainInterfaces().Select(type => type.FullName!)];

    [Theory]
    [MemberData(nameof(Interfaces))]
    public void Everything_that_a_grain_interface_can_reach_has_a_codec(string name)
    {
        var type = GrainInterfaces().Single(t => t.FullName == name);
        var problems = new List<string>();
        if (type.GetCustomAttribute<AliasAttribute>() is null)
        {
            problems.Add($"{type.Name} has no alias");
        }

        foreach (var method in type.GetMethods())
        {
            if (method.GetCustomAttribute<AliasAttribute>() is null && method.Name != nameof(IDisposable.Dispose))
            {
                problems.Add($"{type.Name}.{method.Name} has no alias");
            }

            Walk(Result(method.ReturnType), $"{type.Name}.{method.Name}", problems, []);
            foreach (var parameter in method.GetParameters().Where(p => p.ParameterType != typeof(CancellationToken)))
            {
                Walk(parameter.ParameterType, $"{type.Name}.{method.Name}({parameter.Name})", problems, []);
            }
        }

        Assert.Empty(problems);
    }

    [Fact]
    public void No_two_types_share_an_alias()
    {
        var doubles = typeof(IUserGrain).Assembly.GetTypes()
            .Where(type => type.GetCustomAttribute<GeneratedCodeAttribute>() is null)
            .Select(type => type.GetCustomAttribute<AliasAttribute>()?.Alias)
            .Where(alias => alias is not null)
            .GroupBy(alias => alias)
            .Where(group => group.Count() > 1)
            .Select(group => group.Key);
        Assert.Empty(doubles);
    }

    /// <summary>An activation that can't be loaded fails past every filter: what it throws has to reach the caller's silo as it is.</summary>
    [Fact]
    public void What_the_database_refused_is_told_to_another_silo_without_its_cause()
    {
        var serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();
        Exception[] failures =
        [
            new StorageUnavailableException("away", new NpgsqlException("refused")),
            new ActivationOutdatedException("outdated", new PostgresException("missed", "ERROR", "ERROR", "PA001")),
        ];
        foreach (var failure in failures)
        {
            Assert.Contains("Npgsql", failure.ToString(), StringComparison.Ordinal);
            var told = serializer.Deserialize<Exception>(serializer.SerializeToArray(failure))!;
            Assert.Equal((failure.GetType(), failure.Message, null), (told.GetType(), told.Message, told.InnerException));
        }
    }

    private static IEnumerable<Type> GrainInterfaces() =>
        typeof(IUserGrain).Assembly.GetTypes().Where(type => type.IsInterface && typeof(IAddressable).IsAssignableFrom(type));

    private static Type Result(Type type) =>
        type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>))
            ? type.GetGenericArguments()[0]
            : typeof(void);

    private static void Walk(Type type, string path, List<string> problems, HashSet<Type> seen)
    {
        if (Carried.Contains(type) || type.IsEnum || GrainInterfaces().Contains(type) || type.IsGenericParameter || !seen.Add(type))
        {
            return;
        }

        if (!type.ContainsGenericParameters && Codecs.TryGetCodec(type) is null)
        {
            problems.Add($"{path}: Orleans has no codec for {type}");
        }

        if (type.IsArray)
        {
            Walk(type.GetElementType()!, $"{path}[]", problems, seen);
            return;
        }

        if (type.IsGenericType)
        {
            foreach (var argument in type.GetGenericArguments())
            {
                Walk(argument, $"{path}<{argument.Name}>", problems, seen);
            }

            if (CarriedCollections.Contains(type.GetGenericTypeDefinition()) || type.FullName!.StartsWith("System.ValueTuple", StringComparison.Ordinal))
            {
                return;
            }
        }

        if (type.GetCustomAttribute<GenerateSerializerAttribute>() is null)
        {
            problems.Add($"{path}: {type} is neither ours, annotated, nor carried by itself");
            return;
        }

        if (type.GetCustomAttribute<AliasAttribute>() is null)
        {
            problems.Add($"{path}: {type.Name} has no alias");
        }

        var ids = new HashSet<string>();
        foreach (var property in type.GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(p => p.GetIndexParameters().Length == 0))
        {
            var backed = type.GetField($"<{property.Name}>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic) is not null;
            if (!backed)
            {
                continue;
            }

            var id = property.CustomAttributes.FirstOrDefault(a => a.AttributeType.Name == nameof(IdAttribute))?.ConstructorArguments[0].Value?.ToString();
            if (id is null)
            {
                problems.Add($"{path}: {type.Name}.{property.Name} has no id");
            }
            else if (!ids.Add(id))
            {
                problems.Add($"{path}: {type.Name}.{property.Name} shares its id {id}");
            }

            Walk(property.PropertyType, $"{path}.{property.Name}", problems, seen);
        }
    }
}
