using PersonaActors.Contracts.Events;
using PersonaActors.Storage.Migrations;

namespace PersonaActors.Tests.Personalities;

/// <summary>Slugs and the tenant's aliases are one namespace: what a name means, it goes on meaning.</summary>
public sealed class NameTests(Room room) : IClassFixture<Room>
{
    private static string Fresh() => $"n{Guid.NewGuid():N}"[..20];

    private static Task<ApiAnswer> Make(Person owner, string slug) =>
        owner.Client.Post("/v1/personalities", new { name = "x", slug, characterInfo = "", personalityTraits = "", isPublic = true });

    [Fact]
    public async Task An_alias_is_nobodys_slug_and_a_slug_nobodys_alias()
    {
        var (ada, ben) = (await room.NewPerson("ada"), await room.NewPerson("ben"));
        var (zelda, mine, other) = (Fresh(), Fresh(), Fresh());
        var hers = (await Make(ada, mine)).Should(HttpStatusCode.Created).Id;
        (await ada.Client.Put($"/v1/personalities/{mine}/aliases/{zelda.ToUpperInvariant()}", null)).Should(HttpStatusCode.OK);

        (await Make(ben, zelda)).ShouldRefuse(HttpStatusCode.Conflict, "slug_taken");
        var his = (await Make(ben, other)).Should(HttpStatusCode.Created).Id;
        (await ben.Client.Patch($"/v1/personalities/{other}", new { slug = zelda })).ShouldRefuse(HttpStatusCode.Conflict, "slug_taken");
        (await ben.Client.Put($"/v1/personalities/{other}/aliases/{mine}", null)).ShouldRefuse(HttpStatusCode.Conflict, "alias_taken");
        (await ben.Client.Put($"/v1/personalities/{other}/aliases/{zelda}", null)).ShouldRefuse(HttpStatusCode.Conflict, "alias_taken");
        (await ben.Client.Put($"/v1/personalities/{other}/aliases/{mine}?personal=true", null)).ShouldRefuse(HttpStatusCode.Conflict, "alias_taken");
        Assert.Equal(hers, (await ben.Client.Get($"/v1/personalities/{zelda}")).Should(HttpStatusCode.OK).Id);
        Assert.Equal(hers, (await ben.Client.Get($"/v1/personalities/{mine}")).Id);

        // What is given up is free.
        (await ada.Client.Delete($"/v1/personalities/{mine}/aliases/{zelda}")).Should(HttpStatusCode.NoContent);
        (await ben.Client.Patch($"/v1/personalities/{other}", new { slug = zelda })).Should(HttpStatusCode.OK);
        Assert.Equal(his, (await ada.Client.Get($"/v1/personalities/{zelda}")).Id);
        (await ada.Client.Put($"/v1/personalities/{mine}/aliases/{other}", null)).Should(HttpStatusCode.OK);
        (await ada.Client.Delete($"/v1/personalities/{mine}")).Should(HttpStatusCode.NoContent);
        (await Make(ben, mine)).Should(HttpStatusCode.Created);
        (await Make(ben, other)).Should(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_users_own_word_stays_theirs_whoever_takes_it_as_a_slug()
    {
        var (ada, ben) = (await room.NewPerson("ada"), await room.NewPerson("ben"));
        var (word, mine) = (Fresh(), Fresh());
        var hers = (await Make(ada, mine)).Should(HttpStatusCode.Created).Id;
        (await ada.Client.Put($"/v1/personalities/{mine}/aliases/{word}?personal=true", null)).Should(HttpStatusCode.OK);
        var his = (await Make(ben, word)).Should(HttpStatusCode.Created).Id;
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(his, (await ben.Client.Get($"/v1/personalities/{word}")).Id);
            Assert.Equal(hers, (await ada.Client.Get($"/v1/personalities/{word}")).Id);
        }
    }

    [Fact]
    public async Task Of_an_alias_and_a_slug_that_are_made_at_once_one_is()
    {
        var (ada, ben) = (await room.NewPerson("ada"), await room.NewPerson("ben"));
        var mine = Fresh();
        (await Make(ada, mine)).Should(HttpStatusCode.Created);
        for (var i = 0; i < 10; i++)
        {
            var name = Fresh();
            var both = await Task.WhenAll(ada.Client.Put($"/v1/personalities/{mine}/aliases/{name}", null), Make(ben, name));
            Assert.Single(both, answer => answer.Status == HttpStatusCode.Conflict);
        }
    }

    [Fact]
    public async Task An_editor_gives_no_alias_to_the_tenant()
    {
        var (ada, ben) = (await room.NewPerson("ada"), await room.NewPerson("ben"));
        var (mine, word) = (Fresh(), Fresh());
        (await Make(ada, mine)).Should(HttpStatusCode.Created);
        (await ada.Client.Put($"/v1/personalities/{mine}/owners/{ben.Id}", new { role = "editor" })).Should(HttpStatusCode.OK);
        (await ben.Client.Put($"/v1/personalities/{mine}/aliases/{word}", null)).ShouldRefuse(HttpStatusCode.Forbidden, "role_required");
        (await ben.Client.Put($"/v1/personalities/{mine}/aliases/{word}?personal=true", null)).Should(HttpStatusCode.OK);
        (await room.Admin.Put($"/v1/personalities/{mine}/aliases/{Fresh()}", null)).Should(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Names_that_met_before_they_were_one_namespace_are_sorted_out_once()
    {
        await using var database = await TestDatabase.CreateEmpty();
        await Migrator.Migrate(database.Migrator, [.. Migrator.Embedded.Where(migration => migration.Number <= 12)], TimeProvider.System, CancellationToken.None);
        const string tenant = "0190d3a4-0000-7000-8000-000000000001", one = "0190d3a4-0000-7000-8000-000000000002", two = "0190d3a4-0000-7000-8000-000000000003";
        static string Personality(string id, string slug) =>
            $"INSERT INTO personalities (tenant_id, id, name, slug, display_name, character_info, personality_traits, created_at, updated_at) VALUES ('{tenant}', '{id}', 'x', '{slug}', 'x', '', '', now(), now());";
        static string Alias(string id, string alias, string user = "NULL") =>
            $"INSERT INTO personality_aliases (tenant_id, alias, user_id, personality_id, created_at) VALUES ('{tenant}', '{alias}', {user}, '{id}', now());";
        await Sql.Run(database.Superuser, $"""
            INSERT INTO tenants (tenant_id, name, display_name, created_at, updated_at) VALUES ('{tenant}', 'demo', 'Demo', now(), now());
            INSERT INTO users (tenant_id, id, username, created_at, updated_at) VALUES ('{tenant}', '{two}', 'ada', now(), now());
            {Personality(one, "lila")} {Personality(two, "zelda")}
            {Alias(one, "Zelda")} {Alias(one, "lila")} {Alias(one, "kept")} {Alias(one, "zelda", $"'{two}'")} {Alias(two, "other")}
            INSERT INTO streams (tenant_id, stream, seq) VALUES ('{tenant}', 'personality:{one}', 4)
            """);

        await Migrator.Migrate(database.Migrator, Migrator.Embedded, TimeProvider.System, CancellationToken.None);

        Assert.Equal(["kept", "other", "zelda"], await Sql.Rows(database.Superuser, "SELECT alias FROM personality_aliases ORDER BY alias", row => row.GetString(0)));
        Assert.Equal(["kept", "lila", "other", "zelda"], await Sql.Rows(database.Superuser, "SELECT name FROM personality_names ORDER BY name", row => row.GetString(0)));
        var told = Assert.Single(await Sql.Rows(database.Superuser, "SELECT stream, seq, type, data::text FROM events",
            row => (Stream: row.GetString(0), Seq: row.GetInt64(1), Type: row.GetString(2), Data: System.Text.Json.Nodes.JsonNode.Parse(row.GetString(3))!["changes"]!)));
        Assert.Equal((StreamName.Personality(Guid.Parse(one)), 5L, "personality.updated"), (told.Stream, told.Seq, told.Type));
        Assert.Equal("kept", (string)Assert.Single(told.Data["aliases"]!.AsArray())!["alias"]!);
        Assert.Equal(2, (int)told.Data["version"]!);
        Assert.Equal(2L, await Sql.Ask<long>(database.Superuser, $"SELECT version FROM personalities WHERE id = '{one}'"));
    }
}
