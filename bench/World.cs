using System.Text;
using Npgsql;

namespace PersonaActors.Bench;

/// <summary>Users with a persona each, personalities of usual length, an override here and there; ids as the ASCII they are asked with.</summary>
internal sealed record World(byte[][] Users, byte[][] Personalities)
{
    private const string Fill = """
        INSERT INTO users (tenant_id, id, username, created_at, updated_at) SELECT $1, gen_random_uuid(), 'user ' || i, now(), now() FROM generate_series(1, $2) i;
        """;

    private const string FillPersonas = """
        INSERT INTO personas (tenant_id, id, owner_id, name, content, preferred_name, pronouns, created_at, updated_at)
        SELECT $1, gen_random_uuid(), id, username, repeat('I sail, I read, and I mend what breaks. ', 10), 'Sam', 'they/them', now(), now()
        FROM users WHERE tenant_id = $1 AND username LIKE 'user %';
        """;

    private const string FillDefaults = """
        INSERT INTO user_default_personas (tenant_id, user_id, persona_id, updated_at)
        SELECT tenant_id, owner_id, id, now() FROM personas WHERE tenant_id = $1 ON CONFLICT DO NOTHING;
        """;

    private const string FillCatalogue = """
        WITH prompt AS (
          INSERT INTO system_prompts (tenant_id, id, name, content, created_at, updated_at)
          VALUES ($1, gen_random_uuid(), 'bench', repeat('Stay in character as {{char}}, and be kind to {{user}}. ', 10), now(), now()) RETURNING id),
        config AS (
          INSERT INTO llm_configs (tenant_id, id, name, model, temperature, top_p, max_tokens, is_default, created_at, updated_at)
          VALUES ($1, gen_random_uuid(), 'bench', 'some/model', 0.7, 0.9, 1000, true, now(), now()) RETURNING id)
        INSERT INTO personalities (tenant_id, id, name, slug, display_name, system_prompt_id, character_info, personality_traits, tone, likes, is_public, created_at, updated_at)
        SELECT $1, gen_random_uuid(), 'Personality ' || i, 'personality-' || i, 'Personality ' || i, (SELECT id FROM prompt),
          repeat('Born at sea, raised by gulls, at home in storms. ', 25), repeat('curious, calm, brave. ', 10), 'warm', 'tea with {{user}}', true, now(), now()
        FROM generate_series(1, $2) i;
        """;

    private const string FillOverrides = """
        INSERT INTO user_personality_configs (tenant_id, user_id, personality_id, llm_config_id, version, created_at, updated_at)
        SELECT $1, u.id, p.id, (SELECT id FROM llm_configs WHERE tenant_id = $1 AND name = 'bench'), 1, now(), now()
        FROM users u JOIN LATERAL (SELECT id FROM personalities WHERE tenant_id = $1 ORDER BY md5(u.id::text || id::text) LIMIT 2) p ON true
        WHERE u.tenant_id = $1 AND u.username LIKE 'user %0';
        """;

    internal static async Task<World> Make(BenchNode node, int users, int personalities)
    {
        await using var source = NpgsqlDataSource.Create(node.On.Superuser);
        await Run(source, Fill, node.Tenant, users);
        await Run(source, FillPersonas, node.Tenant);
        await Run(source, FillDefaults, node.Tenant);
        await Run(source, FillCatalogue, node.Tenant, personalities);
        await Run(source, FillOverrides, node.Tenant);
        await Run(source, "ANALYZE");
        return new World(
            await Ids(source, "SELECT id::text FROM users WHERE tenant_id = $1 AND username LIKE 'user %'", node.Tenant),
            await Ids(source, "SELECT id::text FROM personalities WHERE tenant_id = $1", node.Tenant));
    }

    private static async Task Run(NpgsqlDataSource source, string sql, params object[] values)
    {
        await using var command = With(source, sql, values);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<byte[][]> Ids(NpgsqlDataSource source, string sql, Guid tenant)
    {
        await using var command = With(source, sql, tenant);
        await using var reader = await command.ExecuteReaderAsync();
        var ids = new List<byte[]>();
        while (await reader.ReadAsync())
        {
            ids.Add(Encoding.ASCII.GetBytes(reader.GetString(0)));
        }

        return [.. ids];
    }

    private static NpgsqlCommand With(NpgsqlDataSource source, string sql, params object[] values)
    {
        var command = source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return command;
    }

    /// <summary>A request for the prompt of a pair, up to the end of its headers.</summary>
    internal string Head(int user, int personality, string key) =>
        $"GET /v1/personalities/{Encoding.ASCII.GetString(Personalities[personality])}/prompt?user={Encoding.ASCII.GetString(Users[user])} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n";

    /// <summary>Random pairs of the first of them.</summary>
    internal HttpLoad.Write Pairs(int users, int personalities, string key)
    {
        var template = Encoding.ASCII.GetBytes(Head(0, 0, key) + "\r\n");
        var personalityAt = "GET /v1/personalities/".Length;
        var userAt = personalityAt + 36 + "/prompt?user=".Length;
        return (room, random) =>
        {
            template.CopyTo(room);
            Users[random.Next(users)].CopyTo(room[userAt..]);
            Personalities[random.Next(personalities)].CopyTo(room[personalityAt..]);
            return template.Length;
        };
    }
}
