using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Grains.Contexts;
using PersonaActors.Grains.Conversations;
using PersonaActors.Grains.Focus;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// Resolves prompts where the request came in. Takes replicas of all that a prompt is made of, composes, and answers if all of
/// them held at one moment after the request came; if one didn't, it begins anew. With all of them held in this silo that costs
/// no call, no statement and no wait.
/// </summary>
public sealed class PromptDesk(Replicas.Replicas replicas, MemoryRecall memories, NarrativeSearch narratives, ContextDesk contexts, ChannelDesk channels, Clock time) : IPromptDesk
{
    public async ValueTask<Outcome<PromptAnswer>> Resolve(
        Guid tenant, Guid user, Actor actor, PromptRequest request, PromptOccasion? occasion, string? knownVersions)
    {
        var (found, _) = await Gather(tenant, user, actor, request);
        if (found.Refusal is { } refusal)
        {
            return refusal;
        }

        var recalled = occasion?.Message is { } message && MemoryRecall.MayHave(found.Prompt!) ? await memories.Recall(tenant, found.Prompt!, message, CancellationToken.None) : [];
        // Who only looks, again and again, pays for no search.
        var near = occasion?.Message is not null && found.Prompt!.Overlay?.NarrativeChecks.ToList() is { Count: > 0 } checks
            ? await narratives.Near(tenant, user, checks, CancellationToken.None)
            : null;
        return Outcome<PromptAnswer>.Done(Answer(found, request, occasion, knownVersions, recalled, near));
    }

    public async ValueTask<Outcome<PromptTrace>> Trace(Guid tenant, Guid user, Actor actor, PromptRequest request)
    {
        var (found, isSettled) = await Gather(tenant, user, actor, request);
        return found.Refusal is { } refusal ? refusal : Outcome<PromptTrace>.Done(found.Prompt!.Trace() with { IsSettled = isSettled });
    }

    public ValueTask<Outcome<PersonContext>> Context(Guid tenant, Guid user, ContextRequest request) => contexts.Of(tenant, user, request);

    public ValueTask<WindowAnswer?> Window(Guid tenant, string channel, Actor actor, Guid? personality, int last) => channels.Window(new ChannelKey(tenant, channel), actor, personality, last);

    private async ValueTask<(Gathered Found, bool IsSettled)> Gather(Guid tenant, Guid user, Actor actor, PromptRequest request)
    {
        var gathered = await replicas.AtOnce(
            (tenant, user, Actor: actor with { User = user }, request), static (reading, of) => Gather(reading, of.tenant, of.user, of.Actor, of.request));
        return gathered.Taken is { Prompt: null, Refusal: null } ? throw new InvalidOperationException($"User {user} has no default persona.") : gathered;
    }

    /// <summary>As far as it goes: what comes out counts only if nothing was missing, and all held.</summary>
    private static Gathered Gather(Reading reading, Guid tenant, Guid user, Actor actor, PromptRequest request)
    {
        if (reading.Take(PromptReplicas.User, new ReplicaKey(ReplicaKind.User, new TenantScopedKey(tenant, user)))?.View is not { } me)
        {
            return new Gathered(Refusal.NotFound("user"));
        }

        if (!me.User.IsActive)
        {
            return new Gathered(UserRefusals.Inactive);
        }

        var speaker = new TenantScopedKey(tenant, request.SpeakerId);
        var isPersonality = request.Speaker == PromptSpeaker.Personality;
        var personality = isPersonality ? reading.Take(PromptReplicas.Personality, new ReplicaKey(ReplicaKind.Personality, speaker)) : null;
        var userPersona = isPersonality ? null : reading.Take(PromptReplicas.UserPersona, new ReplicaKey(ReplicaKind.UserPersona, speaker));
        if ((personality?.View?.MayUse(actor) ?? userPersona?.View?.MayUse(user)) is not true)
        {
            return new Gathered(Refusal.NotFound(isPersonality ? "personality" : "user_persona"));
        }

        Replica<PersonaView>? Persona(Guid id) => reading.Take(PromptReplicas.Persona, new ReplicaKey(ReplicaKind.Persona, new OwnedKey(tenant, user, id)));
        var chosen = isPersonality ? me.OverrideFor(request.SpeakerId) : null;
        var mine = chosen?.PersonaId is { } named ? Persona(named) : null;
        // A default that an override covers shows only where every tier is explained.
        var usual = mine?.View is null || request.Explain ? Persona(me.DefaultPersonaId) : null;
        var house = reading.Take(PromptReplicas.Tenant, new ReplicaKey(ReplicaKind.Tenant, new TenantKey(tenant)))?.View;
        var channel = request.Channel is { } where ? Channel(reading, new ChannelKey(tenant, where), user) : null;
        var catalogue = Catalogue(reading, new TenantKey(tenant));
        var mode = request.FocusMode is { } asked ? catalogue?.ActiveMode(asked) ?? Catalogue(reading, TenantKey.System)?.ActiveMode(asked) : null;
        if (request.FocusMode is { } unknown && mode is null)
        {
            return new Gathered(new Refusal(RefusalKind.NotFound, "focus_mode_not_found", $"There is no active focus mode '{Text.Shorten(unknown)}'.", "focusMode"));
        }

        var (mapper, unmapped) = MindscapeReplicas.ActiveMapper(reading, tenant, request.Mapper);
        if (unmapped is not null)
        {
            return new Gathered(unmapped);
        }

        var speaking = mine?.View is null ? usual : mine;
        if (speaking?.View is null || catalogue is null)
        {
            return default;
        }

        var material = new PromptMaterial
        {
            Me = me,
            DefaultPersona = usual?.View,
            OverridePersona = mine?.View,
            Override = chosen,
            Personality = personality?.View,
            UserPersona = userPersona?.View,
            Catalogue = catalogue,
            FocusMode = mode,
            TenantSettings = house?.Settings ?? SettingsTier.Empty,
            ChannelSettings = channel?.Side.Settings ?? SettingsTier.Empty,
        };
        var prepared = personality?.Made(static _ => new Prepared()) ?? userPersona!.Made(static _ => new Prepared());
        var prompt = ResolvedPrompt.Of(material, prepared, speaking.Made(static persona => new PersonaText(persona)));
        if (mapper is not null && prompt.Terms.ShowsMindscape && MindscapeReplicas.Known(reading, new TenantScopedKey(tenant, user)) is { } mindscape)
        {
            material = material with { Mindscape = mindscape.By(mapper) };
        }

        if (prompt.Speaker.SpeaksOfUser && prompt.Terms.ShowsFocus && FocusReplicas.Begun(reading, tenant, user) is { } session)
        {
            material = material with { Session = session };
        }

        // What the terms let in belongs to it too.
        if (!ReferenceEquals(material, prompt.Material))
        {
            prompt = ResolvedPrompt.Of(material, prepared, prompt.Persona);
        }

        return new Gathered(null, prompt, prepared, channel is null ? null : new PromptConversation(channel, house?.ConversationRetentionDays ?? 0));
    }

