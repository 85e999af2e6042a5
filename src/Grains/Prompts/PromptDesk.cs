using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// Resolves prompts where the request came in. Takes replicas of all that a prompt is made of, composes, and answers if all of
/// them held at one moment after the request came; if one didn't, it begins anew. With all of them held in this silo that costs
/// no call, no statement and no wait.
/// </summary>
public sealed class PromptDesk(Replicas.Replicas replicas, Clock time) : IPromptDesk
{
    /// <summary>Each further try means that a write came between, or that something had to be fetched; so many in a row no writer manages.</summary>
    private const int MostTries = 100;

    public async ValueTask<Outcome<PromptAnswer>> Resolve(
        Guid tenant, Guid user, Actor actor, PromptRequest request, PromptOccasion? occasion, string? knownVersions)
    {
        var (found, _, refusal) = await Gather(tenant, user, actor, request);
        return refusal is not null ? refusal : Outcome<PromptAnswer>.Done(Answer(found!, request, occasion, knownVersions));
    }

    public async ValueTask<Outcome<PromptTrace>> Trace(Guid tenant, Guid user, Actor actor, PromptRequest request)
    {
        var (found, isSettled, refusal) = await Gather(tenant, user, actor, request);
        return refusal is not null ? refusal : Outcome<PromptTrace>.Done(found!.Prompt.Trace() with { IsSettled = isSettled });
    }

    private async ValueTask<(Gathered? Found, bool IsSettled, Refusal? Refusal)> Gather(Guid tenant, Guid user, Actor actor, PromptRequest request)
    {
        var reading = replicas.Begin();
        for (var tries = 0; tries < MostTries; tries++)
        {
            reading.Start();
            var isComplete = TryGather(reading, tenant, user, actor, request, out var found, out var refusal);
            if (!isComplete)
            {
                await reading.Fetch();
            }
            else if (await reading.Holds())
            {
                return found is null && refusal is null
                    ? throw new InvalidOperationException($"User {user} has no default persona.")
                    : (found, !reading.HasUnkept, refusal);
            }
        }

        throw new TimeoutException("What the prompt is made of changed faster than it could be resolved.");
    }

    /// <summary>False if something has to be fetched first.</summary>
    private static bool TryGather(Reading reading, Guid tenant, Guid userId, Actor actor, PromptRequest request, out Gathered? found, out Refusal? refusal)
    {
        (found, refusal) = (null, null);
        if (!reading.TryTake(PromptReplicas.User, new ReplicaKey(ReplicaKind.User, new TenantScopedKey(tenant, userId)), out var user))
        {
            return false;
        }

        if (user.View is not { } me)
        {
            refusal = Refusal.NotFound("user");
            return true;
        }

        Replica<PersonalityView>? personality = null;
        Replica<UserPersonaView>? userPersona = null;
        var speaker = new TenantScopedKey(tenant, request.SpeakerId);
        actor = actor with { User = userId };
        if (request.Speaker == PromptSpeaker.Personality)
        {
            if (!reading.TryTake(PromptReplicas.Personality, new ReplicaKey(ReplicaKind.Personality, speaker), out personality))
            {
                return false;
            }

            refusal = personality.View is { } it && it.MayUse(actor) ? null : Refusal.NotFound("personality");
        }
        else
        {
            if (!reading.TryTake(PromptReplicas.UserPersona, new ReplicaKey(ReplicaKind.UserPersona, speaker), out userPersona))
            {
                return false;
            }

            refusal = userPersona.View is { } it && it.MayUse(actor) ? null : Refusal.NotFound("user_persona");
        }

        if (refusal is not null)
        {
            return true;
        }

        var chosen = request.Speaker == PromptSpeaker.Personality ? me.OverrideFor(request.SpeakerId) : null;
        Replica<PersonaView>? overridePersona = null;
        Replica<PersonaView>? defaultPersona = null;
        if (chosen?.PersonaId is { } named && !reading.TryTake(PromptReplicas.Persona, Persona(named), out overridePersona))
        {
            return false;
        }

        // A default that an override covers shows only where every tier is explained.
        if ((overridePersona?.View is null || request.Explain) && !reading.TryTake(PromptReplicas.Persona, Persona(me.DefaultPersonaId), out defaultPersona))
        {
            return false;
        }

        if (!reading.TryTake(PromptReplicas.Tenant, new ReplicaKey(ReplicaKind.Tenant, new TenantKey(tenant)), out var of)
            || !reading.TryTake(PromptReplicas.Catalogue, new ReplicaKey(ReplicaKind.Catalogue, new TenantKey(tenant)), out var catalogue))
        {
            return false;
        }

        FocusModeView? mode = null;
        if (request.FocusMode is { } modeName)
        {
            if (!reading.TryTake(PromptReplicas.Catalogue, new ReplicaKey(ReplicaKind.Catalogue, TenantKey.System), out var system))
            {
                return false;
            }

            mode = State(catalogue).ActiveMode(modeName) ?? State(system).ActiveMode(modeName);
            if (mode is null)
            {
                refusal = new Refusal(RefusalKind.NotFound, "focus_mode_not_found", $"There is no active focus mode '{Text.Shorten(modeName)}'.", "focusMode");
                return true;
            }
        }

        var speaking = overridePersona is { View: not null } ? overridePersona : defaultPersona!;
        if (speaking.View is null)
        {
            // It went between two views, which hold no more; or else there is a mistake.
            return true;
        }

        var material = new PromptMaterial
        {
            Me = me,
            DefaultPersona = defaultPersona?.View,
            OverridePersona = overridePersona?.View,
            Override = chosen,
            Personality = personality?.View,
            UserPersona = userPersona?.View,
            Catalogue = Excerpt(State(catalogue), me, chosen, personality?.View, mode),
            WithFocusMode = mode is not null,
            TenantSettings = of.View?.Settings ?? SettingsTier.Empty,
        };
        var prepared = personality?.Made(static _ => new Prepared()) ?? userPersona!.Made(static _ => new Prepared());
        var resolved = ResolvedPrompt.Of(material, prepared, speaking.Made(static it => new PersonaText(it)));
        if (!TryTakeSession(reading, tenant, userId, resolved, out var session))
        {
            return false;
        }

        found = new Gathered(resolved, prepared, session);
        return true;

        ReplicaKey Persona(Guid id) => new(ReplicaKind.Persona, new OwnedKey(tenant, userId, id));
    }

