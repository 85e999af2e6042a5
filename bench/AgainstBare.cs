using System.Text;

namespace PersonaActors.Bench;

/// <summary>What is read over HTTP against Kestrel with the same bytes and nothing behind it, turn by turn: the middle of many pairs.</summary>
internal static class AgainstBare
{
    private const int Connections = 64;
    private const int Rounds = 21;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LeadIn = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(0.4);

    internal static async Task<Result> Read(Uri address, byte[][] requests, string what, double atLeast)
    {
        var body = Encoding.UTF8.GetBytes(HttpLoad.Body(await HttpLoad.One(address, requests[0])));
        await using var bare = await BareKestrel.Serve(200, body, "\"1\"");
        int Write(Span<byte> room, Random random)
        {
            var request = requests[random.Next(requests.Length)];
            request.CopyTo(room);
            return request.Length;
        }

        await HttpLoad.PerSecond(address, Connections, TimeSpan.Zero, WarmUp, 200, Write);
        await HttpLoad.PerSecond(bare.Address(), Connections, TimeSpan.Zero, WarmUp, 200, Write);
        var rounds = new List<(double Ours, double Bare)>();
        for (var round = 0; round < Rounds; round++)
        {
            var first = round % 2 == 0;
            var one = await HttpLoad.PerSecond(first ? address : bare.Address(), Connections, LeadIn, Short, 200, Write);
            var other = await HttpLoad.PerSecond(first ? bare.Address() : address, Connections, LeadIn, Short, 200, Write);
            rounds.Add(first ? (one, other) : (other, one));
        }

        var middle = rounds.OrderBy(round => round.Ours / round.Bare).ElementAt(Rounds / 2);
        return new Result($"{what}, {body.Length:N0} bytes", Result.PerSecond(middle.Ours), Result.PerSecond(middle.Bare), middle.Ours / middle.Bare, atLeast);
    }
}
