using System.Text.Json.Nodes;
using Npgsql;
using PersonaActors.Grains.Imports;

namespace PersonaActors.Tests.Imports;

/// <summary>PersonaKit's tables, taken over.</summary>
public sealed class PersonaKitTests(Room room) : IClassFixture<Room>
{
    private const string Schema = """
        CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email varchar(255) UNIQUE NOT NULL, api_key_hash varchar(255) NOT NULL, is_active boolean DEFAULT true,
          created_at timestamptz DEFAULT now(), last_used_at timestamptz);
        CREATE TABLE observations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), person_id uuid NOT NULL, observation_type varchar(50) NOT NULL, content jsonb NOT NULL, metadata jsonb,
          created_at timestamptz DEFAULT now(), created_by uuid);
        CREATE TABLE mindscapes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), person_id uuid UNIQUE NOT NULL, traits jsonb NOT NULL DEFAULT '{}', version int DEFAULT 1, updated_at timestamptz DEFAULT now());
        CREATE TABLE mapper_configs (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), config_id varchar(255) NOT NULL, version int NOT NULL, configuration jsonb NOT NULL, status varchar(20),
          created_at timestamptz DEFAULT now(), created_by uuid, usage_count int DEFAULT 0, metadata jsonb);
        CREATE TABLE narratives (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), person_id uuid NOT NULL, narrative_type varchar(20) NOT NULL, raw_text text NOT NULL, curated_text text, tags text[],
          context jsonb, trait_path text, curation_action jsonb, source varchar(100), created_at timestamptz DEFAULT now(), created_by uuid);
        CREATE TABLE trait_narrative_links (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), narrative_id uuid NOT NULL REFERENCES narratives(id) ON DELETE CASCADE, trait_path text NOT NULL,
          link_type varchar(20) NOT NULL, confidence float, metadata jsonb, created_at timestamptz DEFAULT now());
        CREATE TABLE personas (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), person_id uuid NOT NULL, mapper_id uuid, mapper_config_id varchar(255), mapper_version int, core jsonb NOT NULL,
          overlay jsonb, metadata jsonb, created_at timestamptz DEFAULT now(), expires_at timestamptz, created_by uuid);
        CREATE TABLE persona_narrative_usage (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), persona_id uuid NOT NULL REFERENCES personas(id) ON DELETE CASCADE, narrative_id uuid NOT NULL,
          usage_type varchar(50) NOT NULL, relevance_score float, usage_context jsonb, created_at timestamptz DEFAULT now());
        CREATE TABLE feedback (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), persona_id uuid REFERENCES personas(id), rating int, helpful boolean, context jsonb, rule_id varchar(255), mapper_version int,
          created_at timestamptz DEFAULT now(), created_by uuid);
        CREATE TABLE outbox_tasks (id uuid);
        INSERT INTO users (email, api_key_hash, is_active) VALUES ('bot@example.org', 'x', true), ('old@example.org', 'x', false);
        INSERT INTO observations (id, person_id, observation_type, content, metadata, created_at)
          SELECT md5('o' || i)::uuid, md5('person ' || i % 3)::uuid, 'work_session', jsonb_build_object('duration_minutes', 60 + i, 'productivity_score', 5), '{"source":"calendar"}',
            timestamptz '2024-05-01 09:00Z' + i * interval '1 day' FROM generate_series(1, 30) i;
        INSERT INTO mindscapes (person_id, traits) SELECT md5('person ' || i)::uuid, '{"work":{"chronotype":"morning","focus":{"value":0.8,"confidence":0.9,"sample_size":4}},"style":"direct"}'
          FROM generate_series(0, 2) i;
        INSERT INTO mapper_configs (config_id, version, configuration, status) VALUES ('mine', 1, '{"metadata":{"id":"mine"},"rules":[]}', 'active'), ('broken', 1, '{"rules":5}', 'draft');
        INSERT INTO outbox_tasks VALUES (gen_random_uuid());
        INSERT INTO personas (id, person_id, mapper_id, mapper_config_id, mapper_version, core, overlay, metadata, created_at, expires_at)
          SELECT md5('p' || i)::uuid, md5('person ' || CASE i WHEN 5 THEN 9 ELSE 1 END)::uuid, CASE i WHEN 2 THEN NULL ELSE (SELECT id FROM mapper_configs WHERE config_id = m) END, m, 1,
            '{"work.chronotype":"morning"}', '{"suggestions":[{"type":"focus"}]}', NULL, timestamptz '2024-05-06 08:00Z' + i * interval '1 hour', CASE i WHEN 3 THEN NULL ELSE timestamptz '2099-01-01Z' END
          FROM generate_series(1, 5) i, LATERAL (SELECT CASE i WHEN 4 THEN 'broken' ELSE 'mine' END AS m) x;
        INSERT INTO narratives (id, person_id, narrative_type, raw_text, curated_text, tags, context, trait_path, curation_action, source, created_at) VALUES
          (md5('n1')::uuid, md5('person 1')::uuid, 'self_observation', 'I work best early.', 'Works best early in the morning.', '{mornings}', '{"place":"home"}', NULL, NULL, 'diary', '2024-05-02 08:00Z'),
          (md5('n2')::uuid, md5('person 1')::uuid, 'curation', 'Evenings, really.', NULL, NULL, NULL, 'work.chronotype', '{"action":"correct","original_value":"morning","new_value":"evening"}', NULL, '2024-05-03 08:00Z'),
          (md5('n3')::uuid, md5('person 4')::uuid, 'self_observation', 'I came for the narratives.', NULL, NULL, NULL, NULL, NULL, NULL, '2024-05-04 08:00Z'),
          (md5('n4')::uuid, md5('person 4')::uuid, 'self_observation', repeat('x', 10001), NULL, NULL, NULL, NULL, NULL, NULL, '2024-05-05 08:00Z');
        INSERT INTO trait_narrative_links (narrative_id, trait_path, link_type, confidence) VALUES
          (md5('n1')::uuid, 'work.chronotype', 'supports', 0.7), (md5('n1')::uuid, 'work.chronotype', 'extracted_from', 0.7), (md5('n2')::uuid, 'work.chronotype', 'curates', 1);
        INSERT INTO persona_narrative_usage (persona_id, narrative_id, usage_type, relevance_score) VALUES
          (md5('p1')::uuid, md5('n1')::uuid, 'suggestion', 0.8), (md5('p2')::uuid, md5('n4')::uuid, 'suggestion', 0.7), (md5('p4')::uuid, md5('n1')::uuid, 'suggestion', 0.6);
        INSERT INTO feedback (id, persona_id, rating, helpful, context, rule_id, mapper_version, created_at) VALUES
          (md5('f1')::uuid, md5('p1')::uuid, 5, true, '{"suggestion_type":"focus"}', NULL, 1, '2024-05-06 10:00Z'),
          (md5('f2')::uuid, md5('p1')::uuid, NULL, false, NULL, 'early', NULL, '2024-05-06 11:00Z'),
          (md5('f3')::uuid, md5('p4')::uuid, 1, NULL, NULL, NULL, 1, '2024-05-06 12:00Z'), (md5('f4')::uuid, NULL, 1, NULL, NULL, NULL, 1, '2024-05-06 12:00Z');
        """;

