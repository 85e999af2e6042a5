using System.Text.Json.Nodes;
using PersonaActors.Tests.Prompts;

namespace PersonaActors.Tests.Gateway;

/// <summary>What all lists of entities have in common: pages by cursor, and a search in names.</summary>
public sealed class ListTests(Room room) : IClassFixture<Room>
{
    public static TheoryData<string> Collections =>
        ["users", "personas", "system-prompts", "llm-configs", "personalities", "focus-modes", "user-personas", "tenants"];

    [Theory, MemberData(nameof(Collections))]
    public async Task A_list_is_searched_by_name_and_paged(string collection)
    {
        var person = await room.NewPerson();
        var client = collection switch { "tenants" => room.Operator, "users" or "system-prompts" or "focus-modes" => room.Admin, _ => person.Client };
        var mark = $"m{Guid.NewGuid():N}"[..12];
        var made = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            made.Add((await client.Post($"/v1/{collection}", Body(collection, $"{mark}-{i}").ToJsonString())).Should(HttpStatusCode.Created).Id);
        }

        Assert.Equal(made.Order(), (await All(client, collection, mark.ToUpperInvariant(), 2)).Order());
        Assert.Equal([made[1]], await All(client, collection, $"{mark}-1", 50));
        Assert.Empty(await All(client, collection, $"{mark}%25", 50));
        Assert.Empty(await All(client, collection, $"{mark}_1", 50));

        // A blank search is none.
        Assert.Superset(made.ToHashSet(), (await All(client, collection, "%20", 200)).ToHashSet());
        (await client.Get($"/v1/{collection}?search=%00")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await client.Get($"/v1/{collection}?search={new string('x', 256)}")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await client.Get($"/v1/{collection}?limit=0")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await client.Get($"/v1/{collection}?limit=201")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await client.Get($"/v1/{collection}?after=nonsense")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Fact]
    public async Task Owners_and_aliases_come_in_pages()
    {
        var owner = await room.NewPerson();
        var (_, slug) = await owner.NewPersonality();
        var others = new List<string> { owner.Id.ToString() };
        for (var i = 0; i < 4; i++)
        {
            var other = await room.NewPerson();
            others.Add(other.Id.ToString());
            (await owner.Client.Put($"/v1/personalities/{slug}/owners/{other.Id}", new { role = "viewer" })).Should(HttpStatusCode.OK);
            (await owner.Client.Put($"/v1/personalities/{slug}/aliases/{slug}{i}{(i == 0 ? "?personal=true" : "")}", null)).Should(HttpStatusCode.OK);
        }

        async Task<List<string>> Pages(string what, string member)
        {
            var seen = new List<string>();
            for (var next = ""; next is not null;)
            {
                var page = (await owner.Client.Get($"/v1/personalities/{slug}/{what}?limit=2{(next.Length == 0 ? "" : $"&after={Uri.EscapeDataString(next)}")}")).Should(HttpStatusCode.OK).Json;
                Assert.True(page["items"]!.AsArray().Count <= 2);
                seen.AddRange(page["items"]!.AsArray().Select(item => (string)item![member]!));
                next = (string?)page["next"];
            }

            return seen;
        }

        Assert.Equal(others.Order(), (await Pages("owners", "userId")).Order());
        Assert.Equal(Enumerable.Range(0, 4).Select(i => $"{slug}{i}"), (await Pages("aliases", "alias")).Order());
    }

    [Theory]
    [InlineData("personas")]
    [InlineData("user-personas")]
    public async Task What_somebody_has_whom_nobody_registered_is_not_an_empty_list(string collection)
    {
        (await room.Service.Get($"/v1/{collection}?user={Guid.NewGuid()}")).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await room.Service.Get($"/v1/{collection}", ("X-Persona-User", $"{Guid.NewGuid()}"))).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
    }

    private static JsonObject Body(string collection, string name) => collection switch
    {
        "users" => new() { ["username"] = name },
        "system-prompts" => new() { ["name"] = name, ["content"] = "c" },
        "personalities" => new() { ["name"] = name, ["slug"] = PromptRoom.NewSlug(), ["characterInfo"] = "", ["personalityTraits"] = "" },
        "focus-modes" => new() { ["modeName"] = name, ["systemPrompt"] = "s" },
        "user-personas" => new() { ["name"] = name, ["systemPrompt"] = "s" },
        "llm-configs" => new() { ["name"] = name, ["model"] = "m" },
        _ => new() { ["name"] = name },
    };

    private static async Task<List<Guid>> All(ApiClient client, string collection, string search, int limit)
    {
        var seen = new List<Guid>();
        for (var next = ""; next is not null;)
        {
            var page = (await client.Get($"/v1/{collection}?search={search}&limit={limit}{(next.Length == 0 ? "" : $"&after={next}")}")).Should(HttpStatusCode.OK).Json;
            seen.AddRange(page["items"]!.AsArray().Select(item => Guid.Parse((string)item!["id"]!)));
            next = (string?)page["next"];
        }

        return seen;
    }
}
