using System.Text;

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
        var world = await World.Make(node, Users, Personalities);
        var key = await node.ServiceKey();
        byte[] Request(int user, int personality) => Encoding.ASCII.GetBytes(world.Head(user, personality, key) + "\r\n");

        // Wakes every grain.
        await HttpLoad.Each(node.Address, Connections, Users, i => Request(i, i % Personalities));

        var sample = await HttpLoad.One(node.Address, Request(7, 7));
        var body = Encoding.UTF8.GetBytes(HttpLoad.Body(sample));
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

        var known = pairs.Select(pair => Encoding.ASCII.GetBytes(world.Head(pair.User, pair.Personality, key) + $"If-None-Match: {pair.ETag}\r\n\r\n")).ToArray();

        await SeedQuery.Make(node.On.Superuser);
        await using var bare = await BareKestrel.Serve(200, body, etag);
        await using var bare304 = await BareKestrel.Serve(304, [], etag);
        await using var queries = await SeedQuery.Serve(node.On.App);

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

        var all = world.Pairs(Users, Personalities, key);
        var half = world.Pairs(Users / 2, Personalities / 2, key);
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

    private static string ETag(string answer)
    {
        var at = answer.IndexOf("ETag: ", StringComparison.Ordinal) + 6;
        return answer[at..answer.IndexOf("\r\n", at, StringComparison.Ordinal)];
    }
}
