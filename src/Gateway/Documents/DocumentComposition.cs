using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace PersonaActors.Gateway.Documents;

/// <summary>The OpenAPI document: what the routes say of themselves, completed by what all of them have in common.</summary>
public static class DocumentComposition
{
    public const string Bearer = "bearer";

    private static readonly JsonSerializerOptions Snake = new(Wire.Json)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    public static void AddDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        // HEAD is GET without its body.
        options.ShouldInclude = static route => route.HttpMethod != HttpMethods.Head;
        options.AddOperationTransformer((operation, context, _) =>
        {
            var metadata = context.Description.ActionDescriptor.EndpointMetadata;
            var document = context.Document!;
            var schemas = metadata.OfType<SnakeCased>().Any() ? new Schemas(document, Snake, "Founding") : new Schemas(document, Wire.Json);
            new Operations(document, schemas).Complete(operation, context.Description);
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "PersonaActors",
                Version = "v1",
                Description = "Who is talking, to which character, and in what state. Errors are RFC 9457 problem details with a stable code; lists are pages; "
                    + "a command is repeated safely with its Idempotency-Key, and conditional with If-Match.",
            };
            document.Components = new OpenApiComponents { Schemas = Schemas.Of(document) };
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Bearer] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = Bearer, Description = "A key (pa_…) or a token made with one (pt_…)." },
            };
            return Task.CompletedTask;
        });
    });

    /// <summary>The one document, at its one address: of others the stock route says in its own words that they aren't there.</summary>
    public static void MapDocument(this WebApplication app) => app.MapOpenApi("/openapi/v1.json");
}
