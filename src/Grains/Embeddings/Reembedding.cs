using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Jobs;
using PersonaActors.Storage.Conversations;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Embeddings;

/// <summary>
/// Embeds anew, by the service's own model, what another one embedded: a tenant's narratives, then its notes. Until it is a
/// text's turn its old vector is as if it weren't there, and it is found by its words.
/// </summary>
public sealed class Reembedding(IEmbedder embedder, EmbeddingModelStore outdated, MemoryStore memories, IGrainFactory grains) : IJobKind
{
    private const int Batch = 32;

    /// <param name="Model">By which it was to be done; a silo that embeds by another doesn't do it.</param>
    public sealed record Input(string Model);

    public sealed record Report(string Model, long Narratives, long Memories);

    private sealed record Cursor(bool AreNarrativesDone = false, Guid Person = default, Guid After = default, long Narratives = 0, long Memories = 0, long? Total = null);

    public string Name => EmbeddingModelStore.JobKind;

    public async Task<JobStep> Step(JobWork work, CancellationToken cancel)
    {
        if (work.Input.Read<Input>().Model is var model && model != embedder.Model)
        {
            throw new JobFailedException("model_differs", $"It was to be done by '{model}', and here texts are embedded by '{embedder.Model}'.");
        }

        var cursor = work.Cursor.Read<Cursor>();
        if (cursor.Total is null)
        {
            return At(cursor with { Total = await outdated.Count(work.Tenant, cancel) });
        }

        var texts = cursor.AreNarrativesDone
            ? await outdated.Memories(work.Tenant, cursor.After, Batch, cancel)
            : await outdated.Narratives(work.Tenant, cursor.Person, cursor.After, Batch, cancel);
        var vectors = texts.Count == 0 ? [] : await Embed(texts, cancel);
        for (var i = 0; i < texts.Count; i++)
        {
            var (owner, id, version, content) = texts[i];
            if (cursor.AreNarrativesDone)
            {
                await memories.Embed(new UnembeddedMemory(work.Tenant, id, version, content), vectors[i], embedder.Model, cancel);
            }
            else
            {
                await grains.Of<IMindscapeGrain>(new TenantScopedKey(work.Tenant, owner)).Embedded(id, (int)version, new TextVector(embedder.Model, vectors[i]));
            }
        }

        cursor = cursor.AreNarrativesDone ? cursor with { Memories = cursor.Memories + texts.Count } : cursor with { Narratives = cursor.Narratives + texts.Count };
        if (texts.Count == Batch)
        {
            return At(cursor with { Person = texts[^1].Owner, After = texts[^1].Id });
        }

        return cursor.AreNarrativesDone
            ? At(cursor) with { Report = JsonText.From(new Report(embedder.Model, cursor.Narratives, cursor.Memories)) }
            : At(cursor with { AreNarrativesDone = true, Person = default, After = default });
    }

    public Task<string> Abandon(JobWork work)
    {
        var cursor = work.Cursor.Read<Cursor>();
        return Task.FromResult($"What was embedded anew by then, {cursor.Narratives + cursor.Memories:N0} texts; the rest is found by its words until another job does it.");
    }

    private static JobStep At(Cursor cursor) =>
        new(JsonText.From(cursor), cursor.AreNarrativesDone ? "memories" : "narratives", cursor.Narratives + cursor.Memories, cursor.Total);

    /// <summary>Whether a model is away is not for the job to judge: it waits.</summary>
    private async Task<IReadOnlyList<float[]>> Embed(List<OutdatedText> texts, CancellationToken cancel)
    {
        try
        {
            return await embedder.Embed(EmbeddingKind.Passage, texts.ConvertAll(text => text.Text), cancel);
        }
        catch (EmbedderUnavailableException e)
        {
            throw new TimeoutException("Nothing can be embedded at the moment.", e);
        }
    }
}
