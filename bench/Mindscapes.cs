using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Storage.Mindscapes;
using PersonaActors.Tests.Embeddings;

namespace PersonaActors.Bench;

/// <summary>What is known of people: embedding, searching among many others', what an observation and a persona take, and what prompts and memory say to it.</summary>
internal static class Mindscapes
{
    private const int Others = 50;
    private const int OfEachOther = 100;
    private const int Found = 10;
    private const int Warm = 150;
    private const int Queries = 100;
    private const int MaxMemory = 450 * 1024 * 1024;

    internal static async Task<Result[]> RunAsync()
    {
        await using var node = await BenchNode.Start();
        var key = await node.ServiceKey();
        using var service = Client(node.Address, key);
        var embedder = node.Services.GetRequiredService<IEmbedder>();
        List<Result> results = [await Embedding(embedder)];
        results.AddRange(await Searches(node, embedder));
        results.AddRange(await Answers(service));
        results.AddRange(await OfOnePerson(service));
        results.Add(await Prompts(node, key));
        results.Add(await Memory(node, key));
        return [.. results];
    }

    private static HttpClient Client(Uri address, string key) => new() { BaseAddress = address, DefaultRequestHeaders = { { "Authorization", $"Bearer {key}" } } };

    private static string Sentence(int i) => $"On day {i} I felt most awake after a walk, and wrote {i * 7} lines before noon without looking at the clock.";

    private static async Task<Result> Embedding(IEmbedder embedder)
    {
        await embedder.Embed(EmbeddingKind.Query, "warm", CancellationToken.None);
        return Row("a sentence embedded, p50", await Times(60, i => embedder.Embed(EmbeddingKind.Query, Sentence(i), CancellationToken.None)), .5, 20);
    }

    /// <summary>Vectors in clusters, as those of texts are: some near to each other, most far.</summary>
    private static string Vector(string seed) => $"(SELECT l2_normalize(array_agg(sin((({seed}) % 89 + 1) * 0.731 * j) + 1.5 * (random() - 0.5) + 0 * ({seed}))::vector) FROM generate_series(1, {Grains.Embeddings.Embedding.Dimensions}) j)";

    private static async Task<List<Result>> Searches(BenchNode node, IEmbedder embedder)
    {
        (string Person, int Narratives)[] people = [("few", 20), ("some", 200), ("many", 2000), ("most", 10_000), .. Enumerable.Range(0, Others).Select(i => ($"other {i}", OfEachOther))];
        await using var direct = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(node.On.Superuser) { CommandTimeout = 600 }.ConnectionString);
        await Run(direct, "DROP INDEX narrative_vectors_near");
        foreach (var (person, narratives) in people)
        {
            await Run(direct, $"""
                INSERT INTO users (tenant_id, id, username, created_at, updated_at) VALUES ('{node.Tenant}', md5('{person}')::uuid, '{person}', now(), now());
                INSERT INTO narratives (tenant_id, id, person_id, type, text, tags, context, said, created_at, updated_at)
                  SELECT '{node.Tenant}', md5('{person} ' || i)::uuid, md5('{person}')::uuid, 'self_observation', 'I said w' || i % 97 || ' and w' || i % 501 || ' of w' || i % 11, ARRAY[]::text[], json_build_object(),
                    sha256(i::text::bytea), now(), now() FROM generate_series(1, {narratives}) i;
                INSERT INTO narrative_vectors (tenant_id, person_id, narrative_id, type, model, embedding)
                  SELECT '{node.Tenant}', md5('{person}')::uuid, md5('{person} ' || i)::uuid, 'self_observation', '{embedder.Model}', {Vector("i")} FROM generate_series(1, {narratives}) i;
                """);
        }

