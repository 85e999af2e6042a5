using System.Net;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Gateway;

public sealed class OpenApiTests(NodeFixture fixture) : IClassFixture<NodeFixture>
{
    [Fact]
    public async Task The_document_names_every_route_with_a_summary()
    {
        using var anybody = fixture.Node.Client();
        var document = (await anybody.Get("/openapi/v1.json")).Should(HttpStatusCode.OK).Json;
        Assert.StartsWith("3.", (string?)document["openapi"], StringComparison.Ordinal);
        var operations = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => (Name: $"{operation.Key} {path.Key}", operation.Value)));
        Assert.Contains(operations, operation => operation.Name == "post /v1/users");
        Assert.Empty(operations.Where(operation => operation.Value!["summary"] is null).Select(operation => operation.Name));
    }

    [Fact]
    public async Task Health_needs_no_key()
    {
        using var anybody = fixture.Node.Client();
        (await anybody.Get("/health/live")).Should(HttpStatusCode.OK);
        (await anybody.Get("/health/ready")).Should(HttpStatusCode.OK);
    }
}