    private static bool TryTakeSession(Reading reading, Guid tenant, Guid user, ResolvedPrompt resolved, out FocusSessionView? session)
    {
        session = null;
        if (!resolved.Terms.ShowsFocus)
        {
            return true;
        }

        if (!reading.TryTake(PromptReplicas.Sessions, new ReplicaKey(ReplicaKind.Sessions, new TenantScopedKey(tenant, user)), out var begun))
        {
            return false;
        }

        if (begun.View!.Session is not { } id)
        {
            return true;
        }

        if (!reading.TryTake(PromptReplicas.Session, new ReplicaKey(ReplicaKind.Session, new OwnedKey(tenant, user, id)), out var taken))
        {
            return false;
        }

        session = taken.View;
        return true;
    }

    private static CatalogueState State(Replica<CatalogueView> catalogue) => catalogue.Made(CatalogueState.Of);

    private static CatalogueExcerpt Excerpt(CatalogueState catalogue, UserSide me, OverrideView? chosen, PersonalityView? personality, FocusModeView? mode)
    {
        List<LlmConfigView> configs = [];
        foreach (var id in (ReadOnlySpan<Guid?>)[chosen?.LlmConfigId, me.DefaultLlmConfig, personality?.DefaultLlmConfigId])
        {
            if (id is { } named && catalogue.LlmConfigs.TryGetValue(named, out var config))
            {
                configs.Add(config);
            }
        }

        return new CatalogueExcerpt(
            personality?.SystemPromptId is { } prompt ? catalogue.SystemPrompts.GetValueOrDefault(prompt) : null,
            catalogue.DefaultSystemPrompt, configs, catalogue.DefaultLlmConfig, catalogue.FreeDefaultLlmConfig, mode);
    }

    private PromptAnswer Answer(Gathered found, PromptRequest request, PromptOccasion? occasion, string? knownVersions)
    {
        var prompt = occasion?.Variables is { Count: > 0 } variables
            ? ResolvedPrompt.Of(found.Prompt.Material with { Variables = variables }, found.Prepared, found.Prompt.Persona)
            : found.Prompt;
        var now = time.GetUtcNow();
        var state = PromptText.State(now, prompt.Material.Me.User.TimeZone, FocusNow.Of(found.Session, now), prompt.NeedsTime);
        // Its version tells an answer from every other one, if nothing of this moment is in it. It says nothing of the tiers that didn't win; an explanation does.
        var isRepeatable = state is null && occasion is null && !request.Explain;
        return isRepeatable && knownVersions is not null && prompt.IsAmong(knownVersions)
            ? new PromptAnswer(null, prompt.Version, isRepeatable)
            : new PromptAnswer(PromptBody.Compose(prompt, request.Format, request.Explain, state, [], occasion?.Message), prompt.Version, isRepeatable);
    }

    private sealed record Gathered(ResolvedPrompt Prompt, Prepared Prepared, FocusSessionView? Session);
}
