using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;

namespace PersonaActors.Tests.Orleans;

public sealed class ReminderOutageTests
{
    /// <summary>Whatever Orleans makes of it: OutageFilter looks for the cause.</summary>
    [Fact]
    public async Task A_database_that_is_gone_inside_a_reminder_call_reaches_the_caller_in_our_words()
    {
        using var cluster = PrivateCluster.Create();
        await using var database = await TestDatabase.CreateOn(cluster.Superuser);
        await using var node = await Node.Start(database);
        // Whatever is logged while PostgreSQL is away.
        node.Expect("");
        var key = Guid.NewGuid().ToString();
        var grain = node.Services.GetRequiredService<IGrainFactory>().GetGrain<IRemindedGrain>(key);
        await grain.Remind("tea", TimeSpan.FromHours(1), TimeSpan.FromHours(1));

        cluster.Stop();
        try
        {
            await Assert.ThrowsAsync<StorageUnavailableException>(() => grain.Remind("tea", TimeSpan.FromHours(2), TimeSpan.FromHours(2)));
            var met = Assert.Single(Logbook.Of(key).Entries);
            Assert.StartsWith("StorageUnavailableException of ", met, StringComparison.Ordinal);
        }
        finally
        {
            cluster.Start();
        }

        await Eventually.True("reminders can be registered again", async () =>
        {
            try
            {
                await grain.Remind("tea", TimeSpan.FromHours(2), TimeSpan.FromHours(2));
                return true;
            }
            catch (StorageUnavailableException)
            {
                return false;
            }
        }, TimeSpan.FromSeconds(30));
    }
}
