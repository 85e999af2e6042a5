using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Grains.Focus;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Grains.Contexts;

/// <summary>
/// One call for an agent: from the same replicas as prompts, so that without a query it costs no call and no statement. A query
/// is looked for in what the person said, by meaning and by words, and in the notes that are nobody's in particular.
/// </summary>
public sealed class ContextDesk(Replicas.Replicas replicas, NarrativeSearch narratives, MemoryStore memories, IEmbedder embedder, Clock time)
{
    private const int MaxFound = 20;

    public async ValueTask<Outcome<PersonContext>> Of(Guid tenant, Guid user, ContextRequest request)
    {
        var (found, _) = await replicas.AtOnce((Key: new TenantScopedKey(tenant, user), request), static (reading, of) => Gather(reading, of.Key, of.request));
        if (found.Refusal is { } refusal)
        {
            return refusal;
        }

        var (now, zone) = (time.GetUtcNow(), found.Me!.User.TimeZone);
        var (said, notes) = request.Query is { } query ? await Find(tenant, found.Me, query) : ([], []);
        string[] moment = [.. ContextText.Doing(found.Session, now) is { } doing ? (string[])[doing] : [], .. found.Overlay?.At(now, RhythmRules.Zone(zone), null) ?? []];
        return Outcome<PersonContext>.Done(ContextText.Within(
            request.Budget, ContextText.Who(found.Persona!), found.Mindscape?.Lines ?? [], found.Overlay?.Mapper?.Config?.Name, found.Overlay?.Suggestions ?? [],
            PromptText.Time(now, RhythmRules.Zone(zone)), moment, request.Query, said, notes));
    }

    private static Gathered Gather(Reading reading, TenantScopedKey key, ContextRequest request)
    {
        if (reading.Take(PromptReplicas.User, new ReplicaKey(ReplicaKind.User, key))?.View is not { } me)
        {
            return new Gathered(Refusal.NotFound("user"));
        }

        if (!me.User.IsActive)
        {
            return new Gathered(UserRefusals.Inactive);
        }

        var (mapper, refusal) = MindscapeReplicas.ActiveMapper(reading, key.Tenant, request.Mapper);
        if (refusal is not null)
        {
            return new Gathered(refusal);
        }

        var persona = reading.Take(PromptReplicas.Persona, new ReplicaKey(ReplicaKind.Persona, new OwnedKey(key.Tenant, key.Id, me.DefaultPersonaId)))?.View;
        var mindscape = MindscapeReplicas.Known(reading, key);
        return new Gathered(null, me, persona, mindscape, mapper is null ? null : mindscape?.By(mapper), FocusReplicas.Begun(reading, key.Tenant, key.Id));
    }

    private async Task<(IReadOnlyList<string> Said, IReadOnlyList<string> Notes)> Find(Guid tenant, UserSide me, string query)
    {
        var asked = new NarrativeAsked(query, SearchMode.Hybrid, MaxFound, SimilarityScale.DefaultThreshold, null);
        var said = (await narratives.Find(tenant, me.User.Id, asked, CancellationToken.None)).Results.Select(ContextText.Said).ToList();
        var vector = me.Memories > 0 ? await narratives.VectorOf(query, CancellationToken.None) : null;
        var notes = vector is null
            ? []
            : await memories.Nearest(tenant, me.User.Id, null, vector, embedder.Scale.Cosine(SimilarityScale.DefaultThreshold), MaxFound, CancellationToken.None);
        return (said, notes.ConvertAll(ContextText.Said));
    }

    private readonly record struct Gathered(
        Refusal? Refusal, UserSide? Me = null, PersonaView? Persona = null, PreparedMindscape? Mindscape = null, MindscapeOverlay? Overlay = null, FocusSessionView? Session = null);
}
