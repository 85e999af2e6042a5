using System.Text.Json;
using PersonaActors.Contracts;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Tests.Mindscapes;

/// <summary>Observations sent again and again, by many, to a node that is killed meanwhile: nothing doubled, nothing lost, and the traits are the fold.</summary>
[Long]
public sealed class ExactlyOnceTests
{
    [Fact]
    public Task Sent_three_times_and_killed_once_each_observation_counts_once() => Run(people: 10, each: 30, clients: 8, kills: 1);

    [SoakFact]
    public Task Ten_thousand_sent_three_times_and_killed_three_times_count_once() => Run(people: 100, each: 100, clients: 50, kills: 3);

    private static async Task Run(int people, int each, int clients, int kills)
    {
        await using var database = await TestDatabase.Create();
        var persons = Enumerable.Range(0, people).Select(_ => Guid.NewGuid()).ToArray();
        var left = persons.SelectMany(person => Enumerable.Range(0, each).SelectMany(i => Enumerable.Repeat((Person: person, Number: i), 3))).ToArray();
        Random.Shared.Shuffle(left);
        var all = left.Length;
        var next = -1;
        var done = 0;
        var node = await ProcessNode.Start(database, null, ("PERSONA__AUTH", "off"));
        var client = node.Client("unused");
        var opened = new List<ApiClient> { client };
        try
        {
            var sending = Enumerable.Range(0, clients).Select(async _ =>
            {
                while (Interlocked.Increment(ref next) is var i && i < all)
                {
                    await Send(left[i]);
                    Interlocked.Increment(ref done);
                }
            }).ToArray();
            for (var kill = 1; ; kill++)
            {
                var until = all * kill / (kills + 1);
                await Eventually.True($"{until} were sent", () => Task.FromResult(Volatile.Read(ref done) >= until), TimeSpan.FromMinutes(5));
                await node.Kill();
                if (kill == kills)
                {
                    break;
                }

                await node.DisposeAsync();
                node = await ProcessNode.Start(database, null, ("PERSONA__AUTH", "off"));
                opened.Add(client = node.Client("unused"));
            }

            await using var last = await Node.Succeed(database, auth: false);
            opened.Add(client = last.Client());
            await Task.WhenAll(sending);
            await Eventually.True(
                "everything is in the traits",
                async () => await Sql.Ask<long>(database.Superuser, "SELECT count(*) FROM mindscapes WHERE applied_number = last_number") == people, TimeSpan.FromMinutes(2));
            Assert.Equal(people * each, await Sql.Ask<long>(database.Superuser, "SELECT count(*) FROM observations"));
            Assert.Equal(people * each, await Sql.Ask<long>(database.Superuser, "SELECT count(DISTINCT (person_id, client_id)) FROM observations"));
            Assert.Equal(people, await Sql.Ask<long>(database.Superuser, $"SELECT count(*) FROM mindscapes WHERE last_number = {each}"));
            foreach (var person in persons)
            {
                var entries = await Sql.Rows(
                    database.Superuser, $"SELECT id, number, kind, type, content::text, created_at FROM observations WHERE person_id = '{person}' ORDER BY number",
                    row => new MindscapeEntry(
                        row.GetGuid(0), row.GetInt64(1), row.GetString(2), row.GetString(3), new JsonText(row.GetString(4)), JsonText.EmptyObject, null, null, false, null,
                        row.GetFieldValue<DateTimeOffset>(5)));
                Assert.Equal(
                    TraitJson.Write(TraitFold.Fold(TraitFold.Nothing, entries).Traits).Json,
                    await Sql.Ask<string>(database.Superuser, $"SELECT traits::text FROM mindscapes WHERE person_id = '{person}'"));
            }
        }
        finally
        {
            opened.ForEach(one => one.Dispose());
            await node.DisposeAsync();
        }

        // Until it is acknowledged, at whichever node is there.
        async Task Send((Guid Person, int Number) one)
        {
            var body = JsonSerializer.Serialize(new
            {
                person = one.Person,
                type = "work_session",
                content = new { duration_minutes = 10 + one.Number, interruptions = one.Number % 5, productivity_score = one.Number % 6, start = $"2026-05-04T{one.Number % 24:00}:00:00Z" },
                clientId = $"{one.Number}",
            });
            await Eventually.True("the observation is acknowledged", async () =>
            {
                try
                {
                    return (await client.Post("/v1/observations", body)).Status is HttpStatusCode.Created or HttpStatusCode.OK;
                }
                catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
                {
                    return false;
                }
            }, TimeSpan.FromMinutes(2));
        }
    }
}
