namespace PersonaActors.Tests.Personalities;

public sealed class SlugRaceTests(Room room) : IClassFixture<Room>
{
    [Fact]
    public async Task After_a_rename_is_answered_nobody_follows_the_old_slug_however_many_are_looking()
    {
        var owner = await room.NewPerson();
        var (one, other) = ($"a{Guid.NewGuid():N}"[..20], $"b{Guid.NewGuid():N}"[..20]);
        var made = (await owner.Client.Post("/v1/personalities", new { name = "x", slug = one, characterInfo = "", personalityTraits = "" })).Should(HttpStatusCode.Created);
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 4).Select(async i =>
        {
            while (!stop.IsCancellationRequested)
            {
                var read = await room.Admin.Get($"/v1/personalities/{(i % 2 == 0 ? one : other)}");
                Assert.True(read.Status is HttpStatusCode.OK or HttpStatusCode.NotFound, read.Text);
            }
        }).ToList();

        for (var i = 0; i < 30; i++)
        {
            var (now, before) = i % 2 == 0 ? (other, one) : (one, other);
            (await room.Admin.Patch($"/v1/personalities/{made.Id}", new { slug = now })).Should(HttpStatusCode.OK);
            (await room.Admin.Get($"/v1/personalities/{before}")).ShouldRefuse(HttpStatusCode.NotFound, "personality_not_found");
            Assert.Equal(made.Id, (await room.Admin.Get($"/v1/personalities/{now}")).Id);
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers);
    }
}
