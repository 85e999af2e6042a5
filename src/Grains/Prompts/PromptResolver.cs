using PersonaActors.Contracts;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// Resolves the prompts of one user, inside that user's grain. Gathers immutable snapshots from the grains that a prompt is
/// made from, merges them with the user's own state, and asks all of them again before it answers; if one moved, it starts
/// again with what it learned. What comes out is kept as ready UTF-8, so that a repeat costs the asking and nothing else.
/// Runs in turns of the grain, interleaved with its commands: it only reads the grain's state, one reference at a time.
/// </summary>
public sealed class PromptResolver(SharedSnapshots shared, TenantScopedKey user, PromptBudget budget, Clock time, IPromptUser of)
{
    /// <summary>Each further try means that a write came between; so many in a row no writer manages.</summary>
    private const int MostTries = 100;

    private KnownPersonas _personas;
    private ReadyPrompts? _ready;
    private int _lastAsked;

    public async ValueTask<Outcome<PromptAnswer>> Resolve(Actor actor, PromptRequest request, PromptOccasion? occasion, string? knownVersions)
    {
        var (entry, ready, refusal) = await Confirmed(actor, request);
        if (refusal is not null)
        {
            return refusal;
        }

        var answer = await Answer(request, entry!, ready!, occasion, knownVersions);
        if (Wants(entry!))
        {
            (_ready ??= new ReadyPrompts(budget)).Keep(entry!);
        }

        return Outcome<PromptAnswer>.Done(answer);
    }

    /// <summary>What the prompt is made of, without its text.</summary>
    public async ValueTask<Outcome<PromptTrace>> Trace(Actor actor, PromptRequest request)
    {
        var (_, ready, refusal) = await Confirmed(actor, request);
        return refusal is not null ? refusal : Outcome<PromptTrace>.Done(ready!.Trace());
    }

    private async ValueTask<(ReadyEntry? Entry, ResolvedPrompt? Ready, Refusal? Refusal)> Confirmed(Actor actor, PromptRequest request)
    {
        shared.Reach.Check();
        ReadyEntry? entry = null;
        for (var tries = 0; tries < MostTries; tries++)
        {
            if (of.Side is not { } me)
            {
                return (null, null, Refusal.NotFound("user"));
            }

            entry ??= _ready?.Find(request);
            if (entry is null || !ReferenceEquals(entry.Sources.Me, me))
            {
                entry = new ReadyEntry(request, new PromptSources(shared, user, me, request, ref _personas));
            }

            var confirmed = await entry.Sources.Confirm();
            if (Refused(actor, request, entry.Sources) is { } refusal)
            {
                return (null, null, refusal);
            }

            if (!confirmed)
            {
                continue;
            }

            if (entry.Ready is null && entry.Sources.ToMaterial() is { } material)
            {
                entry.Ready = ResolvedPrompt.Of(material, entry.Sources.Prepared, entry.Sources.PersonaText);
            }

            // Without material, the default persona changed hands between two reads: the user's state says by now which it is.
            if (entry.Ready is { } ready && ReferenceEquals(of.Side, me))
            {
                return (entry, ready, null);
            }
        }

        throw new TimeoutException("A prompt's sources changed faster than it could be resolved.");
    }

    public void Forget() => _ready?.Clear();

    /// <summary>
    /// What is asked for twice in a row is kept: making one costs little, and what nobody asks for again would only be carried
    /// from one garbage collection to the next.
    /// </summary>
    private bool Wants(ReadyEntry entry)
    {
        var again = entry.Hash == _lastAsked;
        _lastAsked = entry.Hash;
        return again || _ready?.Has(entry) is true;
    }

    private async ValueTask<PromptAnswer> Answer(PromptRequest request, ReadyEntry entry, ResolvedPrompt prompt, PromptOccasion? occasion, string? knownVersions)
    {
        if (occasion?.Variables is { Count: > 0 } variables)
        {
            prompt = ResolvedPrompt.Of(prompt.Material with { Variables = variables }, entry.Sources.Prepared, prompt.Persona);
        }

        var session = prompt.Terms.ShowsFocus ? await LiveSession() : null;
        var state = session is not null || prompt.NeedsTime ? Now(prompt, session) : null;
        if (state is not null || occasion is not null)
        {
            return new PromptAnswer(PromptBody.Compose(prompt, request.Format, request.Explain, state, [], occasion?.Message), prompt.Version, IsRepeatable: false);
        }

        // Its version tells it from every other answer. That says nothing of the tiers that didn't win; an explanation does.
        return knownVersions is not null && !request.Explain && prompt.IsAmong(knownVersions)
            ? new PromptAnswer(null, prompt.Version, IsRepeatable: true)
            : entry.Alone(prompt);
    }

    private ValueTask<FocusSessionView?> LiveSession() => shared.Grains.Of<IPersonSessionsGrain>(user).Live();

    private string? Now(ResolvedPrompt prompt, FocusSessionView? session)
    {
        var now = time.GetUtcNow();
        return PromptText.State(now, prompt.Material.Me.User.TimeZone, FocusNow.Of(session, now), prompt.NeedsTime);
    }

    private static Refusal? Refused(Actor actor, PromptRequest request, PromptSources sources)
    {
        if (request.Speaker == PromptSpeaker.Personality)
        {
            if (sources.Personality is not { } personality || !(personality.IsPublic || personality.MayUse(actor with { User = sources.Me.User.Id })))
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

/// <summary>A prompt's sources, and what came out of them if it is made of what they hold now.</summary>
internal sealed class ReadyEntry(PromptRequest request, PromptSources sources)
{
    private ResolvedPrompt? _ready;
    private PromptAnswer? _alone;
    private int _stamp;

    public PromptRequest Request { get; } = request;

    public int Hash { get; } = request.GetHashCode();

    public PromptSources Sources { get; } = sources;

    /// <summary>A request keeps what it has got while others go on asking.</summary>
    public ResolvedPrompt? Ready
    {
        get => _stamp == Sources.Stamp ? _ready : null;
        set => (_ready, _alone, _stamp) = (value, null, Sources.Stamp);
    }

    /// <summary>Without anything of a single request.</summary>
    public PromptAnswer Alone(ResolvedPrompt prompt)
    {
        var known = ReferenceEquals(prompt, _ready) ? _alone : null;
        var answer = known ?? new PromptAnswer(PromptBody.Compose(prompt, Request.Format, Request.Explain), prompt.Version, IsRepeatable: !Request.Explain);
        if (ReferenceEquals(prompt, _ready))
        {
            _alone = answer;
        }

        return answer;
    }

    /// <summary>Of its text; 0 as long as nobody has asked for it.</summary>
    public int Size => _alone?.Body?.Length ?? 0;

    /// <summary>The size with which it was kept; less than nothing if it never was.</summary>
    public int KeptSize { get; set; } = -1;
}
