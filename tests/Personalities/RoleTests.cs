using Npgsql;
using PersonaActors.Contracts.Events;

namespace PersonaActors.Tests.Personalities;

/// <summary>Who may do what with a personality, through every route.</summary>
public sealed class RoleTests(Room room) : IClassFixture<Room>
{
    private sealed record Cast(string Path, Guid Id, Person Owner, Person Editor, Person Viewer, Person Stranger)
    {
        public Person Of(string role) => role switch { "owner" => Owner, "editor" => Editor, "viewer" => Viewer, _ => Stranger };
    }

    private async Task<Cast> NewCast(bool isPublic = false, bool definitionPublic = false)
    {
        var people = await Task.WhenAll(room.NewPerson("owner"), room.NewPerson("editor"), room.NewPerson("viewer"), room.NewPerson("stranger"));
        var made = (await people[0].Client.Post("/v1/personalities", new
        {
            name = "Lilith",
            slug = $"p{Guid.NewGuid():N}"[..20],
            characterInfo = "inside",
            personalityTraits = "inside",
            tone = "inside",
            isPublic,
            definitionPublic,
        })).Should(HttpStatusCode.Created);
        var cast = new Cast($"/v1/personalities/{made.Json["slug"]}", made.Id, people[0], people[1], people[2], people[3]);
        (await cast.Owner.Client.Put($"{cast.Path}/owners/{cast.Editor.Id}", new { role = "editor" })).Should(HttpStatusCode.OK);
        (await cast.Owner.Client.Put($"{cast.Path}/owners/{cast.Viewer.Id}", new { role = "viewer" })).Should(HttpStatusCode.OK);
        return cast;
    }

