using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Storage;
using PersonaActors.Storage.Users;

namespace PersonaActors.Tests.Stores;

/// <summary>Two activations of one grain, and who of them may write.</summary>
public sealed class OwnerEpochTests(Room room) : IClassFixture<Room>
{
    private Database Database => room.Node.Database;

    [Fact]
    public async Task Who_writes_under_an_ownership_that_another_has_claimed_is_refused_whole()
    {
        var user = await room.Service.Register("ada");
        var (older, left) = (await Loaded(user), false);
        await Harness.Sql.Run(room.Database.Superuser, $"UPDATE streams SET owner_epoch = owner_epoch + 1 WHERE stream = 'user:{user}'");
        var newer = await Loaded(user);

        await Assert.ThrowsAsync<ActivationOutdatedException>(() => Write(user, older).Commit(() => left = true));
        Assert.True(left);
        Assert.Equal("UTC", await TimeZone(user));
        Assert.Equal(3, (await Write(user, newer).Commit(() => { }))[0].Seq);
        Assert.Equal(1, newer.Value);
        // Who owns nothing, like the command line, is asked for nothing.
        Assert.Equal(4, (await Write(user, null).Commit(() => { }))[0].Seq);
    }

    [Fact]
    public async Task A_stream_that_was_claimed_before_its_first_event_is_the_claimants()
    {
        var user = Guid.NewGuid();
        var older = await Loaded(user);
        await Harness.Sql.Run(room.Database.Superuser, $"INSERT INTO streams (tenant_id, stream, owner_id, seq, owner_epoch) VALUES ('{room.Node.Demo}', 'user:{user}', '{user}', 0, 1)");
        var newer = await Loaded(user);

        await Assert.ThrowsAsync<ActivationOutdatedException>(() => Write(user, older).Commit(() => { }));
        Assert.Equal(1, (await Write(user, newer).Commit(() => { }))[0].Seq);
    }

    private async Task<OwnerEpoch> Loaded(Guid user)
    {
        var epoch = new OwnerEpoch(StreamName.User(user));
        await room.Node.Services.GetRequiredService<UserStore>().Load(room.Node.Demo, user, epoch);
        return epoch;
    }

    private ScopedBatch Write(Guid user, OwnerEpoch? epoch) => Database.Begin(RowScope.OfUser(room.Node.Demo, user), epoch)
        .Add($"UPDATE users SET time_zone = 'Europe/Vienna' WHERE id = '{user}'")
        .Append(StreamName.User(user), user, "test", TimeProvider.System.GetUtcNow(), JsonText.EmptyObject);

    private Task<string> TimeZone(Guid user) => Harness.Sql.Ask<string>(room.Database.Superuser, $"SELECT time_zone FROM users WHERE id = '{user}'");
}