        await Run(direct, """
            SET maintenance_work_mem = '512MB'; CREATE INDEX narrative_vectors_near ON narrative_vectors USING hnsw (embedding vector_cosine_ops); ANALYZE
            """);
        var store = node.Services.GetRequiredService<NarrativeSearchStore>();
        var results = new List<Result>();
        foreach (var (person, narratives) in people[..4])
        {
            var id = await Ask<Guid>(direct, $"SELECT md5('{person}')::uuid");
            var (found, times) = (0, new List<double>());
            // What a connection hasn't prepared yet takes it 20 ms once, and they take turns.
            for (var i = -Warm; i < Queries; i++)
            {
                var text = await Ask<string>(direct, $"SELECT {Vector($"{i}")}::text");
                var vector = new TextVector(embedder.Model, text.Trim('[', ']').Split(',').Select(number => float.Parse(number, CultureInfo.InvariantCulture)).ToArray());
                var nearest = (await Ask<Guid[]>(direct, $"""
                    SELECT array_agg(narrative_id) FROM (SELECT narrative_id FROM (SELECT narrative_id, embedding <=> '{text}' AS distance FROM narrative_vectors WHERE person_id = '{id}' OFFSET 0) AS all_of_them ORDER BY distance LIMIT {Found}) AS nearest
                    """)).ToHashSet();
                var near = await store.Find(node.Tenant, id, new NarrativeQuery(vector, null, [], -1, null, Found), CancellationToken.None);
                var since = Stopwatch.GetTimestamp();
                await store.Find(node.Tenant, id, new NarrativeQuery(vector, $"w{i} or w{i * 3}", [], -1, null, Found), CancellationToken.None);
                if (i >= 0)
                {
                    found += near.Count(one => nearest.Contains(one.Narrative.Id));
                    times.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
                }
            }

            var recall = found / (double)(Queries * Math.Min(Found, narratives));
            results.Add(new($"recall of the {Found} nearest among {narratives:N0} of a person's", recall.ToString("0.000", CultureInfo.InvariantCulture), "0.95", recall / .95, 1, AtLeastText: "≥ 0.95"));
            results.Add(Row($"search among {narratives:N0} of a person's by meaning and words, p95", times, .95, narratives > 2000 ? 60 : 15));
        }