    [Fact]
    public void A_nested_trait_is_a_path()
    {
        var flat = new JsonObject();
        PersonaKitRows.Flatten("", JsonNode.Parse("""{"a":{"b":{"c":1},"d":{"value":2,"confidence":0.5}},"e":[1],"f":null,"g":{}}""")!.AsObject(), flat);
        Assert.Equal("""{"a.b.c":1,"a.d":{"value":2,"confidence":0.5},"e":[1],"g":{}}""", flat.ToJsonString());
    }

    [Fact]
    public async Task People_come_with_what_was_observed_and_known_of_them_and_once()
    {
        var name = $"kit_{Guid.NewGuid():N}";
        await Sql.Run(room.Database.Superuser, $"CREATE DATABASE {name}");
        var from = new NpgsqlConnectionStringBuilder(room.Database.Superuser) { Database = name, Pooling = false }.ConnectionString;
        try
        {
            await Sql.Run(from, Schema);
            var (tenant, admin) = await room.NewTenant();
            using var _ = admin;
            var inTenant = ("X-Persona-Tenant", tenant.ToString());
            async Task<JsonNode> Import(string query = "")
            {
                var job = await LegacyTests.Ended(room.Operator, (await room.Operator.Post($"/v1/imports/personakit{query}", new { from }, inTenant)).Should(HttpStatusCode.Created).Id, inTenant);
                Assert.True((string?)job["status"] == "done", job.ToJsonString());
                return job["report"]!;
            }

            static (long, long, long, long) Count(JsonNode report, string table)
            {
                var count = report["tables"]!.AsArray().Single(one => (string)one!["table"]! == table)!;
                return ((long)count["read"]!, (long)count["created"]!, (long)count["known"]!, (long)count["leftOut"]!);
            }

            // First it is only told what would happen.
            var dry = await Import("?dryRun=true");
            Assert.True((bool)dry["dryRun"]!);
            Assert.Equal(0, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM users WHERE tenant_id = '{tenant}'"));
            var first = await Import();
            foreach (var told in (string[])["tables", "keys", "notes"])
            {
                Assert.Equal(first[told]!.ToJsonString(), dry[told]!.ToJsonString());
            }

            Assert.Equal((30, 30, 0, 0), Count(first, "observations"));
            Assert.Equal((3, 3, 0, 0), Count(first, "mindscapes"));
            Assert.Equal((2, 1, 0, 1), Count(first, "mapper_configs"));
            Assert.Equal((1, 0, 0, 1), Count(first, "outbox_tasks"));
            Assert.Equal((4, 3, 0, 1), Count(first, "narratives"));
            Assert.Equal("""["bot@example.org"]""", first["keys"]!.ToJsonString());
            var person = await Sql.Ask<Guid>(room.Database.Superuser, "SELECT md5('person 1')::uuid");
            var mindscape = (await admin.Get($"/v1/mindscapes/{person}")).Should(HttpStatusCode.OK).Json;
            Assert.Equal("morning", (string)mindscape["traits"]!["work.chronotype"]!["value"]!);
            Assert.Equal("direct", (string)mindscape["traits"]!["style"]!["value"]!);
            Assert.Equal(10, (await admin.Get($"/v1/observations?person={person}&limit=200")).Should(HttpStatusCode.OK).Json["items"]!.AsArray().Count);

            var said = (await admin.Get($"/v1/narratives?person={person}")).Should(HttpStatusCode.OK).Json["items"]!.AsArray();
            Assert.Equal(["Evenings, really.", "I work best early."], said.Select(narrative => (string)narrative!["text"]!));
            Assert.Equal("2024-05-02T08:00:00+00:00", (string)said[1]!["createdAt"]!);
            Assert.Equal("Works best early in the morning.", (string)said[1]!["curatedText"]!);
            Assert.Equal(["extracted-from", "supports"], said[1]!["links"]!.AsArray().Select(link => (string)link!["type"]!));
            Assert.Equal("correct", (string)said[0]!["action"]!);

            // What was made of people and said of it: without that of a mapper that didn't come, or of somebody who isn't here.
            Assert.Equal((5, 3, 0, 2), Count(first, "personas"));
            Assert.Equal((3, 1, 0, 2), Count(first, "persona_narrative_usage"));
            Assert.Equal((4, 2, 0, 2), Count(first, "feedback"));
            var newest = (await admin.Get($"/v1/generated-personas?person={person}&limit=2")).Should(HttpStatusCode.OK).Json;
            Assert.Equal(["2024-05-06T11:00:00+00:00", "2024-05-06T10:00:00+00:00"], newest["items"]!.AsArray().Select(made => (string)made!["createdAt"]!));
            var last = Assert.Single((await admin.Get($"/v1/generated-personas?person={person}&limit=2&after={newest["next"]}")).Should(HttpStatusCode.OK).Json["items"]!.AsArray())!;
            Assert.Equal(await Sql.Ask<Guid>(room.Database.Superuser, "SELECT md5('p1')::uuid"), (Guid)last["id"]!);
            Assert.Equal(("mine", 1, true), ((string)last["mapperConfigId"]!, (int)last["mapperVersion"]!, (bool)last["stale"]!));
            Assert.Equal("""{"suggestions":[{"type":"focus"}]}""", (await admin.Get($"/v1/generated-personas/{last["id"]}")).Should(HttpStatusCode.OK).Json["overlay"]!.ToJsonString());
            var opinions = (await admin.Get($"/v1/feedback?person={person}")).Should(HttpStatusCode.OK).Json["items"]!.AsArray();
            Assert.Equal(["early", null], opinions.Select(one => (string?)one!["ruleId"]));
            Assert.Equal(1, await Sql.Ask<long>(room.Database.Superuser, $"SELECT count(*) FROM persona_narrative_usage WHERE tenant_id = '{tenant}' AND relevance = 0.8 AND persona_id = '{last["id"]}'"));

            // What the person does here since is not undone by another import.
            (await admin.Post("/v1/observations", new { person, type = "work_session", content = new { duration_minutes = 30 } })).Should(HttpStatusCode.Created);
            var secondDry = await Import("?dryRun=true");
            var second = await Import();
            Assert.Equal(second["tables"]!.ToJsonString(), secondDry["tables"]!.ToJsonString());
            Assert.Equal((30, 0, 30, 0), Count(second, "observations"));
            Assert.Equal((3, 0, 3, 0), Count(second, "mindscapes"));
            Assert.Equal((4, 0, 3, 1), Count(second, "narratives"));
            Assert.Equal((2, 0, 1, 1), Count(second, "mapper_configs"));
            Assert.Equal((5, 0, 3, 2), Count(second, "personas"));
            Assert.Equal((3, 0, 1, 2), Count(second, "persona_narrative_usage"));
            Assert.Equal((4, 0, 2, 2), Count(second, "feedback"));
        }
        finally
        {
            await Sql.Run(room.Database.Superuser, $"DROP DATABASE {name} WITH (FORCE)");
        }
    }
}