    [Theory]
    [InlineData("owner", 200, 200, 200, 200, 200, 200, 200, 204)]
    [InlineData("editor", 200, 200, 200, 403, 403, 403, 200, 403)]
    [InlineData("viewer", 200, 403, 403, 403, 403, 403, 200, 403)]
    [InlineData("stranger", 404, 404, 404, 404, 404, 404, 404, 404)]
    public async Task What_a_role_may_do_with_a_private_personality(
        string role, int read, int change, int settings, int share, int lend, int alias, int ownAlias, int delete)
    {
        var cast = await NewCast();
        var client = cast.Of(role).Client;
        var config = (await room.Admin.Post("/v1/llm-configs", new { name = $"c{Guid.NewGuid()}", model = "m" })).Id;
        Assert.Equal(read, (int)(await client.Get(cast.Path)).Status);
        Assert.Equal(read, (int)(await client.Get($"{cast.Path}/owners")).Status);
        Assert.Equal(read, (int)(await client.Get($"{cast.Path}/owners/{cast.Owner.Id}")).Status);
        Assert.Equal(read, (int)(await client.Get($"{cast.Path}/aliases")).Status);
        Assert.Equal(change, (int)(await client.Patch(cast.Path, new { tone = "changed" })).Status);
        Assert.Equal(change, (int)(await client.Put($"{cast.Path}/default-llm-config", new { llmConfigId = config })).Status);
        Assert.Equal(change, (int)(await client.Delete($"{cast.Path}/default-llm-config")).Status);
        Assert.Equal(settings, (int)(await client.Patch($"{cast.Path}/settings", new { maxMessages = 5 })).Status);
        Assert.Equal(share, (int)(await client.Patch(cast.Path, new { definitionPublic = true })).Status);
        Assert.Equal(lend, (int)(await client.Put($"{cast.Path}/owners/{cast.Viewer.Id}", new { role = "editor" })).Status);
        Assert.Equal(alias, (int)(await client.Put($"{cast.Path}/aliases/all{Guid.NewGuid():N}", null)).Status);
        Assert.Equal(ownAlias, (int)(await client.Put($"{cast.Path}/aliases/my{Guid.NewGuid():N}?personal=true", null)).Status);
        Assert.Equal(delete, (int)(await client.Delete(cast.Path)).Status);
        Assert.Equal(role == "stranger" || role == "owner" ? 0 : 1, (await client.Get("/v1/personalities?limit=200")).Json["items"]!.AsArray().Count(i => (string?)i!["id"] == cast.Id.ToString()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Others_see_of_a_public_personality_the_card_and_its_inside_only_if_that_is_public(bool definitionPublic)
    {
        var cast = await NewCast(isPublic: true, definitionPublic);
        var card = (await cast.Stranger.Client.Get(cast.Path)).Should(HttpStatusCode.OK).Json;
        Assert.Equal("Lilith", (string?)card["name"]);
        foreach (var inside in (string[])["characterInfo", "personalityTraits", "tone"])
        {
            Assert.Equal(definitionPublic ? "inside" : null, (string?)card[inside]);
        }

        Assert.Equal(definitionPublic, card["owners"]!.AsArray().Count > 0);
        Assert.Equal("inside", (string?)(await cast.Viewer.Client.Get(cast.Path)).Json["tone"]);
        (await cast.Stranger.Client.Patch(cast.Path, new { tone = "mine" })).ShouldRefuse(HttpStatusCode.Forbidden, "role_required");
        (await cast.Stranger.Client.Delete(cast.Path)).ShouldRefuse(HttpStatusCode.Forbidden, "role_required");
        var listed = (await cast.Stranger.Client.Get("/v1/personalities?limit=200")).Json["items"]!.AsArray().Single(i => (string?)i!["id"] == cast.Id.ToString())!;
        Assert.Null(listed["characterInfo"]);
    }

    [Fact]
    public async Task Another_tenant_finds_nothing_however_public_it_is()
    {
        var cast = await NewCast(isPublic: true, definitionPublic: true);
        var (_, other) = await room.NewTenant();
        (await other.Get(cast.Path)).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await other.Get($"/v1/personalities/{cast.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await other.Patch($"/v1/personalities/{cast.Id}", new { name = "ours" })).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await other.Delete($"/v1/personalities/{cast.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        Assert.Empty((await other.Get("/v1/personalities")).Json["items"]!.AsArray());
    }

    [Fact]
    public async Task The_last_owner_cannot_leave_nor_be_less_but_can_hand_over()
    {
        var cast = await NewCast();
        var owners = $"{cast.Path}/owners";
        (await cast.Owner.Client.Delete($"{owners}/{cast.Owner.Id}")).ShouldRefuse(HttpStatusCode.Conflict, "last_owner");
        (await cast.Owner.Client.Put($"{owners}/{cast.Owner.Id}", new { role = "editor" })).ShouldRefuse(HttpStatusCode.Conflict, "last_owner");
        (await room.Admin.Delete($"{owners}/{cast.Owner.Id}")).ShouldRefuse(HttpStatusCode.Conflict, "last_owner");
        (await cast.Owner.Client.Put($"{owners}/{cast.Editor.Id}", new { role = "owner" })).Should(HttpStatusCode.OK);
        (await cast.Owner.Client.Delete($"{owners}/{cast.Owner.Id}")).Should(HttpStatusCode.NoContent);
        (await cast.Owner.Client.Get(cast.Path)).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await cast.Editor.Client.Delete($"{owners}/{cast.Editor.Id}")).ShouldRefuse(HttpStatusCode.Conflict, "last_owner");
        // Anybody else may leave.
        (await cast.Viewer.Client.Delete($"{owners}/{cast.Viewer.Id}")).Should(HttpStatusCode.NoContent);
        (await cast.Editor.Client.Delete($"{owners}/{cast.Viewer.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "owner_not_found");
        (await cast.Editor.Client.Put($"{owners}/{Guid.NewGuid()}", new { role = "viewer" })).ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
        (await cast.Editor.Client.Put($"{owners}/{cast.Viewer.Id}", new { role = "king" })).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await cast.Editor.Client.Get($"{owners}/{cast.Viewer.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "owner_not_found");
    }

    [Fact]
    public async Task What_a_crash_kept_from_a_deleted_users_personalities_they_are_told_later_and_once()
    {
        var cast = await NewCast();
        var alone = (await cast.Viewer.Client.Post("/v1/personalities", new { name = "Mine", slug = $"p{Guid.NewGuid():N}"[..20], characterInfo = "", personalityTraits = "" })).Should(HttpStatusCode.Created).Id;
        var before = (await room.Events(StreamName.Personality(cast.Id)))[^1].Seq;
        await using var connection = new NpgsqlConnection(room.Database.Superuser);
        await connection.OpenAsync();
        var payload = $$"""{"user":"{{cast.Viewer.Id}}","personalities":{"{{cast.Id}}":"viewer","{{alone}}":"owner"} }""";
        var task = $"INSERT INTO outbox_tasks (tenant_id, id, kind, payload, run_after, created_at) VALUES ('{room.Tenant}', gen_random_uuid(), 'user.leave', '{payload}', now(), now())";

        // As the deletion's transaction leaves it, and a kill right behind.
        await Run($"DELETE FROM users WHERE id = '{cast.Viewer.Id}'; {task}");
        await Eventually.True("nothing is left to tell", Told);
        (await room.Admin.Get($"/v1/personalities/{alone}")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        await Eventually.True("the log has nothing of it either", async () => (await room.Events(StreamName.Personality(alone))).Count == 0);
        (await cast.Owner.Client.Get($"{cast.Path}/owners/{cast.Viewer.Id}")).ShouldRefuse(HttpStatusCode.NotFound, "owner_not_found");
        Assert.Equal("personality.access-changed", Assert.Single(await room.Events(StreamName.Personality(cast.Id), before)).Type);

        await Run(task);
        await Eventually.True("nothing is left to tell again", Told);
        Assert.Single(await room.Events(StreamName.Personality(cast.Id), before));

        async Task Run(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }

        async Task<bool> Told()
        {
            await using var command = new NpgsqlCommand("SELECT count(*) FROM outbox_tasks WHERE kind = 'user.leave' AND status <> 'failed'", connection);
            return (long)(await command.ExecuteScalarAsync())! == 0;
        }
    }

    [Fact]
    public async Task Of_two_owners_who_leave_at_once_one_stays()
    {
        for (var i = 0; i < 5; i++)
        {
            var cast = await NewCast();
            (await cast.Owner.Client.Put($"{cast.Path}/owners/{cast.Editor.Id}", new { role = "owner" })).Should(HttpStatusCode.OK);
            var left = await Task.WhenAll(cast.Owner.Client.Delete($"{cast.Path}/owners/{cast.Owner.Id}"), cast.Editor.Client.Delete($"{cast.Path}/owners/{cast.Editor.Id}"));
            Assert.Single(left, answer => answer.Status == HttpStatusCode.NoContent);
            Assert.Single(left, answer => answer.Status == HttpStatusCode.Conflict);
        }
    }

    [Fact]
    public async Task Changes_of_roles_are_told_and_repeat_quietly()
    {
        var cast = await NewCast();
        var before = await cast.Owner.Client.Get(cast.Path);
        var set = await cast.Owner.Client.Put($"{cast.Path}/owners/{cast.Stranger.Id}", new { role = "viewer" });
        Assert.Equal("viewer", (string?)set.Should(HttpStatusCode.OK).Json["role"]);
        (await cast.Owner.Client.Put($"{cast.Path}/owners/{cast.Stranger.Id}", new { role = "viewer" })).Should(HttpStatusCode.OK);
        (await cast.Owner.Client.Delete($"{cast.Path}/owners/{cast.Stranger.Id}")).Should(HttpStatusCode.NoContent);
        var events = await room.Events(StreamName.Personality(cast.Id), (long)before.Json["cursor"]!["seq"]!);
        Assert.Equal(["personality.access-changed", "personality.access-changed"], events.Select(e => e.Type));
        Room.AssertSame((await cast.Owner.Client.Get(cast.Path)).Json, await room.Followed(before, StreamName.Personality(cast.Id)));
    }

    [Fact]
    public async Task Admins_stand_above_roles_and_services_act_as_the_user_they_name()
    {
        var cast = await NewCast();
        (await room.Admin.Get(cast.Path)).Should(HttpStatusCode.OK);
        (await room.Admin.Patch(cast.Path, new { tone = "a" })).Should(HttpStatusCode.OK);
        (await room.Service.Get(cast.Path)).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await room.Service.Get(cast.Path, ("X-Persona-User", cast.Viewer.Id.ToString()))).Should(HttpStatusCode.OK);
        (await room.Service.Patch(cast.Path, new { tone = "b" }, ("X-Persona-User", cast.Viewer.Id.ToString()))).ShouldRefuse(HttpStatusCode.Forbidden, "role_required");
        (await room.Service.Post("/v1/personalities", new { name = "x", slug = "nobodys", characterInfo = "", personalityTraits = "" }))
            .ShouldRefuse(HttpStatusCode.BadRequest, "user_required");
        (await room.Service.Post("/v1/personalities", new { name = "x", slug = "nobodys", characterInfo = "", personalityTraits = "" }, ("X-Persona-User", Guid.NewGuid().ToString())))
            .ShouldRefuse(HttpStatusCode.NotFound, "user_not_found");
    }

    [Fact]
    public async Task Aliases_find_the_personality_personal_ones_for_their_user_alone()
    {
        var cast = await NewCast(isPublic: true);
        var (common, own) = ($"Common {Guid.NewGuid():N}", $"Own {Guid.NewGuid():N}");
        var before = await cast.Owner.Client.Get(cast.Path);
        (await cast.Owner.Client.Put($"{cast.Path}/aliases/{common}", null)).Should(HttpStatusCode.OK);
        (await cast.Owner.Client.Put($"{cast.Path}/aliases/{Guid.NewGuid():N}", null)).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
        (await cast.Stranger.Client.Put($"{cast.Path}/aliases/{own}?personal=true", null)).Should(HttpStatusCode.OK);
        Assert.Equal(cast.Id, (await cast.Stranger.Client.Get($"/v1/personalities/{common.ToUpperInvariant()}")).Id);
        Assert.Equal(cast.Id, (await cast.Stranger.Client.Get($"/v1/personalities/{own}")).Id);
        (await cast.Viewer.Client.Get($"/v1/personalities/{own}")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        Assert.Equal(2, (await cast.Stranger.Client.Get($"{cast.Path}/aliases")).Json["items"]!.AsArray().Count);
        Assert.Single((await cast.Viewer.Client.Get($"{cast.Path}/aliases")).Json["items"]!.AsArray());
        Room.AssertSame((await cast.Owner.Client.Get(cast.Path)).Json, await room.Followed(before, StreamName.Personality(cast.Id)));

        var other = await NewCast(isPublic: true);
        (await other.Owner.Client.Put($"{other.Path}/aliases/{common.ToLowerInvariant()}", null)).ShouldRefuse(HttpStatusCode.Conflict, "alias_taken");
        (await cast.Stranger.Client.Put($"{other.Path}/aliases/{own}?personal=true", null)).ShouldRefuse(HttpStatusCode.Conflict, "alias_taken");
        // The same word may be one person's here and another's there.
        (await cast.Viewer.Client.Put($"{other.Path}/aliases/{own}?personal=true", null)).Should(HttpStatusCode.OK);
        Assert.Equal(other.Id, (await cast.Viewer.Client.Get($"/v1/personalities/{own}")).Id);

        (await cast.Stranger.Client.Delete($"{cast.Path}/aliases/{common}")).ShouldRefuse(HttpStatusCode.Forbidden, "role_required");
        (await cast.Owner.Client.Delete($"{cast.Path}/aliases/{common}")).Should(HttpStatusCode.NoContent);
        (await cast.Owner.Client.Delete($"{cast.Path}/aliases/{common}")).ShouldRefuse(HttpStatusCode.NotFound, "alias_not_found");
        (await cast.Stranger.Client.Delete($"{cast.Path}/aliases/{own}?personal=true")).Should(HttpStatusCode.NoContent);
        (await cast.Stranger.Client.Get($"/v1/personalities/{own}")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
        (await cast.Owner.Client.Put($"{cast.Path}/aliases/{new string('x', 101)}", null)).ShouldRefuse(HttpStatusCode.BadRequest, "invalid_field");
    }

    [Fact]
    public async Task Lists_come_in_pages_by_search_and_tag_and_show_only_what_one_may_use()
    {
        var owner = await room.NewPerson();
        var stranger = await room.NewPerson();
        var mark = $"x{Guid.NewGuid():N}"[..12];
        for (var i = 0; i < 5; i++)
        {
            (await owner.Client.Post("/v1/personalities", new
            {
                name = $"{mark} 100%_{i}",
                slug = $"{mark}-{i}",
                characterInfo = "",
                personalityTraits = "",
                isPublic = i % 2 == 0,
                tags = i < 3 ? new[] { mark } : [],
            })).Should(HttpStatusCode.Created);
        }

        async Task<List<string>> Slugs(ApiClient client, string query) =>
            [.. (await client.Pages($"/v1/personalities?{query}", 2)).Select(item => (string)item["slug"]!).Order()];

        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"{mark}-{i}"), await Slugs(owner.Client, $"search={mark.ToUpperInvariant()}"));
        Assert.Equal([$"{mark}-0", $"{mark}-2", $"{mark}-4"], await Slugs(stranger.Client, $"search={mark}"));
        Assert.Equal([$"{mark}-0", $"{mark}-2"], await Slugs(stranger.Client, $"tag={mark}"));
        Assert.Equal([$"{mark}-3"], await Slugs(owner.Client, $"search={mark} 100%25_3"));
        Assert.Empty(await Slugs(owner.Client, $"search={mark}%25100"));
        Assert.Equal(3, (await Slugs(room.Service, $"search={mark}")).Count);
        Assert.Equal(5, (await Slugs(room.Admin, $"search={mark}")).Count);
    }
}