    /// <summary>One that the user isn't in is as one that isn't there: nothing was said in it, and it sets nothing.</summary>
    private static PreparedChannel? Channel(Reading reading, ChannelKey key, Guid user) =>
        reading.Take(ChannelReplicas.Channel, new ReplicaKey(ReplicaKind.Channel, key)) is { View: not null } found
        && found.Made(PreparedChannel.Of) is { } channel && channel.Has(user) ? channel : null;

    private static CatalogueState? Catalogue(Reading reading, TenantKey tenant) =>
        reading.Take(PromptReplicas.Catalogue, new ReplicaKey(ReplicaKind.Catalogue, tenant))?.Made(CatalogueState.Of);

    private PromptAnswer Answer(
        Gathered found, PromptRequest request, PromptOccasion? occasion, string? knownVersions, IReadOnlyList<UserMemoryView> recalled,
        IReadOnlyDictionary<NarrativeCheck, IReadOnlyList<NearNarrative>>? near)
    {
        var prompt = occasion?.Variables is { Count: > 0 } variables
            ? ResolvedPrompt.Of(found.Prompt!.Material with { Variables = variables }, found.Prepared, found.Prompt.Persona)
            : found.Prompt!;
        var now = time.GetUtcNow();
        var (zone, overlay) = (prompt.Material.Me.User.TimeZone, prompt.Overlay);
        var state = PromptText.State(now, zone, FocusNow.Of(prompt.Material.Session, now), prompt.NeedsTime, overlay?.At(now, RhythmRules.Zone(zone), near));
        var room = found.Conversation is null && recalled.Count == 0 ? null : PromptConversation.Room(prompt, occasion?.Message);
        var window = found.Conversation?.Window(prompt, now, occasion?.Message, room) ?? ArraySegment<Said>.Empty;
        if (recalled.Count > 0 && MemoryRecall.Chosen(recalled, window, room) is { Count: > 0 } chosen)
        {
            state = string.Join("\n\n", ((string?[])[state, MemoryRecall.Section(chosen)]).OfType<string>());
            window = found.Conversation?.Window(prompt, now, occasion?.Message, room - chosen.Sum(memory => memory.Tokens)) ?? ArraySegment<Said>.Empty;
        }

        // Its version tells an answer from every other one, if nothing of this moment is in it. It says nothing of the tiers that didn't win; an explanation does.
        var isRepeatable = state is null && window.Count == 0 && occasion is null && !request.Explain;
        return isRepeatable && knownVersions is not null && prompt.IsAmong(knownVersions)
            ? new PromptAnswer(null, prompt.Version, isRepeatable)
            : new PromptAnswer(
                PromptBody.Compose(
                    prompt, request.Format, request.Explain, state, window.Count == 0 ? [] : PromptConversation.ToMessages(window, prompt.Material.Me.User.Id, request.Format), occasion?.Message,
                    request.Explain ? overlay?.Explain(now, RhythmRules.Zone(zone), near) : null),
                prompt.Version, isRepeatable);
    }

    private readonly record struct Gathered(Refusal? Refusal, ResolvedPrompt? Prompt = null, Prepared? Prepared = null, PromptConversation? Conversation = null);
}
