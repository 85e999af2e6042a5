using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;

namespace PersonaActors.Gateway.Documents;

/// <summary>What an operation takes and answers beyond what its handler's parameters show: headers, pages, refusals, who may call it.</summary>
internal sealed class Operations(OpenApiDocument document, Schemas schemas)
{
    private static readonly int[] OfAll = [400, 401, 403, 404, 429, 503];
    private static readonly int[] OfBodies = [413, 415];
    private static readonly int[] OfCommands = [409, 412, 413, 415, 422];

    public void Complete(OpenApiOperation operation, ApiDescription route)
    {
        var metadata = route.ActionDescriptor.EndpointMetadata;
        var needsKey = metadata.OfType<IAuthorizeData>().Any();
        var isRead = HttpMethods.IsGet(route.HttpMethod!);
        var isCommand = needsKey && !isRead && !metadata.OfType<WritesNothing>().Any();
        operation.OperationId = NameOf(route);
        operation.Parameters ??= [];
        TakeBody(operation, route, metadata);
        foreach (var query in metadata.OfType<QueryParameter>())
        {
            Take(operation, ParameterLocation.Query, query.Name, query.Description, schemas.Of(query.Type));
        }

        foreach (var parameter in operation.Parameters.OfType<OpenApiParameter>())
        {
            if (route.ParameterDescriptions.FirstOrDefault(known => known.Name == parameter.Name) is { Type: { } type })
            {
                parameter.Schema = schemas.Of(type);
            }
        }

        operation.Responses = [];
        foreach (var answers in metadata.OfType<IProducesResponseTypeMetadata>().Where(answer => answer.Type != typeof(ProblemDetails)).GroupBy(answer => answer.StatusCode))
        {
            var response = new OpenApiResponse { Description = ReasonPhrases.GetReasonPhrase(answers.Key), Headers = new Dictionary<string, IOpenApiHeader>() };
            foreach (var answer in answers)
            {
                Answer(operation, response, answer, isCommand || metadata.OfType<TellsCursor>().Any());
            }

            operation.Responses[answers.Key.ToString(CultureInfo.InvariantCulture)] = response;
        }

        if (!needsKey)
        {
            return;
        }

        operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(DocumentComposition.Bearer, document)] = [] }];
        Take(operation, ParameterLocation.Header, ActingResolver.UserHeader, "The user that the caller acts for: id or provider:subject.");
        Take(operation, ParameterLocation.Header, ActingResolver.TenantHeader, "The tenant, by id or name: of an operator's key.");
        if (isCommand)
        {
            Take(operation, ParameterLocation.Header, Commands.Header, $"The command's id, 1–{Commands.MaxIdLength} printable ASCII characters: a repeat within 24 hours gets the first answer.");
            Take(operation, ParameterLocation.Header, "If-Match", "The version that is to be changed, as the entity's ETag.");
        }

        var ofIts = metadata.OfType<IProducesResponseTypeMetadata>().Where(answer => answer.Type == typeof(ProblemDetails)).Select(answer => answer.StatusCode);
        foreach (var status in (int[])[.. ofIts, .. OfAll, .. isCommand ? OfCommands : isRead ? [] : OfBodies])
        {
            operation.Responses.TryAdd(status.ToString(CultureInfo.InvariantCulture), Refusal(status));
        }
    }

    private void TakeBody(OpenApiOperation operation, ApiDescription route, IList<object> metadata)
    {
        var hand = metadata.OfType<HandReadBody>().FirstOrDefault();
        if ((hand?.Type ?? route.ParameterDescriptions.FirstOrDefault(parameter => parameter.Source == BindingSource.Body)?.Type) is not { } type)
        {
            return;
        }

        operation.RequestBody = new OpenApiRequestBody
        {
            Required = hand is not null || operation.RequestBody?.Required is true,
            Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = schemas.Of(type) } },
        };
    }

    private void Answer(OpenApiOperation operation, OpenApiResponse response, IProducesResponseTypeMetadata answer, bool tellsCursor)
    {
        if (answer.StatusCode == StatusCodes.Status201Created)
        {
            Give(response, "Location", "Where it is.");
        }

        if (tellsCursor)
        {
            Give(response, Answers.CursorHeader, "Where its stream stood: {epoch}:{seq}.");
        }

        if (answer.Type is not { } type || type == typeof(void))
        {
            if (answer.StatusCode == StatusCodes.Status304NotModified)
            {
                Give(response, "ETag", "The version of what has been answered before.");
            }

            return;
        }

        var isPage = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Page<>);
        var hasVersion = !isPage && type.GetCustomAttribute<AnyOfAttribute>() is null && schemas.HasVersion(type);
        var schema = isPage || (!tellsCursor && !hasVersion) || type == typeof(string) ? schemas.Of(type) : schemas.WithCursor(type);
        response.Content ??= new Dictionary<string, OpenApiMediaType>();
        foreach (var media in answer.ContentTypes)
        {
            response.Content[media] = new OpenApiMediaType { Schema = schema };
        }

        if (hasVersion)
        {
            Give(response, "ETag", "The version, as If-Match takes it.");
            Give(response, Answers.CursorHeader, "Where its stream stood: {epoch}:{seq}.");
        }

        if (isPage)
        {
            Take(operation, ParameterLocation.Query, "limit", $"How many at most: 1–{PageQuery.MaxLimit}, 50 if it isn't said.", schemas.Of(typeof(int)));
            Take(operation, ParameterLocation.Query, "after", "The 'next' of the page before.", schemas.Of(typeof(string)));
        }
    }

    private OpenApiResponse Refusal(int status)
    {
        var problem = schemas.Named("Problem", () => new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "RFC 9457 problem details, with a code for programs and the field where it is about one.",
            Required = new HashSet<string> { "type", "title", "status", "detail", "code" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["type"] = schemas.Of(typeof(string)),
                ["title"] = schemas.Of(typeof(string)),
                ["status"] = schemas.Of(typeof(int)),
                ["detail"] = schemas.Of(typeof(string)),
                // No enum: a client that knows today's shall live with tomorrow's.
                ["code"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "Stable. Those of today are the examples.", Examples = [.. ProblemCodes.All.Select(code => JsonValue.Create(code))] },
                ["field"] = schemas.Of(typeof(string)),
            },
            AdditionalProperties = new OpenApiSchema(),
        });
        var response = new OpenApiResponse
        {
            Description = ReasonPhrases.GetReasonPhrase(status),
            Content = new Dictionary<string, OpenApiMediaType> { ["application/problem+json"] = new() { Schema = problem } },
        };
        if (status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            response.Headers = new Dictionary<string, IOpenApiHeader>();
            Give(response, "Retry-After", "In how many seconds to try again.");
        }

        return response;
    }

    private void Take(OpenApiOperation operation, ParameterLocation where, string name, string description, IOpenApiSchema? schema = null)
    {
        if (operation.Parameters!.Any(parameter => parameter.Name == name))
        {
            return;
        }

        operation.Parameters!.Add(new OpenApiParameter { In = where, Name = name, Description = description, Schema = schema ?? schemas.Of(typeof(string)) });
    }

    private void Give(OpenApiResponse response, string name, string description) =>
        response.Headers![name] = new OpenApiHeader { Description = description, Schema = schemas.Of(typeof(string)) };

    /// <summary><c>GET v1/users/{id}/overrides</c> is getUsersByIdOverrides.</summary>
    private static string NameOf(ApiDescription route)
    {
        var words = route.RelativePath!.Split('/', '-', ':').Where(word => word.Length > 0 && word != "v1")
            .Select(word => word.StartsWith('{') ? $"By{Capital(word.Trim('{', '}'))}" : Capital(word));
        return $"{route.HttpMethod!.ToLowerInvariant()}{string.Concat(words)}";
    }

    private static string Capital(string word) => string.Concat(word[..1].ToUpperInvariant(), word.AsSpan(1));
}
