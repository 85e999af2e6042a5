using System.Net;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Grains.Prompts;
using PersonaActors.Tests.Catalogues;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Prompts;

public sealed class ReadyPromptsTests(Room room) : IClassFixture<Room>
{
    private const int MostOfAUser = 64;

    [Fact]
    public async Task What_is_asked_for_twice_in_a_row_is_kept_up_to_a_users_share_and_given_back_with_the_user()
    {
        var budget = room.Node.Services.GetRequiredService<PromptBudget>();
        var ana = await room.NewPerson("Ana");
        var bob = await room.NewPerson("Bob");
        var (_, slug) = await bob.NewPersonality("Knows {{user}}.", isPublic: true);
        Task Ask(int channel) => ana.Client.Prompt(slug, $"?channel=c{channel:000}");
        Task AskLarger() => ana.Client.Prompt(slug, "?explain=true");

        for (var channel = 0; channel < 5; channel++)
        {
            await Ask(channel);
        }

        Assert.Equal(0, budget.Used);
        await Ask(4);
        var one = budget.Used;
        Assert.True(one > 0);
        await AskLarger();
        await AskLarger();
        var larger = budget.Used - one;
        Assert.True(larger > one);
        for (var channel = 5; channel < 2 * MostOfAUser; channel++)
        {
            await Ask(channel);
            await Ask(channel);
            // Whatever is used again stays.
            await AskLarger();
        }

        Assert.Equal((MostOfAUser - 1) * one + larger, budget.Used);
        for (var channel = 0; channel < MostOfAUser; channel++)
        {
            await Ask(channel);
            await Ask(channel);
        }

        Assert.Equal(MostOfAUser * one, budget.Used);

        (await ana.Client.Delete($"/v1/users/{ana.Id}")).Should(HttpStatusCode.NoContent);
        await Eventually.True("the deleted user's prompts were given back", () => Task.FromResult(budget.Used == 0));
    }
}
