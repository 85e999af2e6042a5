using PersonaActors.Contracts;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// Resolves the prompts of one user, inside that user's grain. Gathers immutable snapshots from the grains that a prompt is
/// made from, merges them with the user's own state, and asks all of them again before it answers; if one moved, it starts
/// again with what it learned. What comes out is kept as ready UTF-8, so that a repeat costs the asking and nothing else.
/// Runs in turns of the grain, interleaved with its commands: it only reads the grain's state, one reference at a time.
/// </summary>
/// <param name="side">The user's state as last committed; null if there is no such user.</param>
public sealed class PromptResolver(IGrainFactory grains, TenantScopedKey user, PromptBudget budget, TimeProvider time, Func<UserSide?> side)
{
    /// <summary>Each further try means that a write came between; so many in a row no writer manages.</summary>
    private const int MostTries = 100;

    private readonly ReadyPrompts _ready = new(budget);

    public async ValueTask<Outcome<PromptAnswer>> Resolve(Actor actor, PromptRequest request, PromptOccasion? occasion, string? knownVersion)
    {
        for (var tries = 0; tries < MostTries; tries++)
        {
            if (side() is not { } me)
            {
                return Refusal.NotFound("user");
            }

            var entry = _ready.Find(request);
            if (entry is null || !ReferenceEquals(entry.Sources.Me, me))
            {
                entry = new ReadyEntry(new PromptSources(grains, user.Tenant, me, request));
            }

            var confirmed = await entry.Sources.Confirm();
            if (Refused(actor, request, entry.Sources) is { } refusal)
            {
                return refusal;
            }

            if (!entry.IsReady)
            {
                if (entry.Sources.ToMaterial() is not { } material)
                {
                    // The default persona changed hands between two reads: the user's state says by now which it is.
                    continue;
                }

                entry.Set(ResolvedPrompt.Of(material), request);
                _ready.Keep(request, entry);
                confirmed = await entry.Sources.Confirm();
            }

            if (confirmed && entry.IsReady && ReferenceEquals(side(), me))
            {
                return Outcome<PromptAnswer>.Done(Answer(entry, request, occasion, knownVersion));
            }
        }

        throw new TimeoutException("A prompt's sources changed faster than it could be resolved.");
    }

    public void Forget() => _ready.Clear();

    private PromptAnswer Answer(ReadyEntry entry, PromptRequest request, PromptOccasion? occasion, string? knownVersion)
    {
        var ready = entry.Ready!;
        if (occasion?.Variables is { Count: > 0 } variables)
        {
            ready = ReadyPrompt.Of(ResolvedPrompt.Of(entry.Material! with { Variables = variables }), request.Format, request.Explain);
        }

        var state = CurrentState.Build(time.GetUtcNow(), entry.Sources.Me.User.TimeZone, null, ready.NeedsTime);
        if (state is not null || occasion is not null)
        {
            return new PromptAnswer(ready.Compose(state, [], occasion?.Message), ready.Version, IsRepeatable: false);
        }

        return knownVersion == ready.Version ? ready.Unchanged : ready.Alone;
    }

    private static Refusal? Refused(Actor actor, PromptRequest request, PromptSources sources)
    {
        if (request.Speaker == PromptSpeaker.Personality)
        {
            if (sources.Personality is not { } personality || !personality.MayUse(actor with { User = sources.Me.User.Id }))
            {
                return Refusal.NotFound("personality");
            }
        }
        else if (sources.UserPersona is not { } userPersona || !userPersona.MayUse(actor with { User = sources.Me.User.Id }))
        {
            return Refusal.NotFound("user_persona");
        }

        return request.FocusMode is { } mode && sources.HasNoFocusMode
            ? new Refusal(RefusalKind.NotFound, "focus_mode_not_found", $"There is no active focus mode '{Text.Shorten(mode)}'.", "focusMode")
            : null;
    }
}

/// <summary>A prompt's sources and what came out of them.</summary>
internal sealed class ReadyEntry(PromptSources sources)
{
    private int _stamp = -1;

    public PromptSources Sources { get; } = sources;

    public PromptMaterial? Material { get; private set; }

    public ReadyPrompt? Ready { get; private set; }

    /// <summary>What came out is made of what is held now.</summary>
    public bool IsReady => _stamp == Sources.Stamp;

    public int Size => Ready!.Size;

    public void Set(ResolvedPrompt resolved, PromptRequest request)
    {
        Material = resolved.Material;
        Ready = ReadyPrompt.Of(resolved, request.Format, request.Explain);
        _stamp = Sources.Stamp;
    }
}
