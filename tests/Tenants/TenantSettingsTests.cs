using System.Text.Json.Nodes;

namespace PersonaActors.Tests.Tenants;

public sealed class TenantSettingsTests(Room room) : IClassFixture<Room>
{
    private const string Path = "/v1/tenant/settings";

    [Theory]
    [InlineData("maxMessages", "30")]
    [InlineData("maxAge", "\"off\"")]
    [InlineData("maxAge", "3600")]
    [InlineData("memoryLimit", "0")]
    [InlineData("memoryScoreThreshold", "0.25")]
    [InlineData("focusOverlay", "false")]
    [InlineData("mindscapeOverlay", "true")]
    public async Task A_setting_is_set_kept_and_cleared_and_told(string name, string value)
    {
        var (id, admin) = await room.NewTenant();
        Assert.Null((await admin.Get(Path)).Should(HttpStatusCode.OK).Json[name]);
        var before = await admin.Get($"/v1/tenants/{id}");
        (await admin.Patch(Path, $$"""{"{{name}}":{{value}}}""")).Should(HttpStatusCode.OK);
        (await admin.Patch(Path, new { conversationRetentionDays = 14 })).Should(HttpStatusCode.OK);
        var read = (await admin.Get(Path)).Json;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(value), read[name]), read.ToString());
        Assert.Equal(14, (int)read["conversationRetentionDays"]!);
        var state = before.Json;
        // The stream tells of keys too, which are no part of the tenant.
        foreach (var (_, _, data) in (await room.Events($"tenant:{id}", (long)before.Json["cursor"]!["seq"]!, id)).Where(e => e.Type == "tenant.updated"))
        {
            Room.Apply(state, data["changes"]!.AsObject());
        }

        Room.AssertSame((await admin.Get($"/v1/tenants/{id}")).Json, state);
        var cleared = (await admin.Patch(Path, $$"""{"{{name}}":null,"conversationRetentionDays":null}""")).Should(HttpStatusCode.OK).Json;
        Assert.False(cleared.ContainsKey(name));
        Assert.Equal(7, (int)cleared["conversationRetentionDays"]!);
    }

    [Theory]
    [InlineData("maxMessages", "0", "invalid_field")]
    [InlineData("maxMessages", "101", "invalid_field")]
    [InlineData("maxMessages", "\"many\"", "invalid_field")]
    [InlineData("maxAge", "0", "invalid_field")]
    [InlineData("memoryScoreThreshold", "1.5", "invalid_field")]
    [InlineData("memoryLimit", "-1", "invalid_field")]
    [InlineData("conversationRetentionDays", "0", "invalid_field")]
    [InlineData("maxColour", "1", "unknown_field")]
    public async Task What_breaks_a_rule_is_refused_with_its_name(string name, string value, string code)
    {
        var refused = (await room.Admin.Patch(Path, $$"""{"{{name}}":{{value}}}""")).ShouldRefuse(HttpStatusCode.BadRequest, code);
        Assert.Equal(name, (string?)refused.Json["field"]);
    }

    [Fact]
    public async Task Members_read_the_settings_and_admins_change_them()
    {
        var person = await room.NewPerson();
        (await person.Client.Get(Path)).Should(HttpStatusCode.OK);
        (await person.Client.Patch(Path, new { maxMessages = 1 })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await room.Service.Patch(Path, new { maxMessages = 1 })).ShouldRefuse(HttpStatusCode.Forbidden, "admin_only");
        (await room.Admin.Patch(Path, new { maxMessages = 12 }, ("If-Match", "999"))).ShouldRefuse(HttpStatusCode.PreconditionFailed, "version_mismatch");
        (await room.Operator.Patch(Path, new { maxMessages = 12 }, ("X-Persona-Tenant", room.Tenant.ToString()))).Should(HttpStatusCode.OK);
    }
}
