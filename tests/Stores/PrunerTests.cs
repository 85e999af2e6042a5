using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts.Events;
using PersonaActors.Grains.Events;
using PersonaActors.Storage.Events;

namespace PersonaActors.Tests.Stores;

public sealed class PrunerTests
{
    [Fact]
    public async Task Old_events_go_the_newest_stays_and_numbers_go_on()
    {
        var clock = FakeTime.Start();
        await using var database = await TestDatabase.Create();
        await using var node = await Node.Start(database, clock);
        using var service = node.Client(await node.ServiceKey());
        using var operators = node.Client(await node.OperatorKey());
        var alpha = (await operators.Post("/v1/tenants", new { name = "alpha", displayName = "Alpha" })).Should(HttpStatusCode.Created).Id;
        (await operators.Delete($"/v1/tenants/{alpha}?confirm=alpha")).Should(HttpStatusCode.NoContent);
        var key = ("Idempotency-Key", "kept");
        var user = (await service.Post("/v1/users", new { username = "ada" }, key)).Should(HttpStatusCode.Created).Id;
        await service.Patch($"/v1/users/{user}", new { username = "old" });
        clock.Advance(TimeSpan.FromHours(24));
        await node.Services.GetRequiredService<Pruner>().Prune(CancellationToken.None);
        Assert.Equal(user, (await service.Post("/v1/users", new { username = "ada" }, key)).Should(HttpStatusCode.Created).Id);
        clock.Skip(TimeSpan.FromDays(7));
        await node.Services.GetRequiredService<Pruner>().Prune(CancellationToken.None);

        var log = node.Services.GetRequiredService<EventLog>();
        var page = await log.After(node.Demo, StreamName.User(user), 0, CancellationToken.None);
        Assert.Equal((3, 3), (page.Newest, page.Oldest));
        Assert.Equal([3], page.Events.Select(e => e.Seq));
        await service.Patch($"/v1/users/{user}", new { username = "new" });
        page = await log.After(node.Demo, StreamName.User(user), 3, CancellationToken.None);
        Assert.Equal([4], page.Events.Select(e => e.Seq));
        // Only what came after: those of operators, who have no tenant, go too.
        Assert.Equal(1L, await Sql.Ask<long>(database.Superuser, "SELECT count(*) FROM command_log"));
    }
}
