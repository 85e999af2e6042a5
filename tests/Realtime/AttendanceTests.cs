using PersonaActors.Contracts;
using PersonaActors.Contracts.Presence;
using PersonaActors.Grains.Presence;

namespace PersonaActors.Tests.Realtime;

/// <summary>Who is at a place, by what gateways told and when: each test a table of words, told second by second.</summary>
public sealed class AttendanceTests
{
    private static readonly DateTimeOffset Begin = FakeTime.Start().GetUtcNow();
    private static readonly Dictionary<string, Guid> Users = new() { ["ada"] = Guid.NewGuid(), ["bob"] = Guid.NewGuid() };

    [Theory]
    // One line a word: the second, the gateway, who has how many connections there; then who is there at the end.
    [InlineData("0 a ada:1", 14, "ada:1@0")]
    [InlineData("0 a ada:1", 15, "")]
    [InlineData("0 a ada:1; 3 a ada:2; 6 a ada:2", 20, "ada:2@0")]
    [InlineData("0 a ada:1; 5 a", 19, "ada:0@0")]
    [InlineData("0 a ada:1; 5 a", 20, "")]
    [InlineData("0 a ada:1; 5 a; 8 a; 11 a; 14 a; 17 a", 20, "")]
    [InlineData("0 a ada:1; 5 a; 19 a ada:1", 21, "ada:1@0")]
    [InlineData("0 a ada:1; 5 a; 21 a ada:1", 22, "ada:1@21")]
    [InlineData("0 a ada:1; 5 b ada:1", 7, "ada:2@0")]
    [InlineData("0 a ada:1; 5 b ada:1; 8 a", 15, "ada:1@0")]
    [InlineData("0 a ada:1 bob:1; 5 b ada:1; 17 b ada:1", 18, "ada:1@0")]
    [InlineData("0 a ada:1; 9 b bob:1", 16, "bob:1@9")]
    [InlineData("0 a ada:1; 40 a ada:1", 41, "ada:1@40")]
    [InlineData("0 a; 3 a; 6 a", 7, "")]
    public void Somebody_is_there_while_a_living_gateway_has_a_connection_of_theirs_and_fifteen_seconds_longer(string told, int at, string online)
    {
        var attendance = told.Split("; ").Select(word => word.Split(' ')).Aggregate(Attendance.Nobody, (before, word) =>
            before.Hear(word[1], word[2..].Select(user => Present(user, int.Parse(word[0]))).ToItems(), After(int.Parse(word[0]))));
        Assert.Equal(online, Write(attendance.At(After(at))));
    }

    [Fact]
    public void Who_was_seen_before_is_there_until_a_gateway_had_time_to_tell_of_them()
    {
        var attendance = Attendance.Nobody.Recall([Present("ada", 0), Present("bob", 2)], After(100)).Hear("a", [Present("ada", 90)], After(101));
        Assert.Equal("ada:1@0 bob:0@2", Write(attendance.At(After(114))));
        Assert.Equal("ada:1@0", Write(attendance.At(After(115))));
    }

    private static DateTimeOffset After(int seconds) => Begin.AddSeconds(seconds);

    private static PresentUser Present(string user, int since) => user.Split(':') is [var name, var connections]
        ? new PresentUser(Users[name], After(since), int.Parse(connections))
        : new PresentUser(Users[user], After(since), 1);

    private static string Write(Attendance attendance) => string.Join(' ', attendance.Online().Select(user =>
        $"{Users.Single(known => known.Value == user.User).Key}:{user.Connections}@{(user.Since - Begin).TotalSeconds:0}"));
}
