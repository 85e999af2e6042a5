using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Gateway.Auth;
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
        TextVector? vector = null;
        return await commands.Run<NarrativeView>(http, acting, given, async command =>
        {
            vector ??= NarrativeRules.Check(given) is null ? await VectorOf(given.Text, http.RequestAborted) : null;
            return await Of(acting, person).AddNarrative(command, given, vector);
        });
    }

    public Task<Outcome<NarrativeView>> Change(HttpContext http, Guid id, NarrativeChange change)
    {
        TextVector? vector = null;
        return OnNarrative<NarrativeView>(http, id, change, async (mindscape, command) =>
        {
            vector ??= change.Text is { } text && NarrativeRules.Check(change) is null ? await VectorOf(text, http.RequestAborted) : null;
            return await mindscape.ChangeNarrative(command, id, change, vector);
        });
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

    private Task<TextVector?> VectorOf(string text, CancellationToken cancel) => embedder.VectorOrNone(EmbeddingKind.Passage, text, cancel);
}
