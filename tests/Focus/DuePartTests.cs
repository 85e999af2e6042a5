using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Storage;
using PersonaActors.Storage.Focus;

namespace PersonaActors.Tests.Focus;

public sealed class DuePartTests(FocusRoom room) : FocusTest(room), IClassFixture<FocusRoom>
{
    [Fact]
    public async Task Every_due_session_is_in_exactly_one_part_however_many_there_are()
    {
        var sessions = new HashSet<Guid>();
        for (var i = 0; i < 30; i++)
        {
            sessions.Add(await StartSession(Guid.NewGuid()));
        }

        var store = Node.Services.GetRequiredService<FocusStore>();
        var soon = Clock.GetUtcNow().AddMinutes(6);
        for (var of = 1; of <= 7; of++)
        {
            var parts = new List<Guid>();
            for (var index = 0; index < of; index++)
            {
                parts.AddRange((await store.Due(soon, new Part(index, of), 500, CancellationToken.None)).Select(due => due.Id));
            }

            Assert.Equal(sessions.Order(), parts.Order());
        }
    }
}
