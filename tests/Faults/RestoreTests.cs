using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Grains.Personalities;
using PersonaActors.Tests.Prompts;

namespace PersonaActors.Tests.Faults;

/// <summary>A backup takes the place of the database under a node that goes on running.</summary>
public sealed class RestoreTests(OwnRoom room) : IClassFixture<OwnRoom>
{
    [Fact]
    public async Task What_was_in_memory_is_loaded_anew_before_anything_is_answered_under_the_new_epoch()
    {
        var ana = await room.NewPerson("Ana");
        var (id, slug) = await ana.NewPersonality("of today");
        Assert.Contains("of today", (await ana.Client.Prompt(slug)).Text(), StringComparison.Ordinal);
        var before = Epoch(await ana.Client.Get($"/v1/personalities/{id}"));

        await PutBack(room.Database, id);

        await Eventually.True("the node names the new epoch", async () =>
        {
            var read = await ana.Client.Get($"/v1/personalities/{id}");
            var isNew = Epoch(read) != before;
            Assert.Equal(isNew ? "of yesterday" : "of today", (string)read.Should(HttpStatusCode.OK).Json["characterInfo"]!);
            return isNew;
        });
        Assert.Contains("of yesterday", (await ana.Client.Prompt(slug)).Text(), StringComparison.Ordinal);
        (await ana.Client.Patch($"/v1/personalities/{id}", new { characterInfo = "of tomorrow" })).Should(HttpStatusCode.OK);
        Assert.Contains("of tomorrow", (await ana.Client.Prompt(slug)).Text(), StringComparison.Ordinal);
    }

    /// <summary>A grain that has begun to answer when the database is replaced, and ends after: its memory is from before, the epoch isn't.</summary>
    [Fact]
    public async Task Who_is_being_answered_meanwhile_is_answered_anew()
    {
        var held = new Held();
        await using var database = await TestDatabase.Create();
        await using var node = await Node.Start(database, with: services => services.AddSingleton<IIncomingGrainCallFilter>(held));
        using var admin = node.Client(await node.AdminKey());
        var id = (await admin.Post("/v1/personalities", new { name = "Lila", characterInfo = "of today", personalityTraits = "t" })).Should(HttpStatusCode.Created).Id;
        var before = node.Database.Epoch;

        var reading = admin.Get($"/v1/personalities/{id}");
        await held.Begun;
        await PutBack(database, id);
        await Eventually.True("the node knows of it", () => Task.FromResult(node.Database.Epoch != before));
        held.Go();

        var read = await reading;
        Assert.Equal((node.Database.Epoch, "of yesterday"), (Epoch(read), (string)read.Json["characterInfo"]!));
    }

    /// <summary>Holds the first read of a personality, where its grain is about to look into its memory.</summary>
    private sealed class Held : IIncomingGrainCallFilter
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public void Go() => _go.SetResult();

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context is { Grain: PersonalityGrain, MethodName: nameof(IPersonalityGrain.Get) } && _begun.TrySetResult())
            {
                await _go.Task;
            }

            await context.Invoke();
        }
    }

    private static Task PutBack(TestDatabase database, Guid personality) => Sql.Run(database.Superuser, $"""
        UPDATE personalities SET character_info = 'of yesterday' WHERE id = '{personality}';
        UPDATE database_epoch SET counter = counter + 1;
        """);

    private static string Epoch(ApiAnswer read) => (string)read.Json["cursor"]!["epoch"]!;
}
