using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace PersonaActors.Tests.Catalogues;

public sealed class FocusModeTests(OwnRoom room) : IClassFixture<OwnRoom>
{
    private static string NewName() => $"m{Guid.NewGuid():N}";

    private static object Mode(string modeName, bool? isSystem = null) => new { modeName, displayName = "A mode", systemPrompt = "Be so.", isSystem };

    [Fact]
    public async Task The_five_system_modes_stand_first_with_the_founding_texts()
    {
        var (_, admin) = await room.NewTenant();
        await admin.Post("/v1/focus-modes", Mode("aaa"));
        var items = (await admin.Get("/v1/focus-modes")).Should(HttpStatusCode.OK).Json["items"]!.AsArray();
        string[] expected = ["analyst", "code", "general", "researcher", "writer"];
        var system = items.Where(item => (bool)item!["isSystem"]!).Select(item => (string)item!["modeName"]!).ToList();
        Assert.Equal(expected, system.Where(expected.Contains));
        Assert.Equal("aaa", (string?)items[^1]!["modeName"]);
        var code = items.Single(item => (string?)item!["modeName"] == "code")!;
        Assert.Equal(("Code Expert", "Programming and development focus", "Code"), ((string)code["displayName"]!, (string)code["description"]!, (string)code["icon"]!));
        Assert.Equal(
            "You are an expert software developer. Focus on clean, efficient, well-documented code. Explain your reasoning and suggest best practices.",
            (string?)code["systemPrompt"]);
        Assert.Equal("You are a helpful, harmless, and honest AI assistant.", (string?)items.Single(item => (string?)item!["modeName"] == "general")!["systemPrompt"]);
    }