        return results;
    }

    private static async Task Run(NpgsqlDataSource direct, string sql)
    {
        await using var command = direct.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<T> Ask<T>(NpgsqlDataSource direct, string sql)
    {
        await using var command = direct.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>How often what answers a question is among the first five, by meaning and words together, over either alone.</summary>
    private static async Task<List<Result>> Answers(HttpClient service)
    {
        string[] modes = ["vector", "words", "hybrid"];
        var found = modes.ToDictionary(mode => mode, _ => 0);
        foreach (var talk in Labelled.Conversations)
        {
            var person = Guid.CreateVersion7();
            foreach (var text in talk.Turns)
            {
                await Send(service, "/v1/narratives", new { person, text });
            }

            foreach (var (query, answer) in talk.Questions)
            {
                foreach (var mode in modes)
                {
                    var answered = await service.PostAsJsonAsync("/v1/narratives:search", new { person, query, mode, minSimilarity = mode == "vector" ? 0 : (double?)null, limit = 5 });
                    var results = JsonNode.Parse(await answered.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["results"]!.AsArray();
                    found[mode] += results.Any(result => (string?)result!["narrative"]!["text"] == talk.Turns[answer]) ? 1 : 0;
                }
            }
        }

        var questions = Labelled.Conversations.Sum(talk => talk.Questions.Count);
        return [.. modes[..2].Select(alone => new Result(
            $"answers to {questions} questions in labelled conversations among the first five by both, over {alone} alone", $"{found["hybrid"]}", $"{found[alone]}", found["hybrid"] / (double)found[alone], 1.04))];
    }

    /// <summary>Of whom nothing is known yet there is no mindscape.</summary>
    private static async Task<bool> Knows(HttpClient service, Guid person, string trait)
    {
        using var answer = await service.GetAsync($"/v1/mindscapes/{person}");
        return answer.StatusCode != HttpStatusCode.NotFound
            && JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["traits"]![trait] is not null;
    }

    private static async Task<List<Result>> OfOnePerson(HttpClient service)
    {
        var person = Guid.CreateVersion7();
        await Send(service, "/v1/observations", new { person, type = "work_session", content = new { duration_minutes = 90, productivity_score = 5, traits = new Dictionary<string, object> { ["current_state.energy_level"] = "high" } } });
        var (answered, known) = (new List<double>(), new List<double>());
        for (var i = 0; i < 120; i++)
        {
            var since = Stopwatch.GetTimestamp();
            await Send(service, "/v1/observations", new { person, type = "note", content = new { traits = new Dictionary<string, object> { [$"t{i}"] = $"is {i}" } } });
            var at = Stopwatch.GetTimestamp();
            while (!await Knows(service, person, $"t{i}"))
            {
            }

            // The first ones compile what they run.
            if (i >= 20)
            {
                answered.Add(Stopwatch.GetElapsedTime(since, at).TotalMilliseconds);
                known.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
            }
        }

        var personas = await Times(120, _ => Send(service, "/v1/generated-personas", new { person, mapper = "daily-work-optimizer" }));
        var contexts = await Times(2200, _ => service.GetStringAsync($"/v1/people/{person}/context?budget=800"));
        return
        [
            Row("an observation answered, p50", answered, .5, 10), Row("an observation in the mindscape after that, p95", known[..20], .95, 100),
            Row("a persona generated, p50", personas[20..], .5, 10), Row("a context without a query, p99", contexts[200..], .99, 5),
        ];
    }

    /// <summary>Beside prompts, somebody's narratives are embedded all the time, and beside the anchor too.</summary>
    private static async Task<Result> Prompts(BenchNode node, string key)
    {
        using var service = Client(node.Address, key);
        var user = (string)JsonNode.Parse(await Send(service, "/v1/users", new { username = "Sam" }))!["id"]!;
        var personality = (string)JsonNode.Parse(await Send(service, $"/v1/personalities?user={user}", new { name = "Lila", characterInfo = new string('x', 1500), personalityTraits = "calm", isPublic = true }, user))!["id"]!;
        using var over = new CancellationTokenSource();
        var embedding = Task.Run(async () =>
        {
            for (var i = 0; !over.IsCancellationRequested; i++)
            {
                await Send(service, "/v1/narratives", new { person = user, text = Sentence(i) });
            }
        });
        var request = Encoding.ASCII.GetBytes($"GET /v1/personalities/{personality}/prompt?user={user} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n");
        var result = await AgainstBare.Read(node.Address, [request], "a prompt resolved while narratives are embedded, against bare Kestrel beside the same", 0.6);
        await over.CancelAsync();
        await embedding;
        return result;
    }

    private static async Task<Result> Memory(BenchNode node, string key)
    {
        using var process = await NodeProcess.Start(node.On, NodeProcess.FreePort(), isSilo: true);
        using var service = Client(process.Address, key);
        var person = Guid.CreateVersion7();
        for (var i = 0; i < 30; i++)
        {
            await Send(service, "/v1/narratives", new { person, text = Sentence(i) });
            await Send(service, "/v1/narratives:search", new { person, query = Sentence(i + 1) });
        }

        var bytes = process.ResidentBytes;
        return new("memory of a node with its encoder loaded", $"{bytes / 1024 / 1024} MiB", "450 MiB", MaxMemory / (double)bytes, 1, AtLeastText: "≤ 450 MiB");
    }

    private static async Task<string> Send(HttpClient client, string path, object body, string? user = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (user is not null)
        {
            request.Headers.Add("X-Persona-User", user);
        }

        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? text : throw new InvalidOperationException($"POST {path}: {(int)answer.StatusCode} {text}");
    }

    private static async Task<List<double>> Times(int count, Func<int, Task> what)
    {
        var times = new List<double>(count);
        for (var i = 0; i < count; i++)
        {
            var since = Stopwatch.GetTimestamp();
            await what(i);
            times.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }

        return times;
    }

    private static Result Row(string what, List<double> times, double share, double atMost)
    {
        var ms = times.Order().ElementAt((int)((times.Count - 1) * share));
        string Text(double value) => value.ToString("0.0", CultureInfo.InvariantCulture) + " ms";
        return new Result(what, Text(ms), Text(atMost), atMost / ms, 1, AtLeastText: $"≤ {atMost} ms");
    }
}
