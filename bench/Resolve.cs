using System.Text;
using Npgsql;

namespace PersonaActors.Bench;

/// <summary>
/// Prompts over HTTP, random pairs of 10,000 users and 200 personalities: against Kestrel with the same bytes and nothing
/// behind them, against the query-per-request way of founding document 001, 304s against bare 304s, and how the cost moves
/// as users and personalities double.
/// </summary>
internal static class Resolve
{
    private const int Users = 10_000;
    private const int Personalities = 200;
    private const int Connections = 64;
    private const int Known = 5_000;
    /// <summary>Many and short: the machine is rarely the same for long.</summary>
    private const int Rounds = 61;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LeadIn = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(0.4);

    internal static async Task<Result[]> RunAsync()
    {
        await using var node = await BenchNode.Start();
        var world = await World.Make(node);
        var key = await node.ServiceKey();
        byte[] Request(int user, int personality) => Encoding.ASCII.GetBytes(Head(world, user, personality, key) + "\r\n");

        // Wakes every grain.
        await HttpLoad.Each(node.Address, Connections, Users, i => Request(i, i % Personalities));

        var sample = await HttpLoad.One(node.Address, Request(7, 7));
        var body = Encoding.UTF8.GetBytes(sample[(sample.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        var etag = ETag(sample);
        var pairs = new (int User, int Personality, string ETag)[Known];
        var seeded = new Random(1);
        for (var i = 0; i < Known; i++)
        {
            pairs[i] = (seeded.Next(Users), seeded.Next(Personalities), "");
        }

        for (var i = 0; i < Known; i++)
        {
            pairs[i].ETag = ETag(await HttpLoad.One(node.Address, Request(pairs[i].User, pairs[i].Personality)));
        }

        var known = pairs.Select(pair => Encoding.ASCII.GetBytes(Head(world, pair.User, pair.Personality, key) + $"If-None-Match: {pair.ETag}\r\n\r\n")).ToArray();

        await SeedQuery.Make(node.On.Superuser);
        await using var bare = await BareKestrel.Serve(200, body, etag);
        await using var bare304 = await BareKestrel.Serve(304, [], etag);
        await using var queries = await SeedQuery.Serve(node.On.App);

        HttpLoad.Write Pairs(int users, int personalities)
        {
            var template = Request(0, 0);
            var personalityAt = "GET /v1/personalities/".Length;
            var userAt = personalityAt + 36 + "/prompt?user=".Length;
            return (room, random) =>
            {
                template.CopyTo(room);
                world.Users[random.Next(users)].CopyTo(room[userAt..]);
                world.Personalities[random.Next(personalities)].CopyTo(room[personalityAt..]);
                return template.Length;
            };
        }

        int Conditional(Span<byte> room, Random random)
        {
            var request = known[random.Next(known.Length)];
            request.CopyTo(room);
            return request.Length;
        }

        int Query(Span<byte> room, Random random)
        {
            "GET /"u8.CopyTo(room);
            world.Users[random.Next(Users)].CopyTo(room[5..]);
            room[41] = (byte)'/';
            world.Personalities[random.Next(Personalities)].CopyTo(room[42..]);
            " HTTP/1.1\r\nHost: x\r\n\r\n"u8.CopyTo(room[78..]);
            return 78 + " HTTP/1.1\r\nHost: x\r\n\r\n".Length;
        }

        var all = Pairs(Users, Personalities);
        var half = Pairs(Users / 2, Personalities / 2);
        await HttpLoad.PerSecond(node.Address, Connections, TimeSpan.Zero, WarmUp, 200, all);
        await HttpLoad.PerSecond(bare.Address(), Connections, TimeSpan.Zero, WarmUp, 200, all);
        await HttpLoad.PerSecond(queries.Address(), Connections, TimeSpan.Zero, WarmUp, 200, Query);

        (Uri Address, int Status, HttpLoad.Write Write)[] sides =
        [
            (node.Address, 200, all), (bare.Address(), 200, all), (queries.Address(), 200, Query),
            (node.Address, 304, Conditional), (bare304.Address(), 304, Conditional), (node.Address, 200, half),
        ];
        const int ours = 0, bareOnes = 1, byQuery = 2, ours304 = 3, bareOnes304 = 4, ofHalf = 5;

        // In turns, so that a machine whose speed drifts drifts for all, and in another order each time.
        var rounds = new List<double[]>();
        var order = Enumerable.Range(0, sides.Length).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            var perSecond = new double[sides.Length];
            seeded.Shuffle(order);
            foreach (var side in order)
            {
                perSecond[side] = await HttpLoad.PerSecond(sides[side].Address, Connections, LeadIn, Measured, sides[side].Status, sides[side].Write);
            }

            rounds.Add(perSecond);
        }

        Result Row(string what, int side, int anchor, double atLeast)
        {
            var middle = rounds.OrderBy(round => round[side] / round[anchor]).ElementAt(rounds.Count / 2);
            return new Result(what, Result.PerSecond(middle[side]), Result.PerSecond(middle[anchor]), middle[side] / middle[anchor], atLeast);
        }

        return
        [
            Row($"resolve over HTTP, random pairs of {Users:N0} × {Personalities}, {body.Length:N0} bytes, against bare Kestrel", ours, bareOnes, 0.6),
            Row("the same, against the effective-config query per request", ours, byQuery, 6),
            Row("304 on If-None-Match, against bare Kestrel", ours304, bareOnes304, 0.7),
            Row("resolve with twice the users and personalities, against half of them", ours, ofHalf, 0.8),
        ];
    }

    private static string Head(World world, int user, int personality, string key) =>
        $"GET /v1/personalities/{Encoding.ASCII.GetString(world.Personalities[personality])}/prompt?user={Encoding.ASCII.GetString(world.Users[user])} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n";

    private static string ETag(string answer)
    {
        var at = answer.IndexOf("ETag: ", StringComparison.Ordinal) + 6;
        return answer[at..answer.IndexOf("\r\n", at, StringComparison.Ordinal)];
    }

    /// <summary>Users with a persona each, personalities of usual length, an override here and there; ids as the ASCII they are asked with.</summary>
    private sealed record World(byte[][] Users, byte[][] Personalities)
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

        internal static async Task<World> Make(BenchNode node)
        {
            await using var source = NpgsqlDataSource.Create(node.On.Superuser);
            await Run(source, Fill, node.Tenant, Resolve.Users);
            await Run(source, FillPersonas, node.Tenant);
            await Run(source, FillDefaults, node.Tenant);
            await Run(source, FillCatalogue, node.Tenant, Resolve.Personalities);
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
    }
}