    [Theory]
    [InlineData("description", "\"d\"", "null")]
    [InlineData("icon", "\"Star\"", "null")]
    [InlineData("defaultModel", "\"m\"", "null")]
    [InlineData("settings", """{"a":1}""", "{}")]
    [InlineData("isActive", "false", "true")]
    public async Task A_field_is_set_kept_and_cleared(string field, string value, string standard)
    {
        var made = (await room.Admin.Post("/v1/focus-modes", Mode(NewName()))).Should(HttpStatusCode.Created);
        var path = $"/v1/focus-modes/{made.Id}";
        var before = await room.Admin.Get("/v1/catalogue");
        (await room.Admin.Patch(path, $$"""{"{{field}}":{{value}}}""")).Should(HttpStatusCode.OK);
        (await room.Admin.Patch(path, new { displayName = "B" })).Should(HttpStatusCode.OK);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(value), (await room.Admin.Get(path)).Json[field]));
        Room.AssertSame((await room.Admin.Get("/v1/catalogue")).Json, await room.Followed(before, room.CatalogueStream));
        (await room.Admin.Patch(path, $$"""{"{{field}}":null}""")).Should(HttpStatusCode.OK);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(standard), (await room.Admin.Get(path)).Json[field]));
        Room.AssertSame((await room.Admin.Get("/v1/catalogue")).Json, await room.Followed(before, room.CatalogueStream));
    }

    [Fact]
    public async Task A_tenant_mode_may_not_take_a_system_modes_name_nor_the_other_way_round()
    {
        (await room.Admin.Post("/v1/focus-modes", Mode("code"))).ShouldRefuse(HttpStatusCode.Conflict, "focus_mode_exists");
        var name = NewName();
        var made = (await room.Admin.Post("/v1/focus-modes", Mode(name))).Should(HttpStatusCode.Created);
        (await room.Admin.Post("/v1/focus-modes", Mode(name))).ShouldRefuse(HttpStatusCode.Conflict, "focus_mode_exists");
        (await room.Admin.Patch($"/v1/focus-modes/{made.Id}", new { modeName = "writer" })).ShouldRefuse(HttpStatusCode.Conflict, "focus_mode_exists");
        (await room.Operator.Post("/v1/focus-modes", Mode(name, true))).ShouldRefuse(HttpStatusCode.Conflict, "focus_mode_exists");
        var (_, other) = await room.NewTenant();
        (await other.Post("/v1/focus-modes", Mode(name))).Should(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Only_an_operator_makes_changes_and_deletes_a_system_mode_and_every_tenant_sees_it_at_once()
    {
        var (_, other) = await room.NewTenant();
        var person = await room.NewPerson();
        var name = NewName();
        (await room.Admin.Post("/v1/focus-modes", Mode(name, true))).ShouldRefuse(HttpStatusCode.Forbidden, "operator_only");
        (await room.Service.Post("/v1/focus-modes", Mode(name, true))).ShouldRefuse(HttpStatusCode.Forbidden, "operator_only");
        var made = (await room.Operator.Post("/v1/focus-modes", Mode(name, true))).Should(HttpStatusCode.Created);
        Assert.True((bool)made.Json["isSystem"]!);
        var path = $"/v1/focus-modes/{made.Id}";
        foreach (var client in (ApiClient[])[room.Admin, room.Service, person.Client, other])
        {
            (await client.Get(path)).Should(HttpStatusCode.OK);
            (await client.Patch(path, new { displayName = "taken over" })).ShouldRefuse(HttpStatusCode.Forbidden, "operator_only");
            (await client.Delete(path)).ShouldRefuse(HttpStatusCode.Forbidden, "operator_only");
        }

        (await room.Operator.Patch(path, new { systemPrompt = "New." })).Should(HttpStatusCode.OK);
        Assert.Equal("New.", (string?)(await other.Get(path)).Json["systemPrompt"]);
        (await room.Operator.Patch(path, new { isActive = false }, ("X-Persona-Tenant", room.Tenant.ToString()))).Should(HttpStatusCode.OK);
        (await other.Get(path)).ShouldRefuse(HttpStatusCode.NotFound, "focus_mode_not_found");
        Assert.DoesNotContain((await other.Get("/v1/focus-modes?limit=200")).Json["items"]!.AsArray(), item => (string?)item!["modeName"] == name);
        (await room.Operator.Delete(path)).Should(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Prompts_that_know_a_system_mode_show_a_change_as_soon_as_it_is_written()
    {
        var person = await room.NewPerson();
        var name = NewName();
        var slug = (await person.Client.Post("/v1/personalities", new { name = "Lila", slug = $"{name}-lila", characterInfo = "Sails.", personalityTraits = "dry" })).Should(HttpStatusCode.Created).Id;
        (await person.Client.Get($"/v1/personalities/{slug}/prompt?focusMode={name}")).ShouldRefuse(HttpStatusCode.NotFound, "focus_mode_not_found");
        var made = (await room.Operator.Post("/v1/focus-modes", Mode(name, true))).Should(HttpStatusCode.Created);
        for (var i = 0; i < 20; i++)
        {
            var text = (await person.Client.Get($"/v1/personalities/{slug}/prompt?format=text&focusMode={name}")).Should(HttpStatusCode.OK).Text;
            Assert.StartsWith(i == 0 ? "Be so." : $"text {i - 1}", text, StringComparison.Ordinal);
            (await room.Operator.Patch($"/v1/focus-modes/{made.Id}", new { systemPrompt = $"text {i}" })).Should(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task Inactive_modes_are_hidden_from_all_but_who_may_change_them()
    {
        var person = await room.NewPerson();
        var made = (await room.Admin.Post("/v1/focus-modes", new { modeName = NewName(), systemPrompt = "s", isActive = false })).Should(HttpStatusCode.Created);
        (await person.Client.Get($"/v1/focus-modes/{made.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "focus_mode_not_found");
        (await room.Admin.Get($"/v1/focus-modes/{made.Id}")).Should(HttpStatusCode.OK);
        bool Has(ApiAnswer list) => list.Json["items"]!.AsArray().Any(item => (string?)item!["id"] == made.Id.ToString());
        Assert.False(Has(await person.Client.Get("/v1/focus-modes?limit=200&inactive=true")));
        Assert.False(Has(await room.Admin.Get("/v1/focus-modes?limit=200")));
        Assert.True(Has(await room.Admin.Get("/v1/focus-modes?limit=200&inactive=true")));
    }

    [Fact]
    public async Task The_list_comes_in_pages_system_first_then_by_name()
    {
        var (_, admin) = await room.NewTenant();
        foreach (var name in (string[])["zebra", "ant", "mole"])
        {
            (await admin.Post("/v1/focus-modes", Mode(name))).Should(HttpStatusCode.Created);
        }

        var whole = (await admin.Get("/v1/focus-modes?limit=200")).Json["items"]!.AsArray().Select(item => (string)item!["modeName"]!).ToList();
        Assert.Equal(["ant", "mole", "zebra"], whole[^3..]);
        var paged = new List<string>();
        string? next = null;
        do
        {
            var page = (await admin.Get($"/v1/focus-modes?limit=2{(next is null ? "" : $"&after={next}")}")).Should(HttpStatusCode.OK).Json;
            paged.AddRange(page["items"]!.AsArray().Select(item => (string)item!["modeName"]!));
            next = (string?)page["next"];
        }
        while (next is not null);

        // Other tests make system modes meanwhile; what was there before is there in the same order.
        Assert.Equal(whole, paged.Where(whole.Contains));
        (await admin.Get("/v1/focus-modes?after=nonsense")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Theory]
    [InlineData("modeName", "\" \"")]
    [InlineData("modeName", "null")]
    [InlineData("systemPrompt", "null")]
    [InlineData("settings", "[]")]
    public async Task What_breaks_a_rule_is_refused_with_its_field(string field, string value)
    {
        var made = await room.Admin.Post("/v1/focus-modes", Mode(NewName()));
        var refused = (await room.Admin.Patch($"/v1/focus-modes/{made.Id}", $$"""{"{{field}}":{{value}}}""")).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        Assert.Equal(field, (string?)refused.Json["field"]);
    }

    [Fact]
    public async Task Users_do_not_write_the_tenants_modes_and_other_tenants_do_not_see_them()
    {
        var person = await room.NewPerson();
        var made = (await room.Admin.Post("/v1/focus-modes", Mode(NewName()))).Should(HttpStatusCode.Created);
        (await person.Client.Post("/v1/focus-modes", Mode(NewName()))).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await person.Client.Patch($"/v1/focus-modes/{made.Id}", new { displayName = "x" })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await person.Client.Delete($"/v1/focus-modes/{made.Id}")).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        var (_, other) = await room.NewTenant();
        (await other.Get($"/v1/focus-modes/{made.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "focus_mode_not_found");
        (await other.Delete($"/v1/focus-modes/{made.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "focus_mode_not_found");
        (await room.Admin.Delete($"/v1/focus-modes/{made.Id}")).Should(HttpStatusCode.NoContent);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_operators_repeated_deletion_is_answered_as_the_first_was(bool ofSystem)
    {
        (string, string) tenant = ("X-Persona-Tenant", room.Tenant.ToString());
        var made = (await room.Operator.Post("/v1/focus-modes", new { modeName = $"m{Guid.NewGuid():N}", systemPrompt = "s", isSystem = ofSystem }, tenant)).Should(HttpStatusCode.Created);
        Assert.Equal(ofSystem, (bool)made.Json["isSystem"]!);
        for (var i = 0; i < 2; i++)
        {
            (await room.Operator.Delete($"/v1/focus-modes/{made.Id}", tenant, ("Idempotency-Key", $"{made.Id}"))).Should(HttpStatusCode.NoContent);
        }

        (await room.Operator.Delete($"/v1/focus-modes/{made.Id}", tenant, ("Idempotency-Key", "another"))).ShouldRefuse(HttpStatusCode.NotFound, "focus_mode_not_found");
    }
}
