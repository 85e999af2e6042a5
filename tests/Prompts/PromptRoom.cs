using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Prompts;

/// <summary>What the tests of resolving do over and over, as a program would: over HTTP.</summary>
internal static class PromptRoom
{
    public static string NewSlug() => $"p{Guid.NewGuid():N}"[..20];

    public static async Task<(Guid Id, string Slug)> NewPersonality(this Person owner, string info = "", bool isPublic = false, object? more = null)
    {
        var body = new JsonObject { ["name"] = "Lila", ["slug"] = NewSlug(), ["characterInfo"] = info, ["personalityTraits"] = "calm", ["isPublic"] = isPublic };
        if (more is not null)
        {
            foreach (var (name, value) in System.Text.Json.JsonSerializer.SerializeToNode(more)!.AsObject())
            {
                body[name] = value?.DeepClone();
            }
        }

        var made = (await owner.Client.Post("/v1/personalities", body.ToJsonString())).Should(HttpStatusCode.Created);
        return (made.Id, (string)made.Json["slug"]!);
    }

    public static async Task<JsonObject> Prompt(this ApiClient client, string speaker, string query = "") =>
        (await client.Get($"/v1/personalities/{speaker}/prompt{query}")).Should(HttpStatusCode.OK).Json;

    public static string Text(this JsonObject prompt) => (string)prompt["systemPrompt"]!;

    public static async Task<Guid> DefaultPersona(this Person person) =>
        Guid.Parse((string)(await person.Client.Get($"/v1/users/{person.Id}")).Should(HttpStatusCode.OK).Json["defaultPersonaId"]!);
}
