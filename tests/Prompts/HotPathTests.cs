using System.Collections.Concurrent;
using System.Diagnostics;

namespace PersonaActors.Tests.Prompts;

/// <summary>Once a silo holds the replicas, a resolve asks neither the database nor a grain.</summary>
public sealed class HotPathTests(OwnRoom room) : IClassFixture<OwnRoom>
{
    /// <summary>What a resolve could be tempted to read; background work of the node reads other things.</summary>
    private static readonly string[] Tables =
    [
        "personas", "personalities", "personality_owners", "users", "user_identities", "user_default_personas", "user_personality_configs",
        "system_prompts", "llm_configs", "focus_modes", "user_personas", "tenants", "find_api_key(",
        "channels", "channel_members", "conversation_history", "memories m", "mindscape", "mapper_configs", "narratives",
    ];

    [Fact]
    public async Task No_statement_is_sent_and_no_grain_called_while_prompts_are_resolved()
    {
        var ana = await room.NewPerson("Ana");
        var bob = await room.NewPerson("Bob");
        var (_, first) = await ana.NewPersonality("Knows {{user}}.", isPublic: true);
        var (_, second) = await ana.NewPersonality("It is {{time}}.", isPublic: true);
        var helper = (await ana.Client.Post("/v1/user-personas", new { name = "Helper", systemPrompt = "Help.", isPublic = true })).Should(HttpStatusCode.Created).Id;
        var channel = $"c-{Guid.NewGuid():N}";
        foreach (var person in (Person[])[ana, bob])
        {
            (await room.Service.Post($"/v1/channels/{channel}/messages", new { role = "user", content = "hello", user = person.Id })).Should(HttpStatusCode.Created);
            (await person.Client.Put("/v1/mindscapes/me", new { traits = new Dictionary<string, object> { ["work.task_switching_cost"] = "high" } })).Should(HttpStatusCode.OK);
        }

        async Task All()
        {
            foreach (var person in (Person[])[ana, bob])
            {
                await person.Client.Prompt(first);
                await person.Client.Prompt(first, "?focusMode=code&explain=true");
                await person.Client.Prompt(second);
                Assert.Contains("Like with like", (await person.Client.Prompt(first, "?mapper=daily-work-optimizer")).Text(), StringComparison.Ordinal);
                Assert.Equal(2, (await person.Client.Prompt(first, $"?channel={channel}"))["messages"]!.AsArray().Count);
                (await person.Client.Post($"/v1/personalities/{first}/prompt?format=openai", new { message = "hi", variables = new { a = "b" } })).Should(HttpStatusCode.OK);
                (await person.Client.Get($"/v1/user-personas/{helper}/prompt")).Should(HttpStatusCode.OK);
                Assert.Contains("Like with like", (await person.Client.Get("/v1/people/me/context?mapper=daily-work-optimizer")).Should(HttpStatusCode.OK).Text, StringComparison.Ordinal);
                await room.Service.Prompt(first, $"?user={person.Id}");
            }
        }

        await All();
        var statements = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                var text = (activity.GetTagItem("db.query.text") ?? activity.GetTagItem("db.statement")) as string ?? activity.DisplayName;
                if (activity.TagObjects.Any(tag => tag.Value is string value && value.Contains(room.Database.Name, StringComparison.Ordinal)))
                {
                    statements.Enqueue(text);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);

        // First that they are seen at all.
        (await ana.Client.Patch($"/v1/personas/{await ana.DefaultPersona()}", new { content = "seen" })).Should(HttpStatusCode.OK);
        Assert.Contains(statements, statement => statement.Contains("personas", StringComparison.Ordinal));
        await All();
        Assert.Contains("PersonaGrain.Update", room.Calls.Seen);
        Assert.Contains("PersonaGrain.Grant", room.Calls.Seen);
        statements.Clear();
        room.Calls.Forget();

        for (var i = 0; i < 20; i++)
        {
            await All();
        }

        Assert.Empty(room.Calls.Seen);
        Assert.DoesNotContain(statements, statement => Tables.Any(table => statement.Contains(table, StringComparison.Ordinal)));
    }
}
