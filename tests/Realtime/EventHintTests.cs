using System.Text;
using PersonaActors.Storage.Events;

namespace PersonaActors.Tests.Realtime;

public sealed class EventHintTests(Room room) : IClassFixture<Room>
{
    [Fact]
    public async Task Hints_of_any_number_and_length_arrive_whole_through_PostgreSQL()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var hints = Enumerable.Range(0, 2000)
            .Select(i => new EventHint(
                i % 7 == 0 ? null : new Guid(random.Next(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
                $"channel:{i}:{new string(i % 3 == 0 ? 'ä' : 'x', random.Next(0, 180))}",
                random.NextInt64(1, long.MaxValue)))
            .ToList();

        await using var connection = await room.Node.Database.OpenListening(EventHints.Channel, CancellationToken.None);
        var heard = new List<EventHint>();
        connection.Notification += (_, notification) =>
        {
            Assert.True(Encoding.UTF8.GetByteCount(notification.Payload) < 8000, "a payload is longer than PostgreSQL takes");
            heard.AddRange(EventHints.Read(notification.Payload, "me"));
        };
        await EventHints.Send(room.Node.Database, "other", hints, CancellationToken.None);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (heard.Count < hints.Count)
        {
            await connection.WaitAsync(patience.Token);
        }

        Assert.True(hints.SequenceEqual(heard), $"hints changed on the way (seed {seed})");
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("x 1 stream\n\n 2")]
    [InlineData("00000000000000000000000000000000 -1 stream")]
    [InlineData("from me\n 1 stream\n")]
    public void What_is_no_hint_or_ones_own_is_passed_over(string payload) => Assert.Empty(EventHints.Read(payload, "me"));
}
