using Microsoft.AspNetCore.Http;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Grains.Mindscapes;

namespace PersonaActors.Gateway.Mindscapes;

/// <summary>Narratives on their way to their person's mindscape: embedded before, so that no transaction and no turn waits for that.</summary>
public sealed partial class MindscapeAccess
{
    /// <summary>One narrative.</summary>
    public async Task<Outcome<NarrativeView>> Add(HttpContext http, Acting acting, Guid person, NewNarrative given)
    {
        given = given with { ClientId = SenderId(http, given.ClientId) };
        var vector = NarrativeRules.Check(given) is null ? await VectorOf(given.Text, http.RequestAborted) : null;
        return await commands.Run<NarrativeView>(http, acting, given, command => Of(acting, person).AddNarrative(command, given, vector));
    }

    public async Task<Outcome<NarrativeView>> Change(HttpContext http, Guid id, NarrativeChange change)
    {
        var vector = change.Text is { } text && NarrativeRules.Check(change) is null ? await VectorOf(text, http.RequestAborted) : null;
        return await OnNarrative<NarrativeView>(http, id, change, (mindscape, command) => mindscape.ChangeNarrative(command, id, change, vector));
    }

    public Task<Outcome<Nothing>> ForgetNarrative(HttpContext http, Guid id) =>
        OnNarrative<Nothing>(http, id, null, (mindscape, command) => mindscape.ForgetNarrative(command, id));

    private async Task<Outcome<T>> OnNarrative<T>(HttpContext http, Guid id, object? body, Func<IMindscapeGrain, Command, Task<Outcome<T>>> call)
        where T : class
    {
        var (acting, scope, _, refusal) = await Scope(http, null);
        if (refusal is not null)
        {
            return refusal;
        }

        // A repeat of a deletion finds no row, but the first one's answer.
        var narrative = await narratives.Find(scope, id, http.RequestAborted);
        return await commands.Run(http, acting!, body, command => narrative is null
            ? Task.FromResult<Outcome<T>>(Refusal.NotFound("narrative"))
            : call(Of(acting!, narrative.PersonId), command));
    }

    private async Task<TextVector?> VectorOf(string text, CancellationToken cancel)
    {
        try
        {
            return new TextVector(embedder.Model, await embedder.Embed(EmbeddingKind.Passage, text, cancel));
        }
        catch (EmbedderUnavailableException)
        {
            return null;
        }
    }
}
