namespace PersonaActors.Gateway.Documents;

/// <summary>Endpoint metadata: a parameter that a handler takes from the query by itself.</summary>
public sealed record QueryParameter(string Name, Type Type, string Description);

/// <summary>Endpoint metadata: a body that a handler reads by itself.</summary>
public sealed record HandReadBody(Type Type);

/// <summary>Endpoint metadata: changes nothing, whatever its method, so there is nothing to repeat and no version to name.</summary>
public sealed record WritesNothing;

/// <summary>Endpoint metadata: answers where its stream stood, though it has no version.</summary>
public sealed record TellsCursor;

/// <summary>Endpoint metadata: names are written as the founding document writes them.</summary>
public sealed record SnakeCased;

/// <summary>A body that is one of several.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class AnyOfAttribute(params Type[] types) : Attribute
{
    public IReadOnlyList<Type> Types => types;
}

/// <summary>A body with the members of another, and those that are named beside them.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ExtendsAttribute(Type type) : Attribute
{
    public Type Type => type;
}

/// <summary>A body that has more members than those that are named.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class HasMoreAttribute : Attribute;

public static class DocumentedEndpoints
{
    public static TBuilder WithQuery<TBuilder>(this TBuilder endpoint, string name, Type type, string description)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new QueryParameter(name, type, description));

    public static TBuilder WritesNothing<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new WritesNothing());
}
