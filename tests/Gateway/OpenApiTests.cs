using System.Text.Json.Nodes;
using PersonaActors.Tests.Realtime;

namespace PersonaActors.Tests.Gateway;

public sealed class OpenApiTests(Room room) : IClassFixture<Room>
{
    [Fact]
    public async Task The_document_says_of_every_operation_what_a_client_has_to_know()
    {
        using var anybody = room.Node.Client();
        var json = (await anybody.Get("/openapi/v1.json")).Should(HttpStatusCode.OK).Json;
        Assert.StartsWith("3.", (string?)json["openapi"], StringComparison.Ordinal);
        var document = await ApiDocument.Of(room.Node.Address);
        Assert.Contains(document.Operations, operation => operation.Name == "POST /v1/users");
        Assert.Equal(document.Operations.Count, document.Operations.Select(operation => (string)operation.Json["operationId"]!).Distinct().Count());
        var complaints = document.Operations.SelectMany(operation => Lacks(document, operation).Select(what => $"{operation.Name}: {what}")).ToList();
        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
    }

    private static IEnumerable<string> Lacks(ApiDocument document, ApiDocument.Operation operation)
    {
        var (json, isHealth) = (operation.Json, operation.Path.StartsWith("/health/", StringComparison.Ordinal));
        var responses = json["responses"]!.AsObject();
        string[] parameters = [.. (json["parameters"] as JsonArray ?? []).Select(parameter => $"{parameter!["in"]} {parameter["name"]}")];
        if (json["summary"] is null)
        {
            yield return "no summary";
        }

        var success = responses.Where(response => response.Key.StartsWith('2')).ToList();
        if (success.Count == 0 || success.Any(response => response.Key != "204" && !(response.Value!["content"] is JsonObject content && content.All(media => media.Value!["schema"] is JsonObject { Count: > 0 }))))
        {
            yield return "no success with a schema";
        }

        if (!isHealth && (json["security"] is not JsonArray { Count: > 0 } || responses["401"]?["content"]?["application/problem+json"]?["schema"] is null || responses["503"]?["headers"]?["Retry-After"] is null))
        {
            yield return "no security or no refusals";
        }

        foreach (var name in operation.Segments.Where(segment => segment.StartsWith('{')).Where(segment => !parameters.Contains($"path {segment[1..segment.IndexOf('}')]}")))
        {
            yield return $"no parameter {name}";
        }

        var isPage = success.Any(response => ((string?)response.Value!["content"]?["application/json"]?["schema"]?["$ref"])?.EndsWith("Page", StringComparison.Ordinal) is true);
        if (isPage && !(parameters.Contains("query limit") && parameters.Contains("query after")))
        {
            yield return "a page without paging";
        }

        if (operation.Method is "PATCH" or "PUT" or "DELETE" && !(parameters.Contains("header Idempotency-Key") && parameters.Contains("header If-Match") && responses["412"] is not null))
        {
            yield return "a command without its headers";
        }

        if (operation.Method == "PATCH" && document.Resolve(json["requestBody"]!["content"]!["application/json"]!["schema"]!)["required"] is JsonArray { Count: > 0 } required)
        {
            yield return $"a PATCH that requires {required.ToJsonString()}";
        }

        if (json["requestBody"] is { } body && body["content"]!["application/json"]!["schema"] is not JsonObject { Count: > 0 })
        {
            yield return "a body without a schema";
        }
    }

    [Fact]
    public async Task A_generated_client_registers_a_user_makes_a_character_and_resolves_a_prompt()
    {
        await NodeClients.EnsureInstalled();
        var folder = NodeClients.Folder;
        var made = Directory.CreateDirectory(Path.Combine(folder, "node_modules", ".generated")).FullName;
        await File.WriteAllTextAsync(Path.Combine(made, "api.json"), (await ApiDocument.Of(room.Node.Address)).Json.ToJsonString());
        await Programs.Run(folder, Path.Combine(folder, "node_modules", ".bin", "openapi-typescript"), Path.Combine(made, "api.json"), "-o", Path.Combine(made, "api.d.ts"));
        await Programs.Run(folder, Path.Combine(folder, "node_modules", ".bin", "tsc"), "generated.ts", "--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext",
            "--skipLibCheck", "--lib", "es2022,dom", "--outDir", made);
        var said = JsonNode.Parse(await Programs.Run(
            made, "node", "generated.js", room.Node.Address.GetLeftPart(UriPartial.Authority), await room.Node.ServiceKey()))!;
        Assert.Contains("Lila keeps a lighthouse and talks to Generated", (string)said["systemPrompt"]!, StringComparison.Ordinal);
        Assert.Equal("persona_not_found", (string)said["missing"]!);
        (await room.Service.Get($"/v1/users/{said["user"]}")).Should(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Health_needs_no_key()
    {
        using var anybody = room.Node.Client();
        (await anybody.Get("/health/live")).Should(HttpStatusCode.OK);
        (await anybody.Get("/health/ready")).Should(HttpStatusCode.OK);
    }
}
