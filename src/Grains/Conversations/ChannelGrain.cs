using Npgsql;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Grains.Events;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Replicas;
using PersonaActors.Grains.Texts;
using PersonaActors.Storage;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>
/// One channel: what is said there has one order, which is that of its commits. Reads interleave: they see the last committed
/// state, whole, because it is one reference.
/// </summary>
public sealed partial class ChannelGrain(
    Database database, ChannelStore store, MessageStore messages, Replicas.Replicas replicas, Owners owners,
    EventFeed feed, Clock time) : Grain, IChannelGrain
{
    private static readonly Refusal NotFound = Refusal.NotFound("channel");

    private ChannelKey _key;
    private string _stream = "";
    private Owner _owner = null!;
    private ChannelState? _state;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = ChannelKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.Channel(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Channel, _key), _stream, () => _state?.Seq ?? 0, DeactivateOnIdle);
        await Load();
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<ChannelSide>> Grant(SiloAddress holder) => _owner.Grant(holder, () => _state?.Side);

    public Task<Read<ChannelView>?> Get(Actor actor) => Task.FromResult(
        _state is { } channel && channel.Admits(actor) ? new Read<ChannelView>(channel.View, database.Epoch, channel.Seq) : null);

    public async Task<Outcome<MessageView>> Append(Command command, NewMessage message)
    {
        if (_state?.Admits(command.Actor) is not true && command.Actor.Kind == ActorKind.User)
        {
            // Who acts for others brings whom it acts for into the channel; with a key of one's own one is brought.
            return NotFound;
        }

        if (MessageRules.Check(message, command.Actor) is { } invalid)
        {
            return invalid;
        }

        if (message.ClientId is { } known && _state?.Window.Find(known) is { } first)
        {
            return await Repeated(command, first);
        }

        var (persona, refusal) = await Speaker(command.Actor, message);
        if (refusal is not null)
        {
            return refusal;
        }

        var now = Now();
        var before = _state ?? ChannelState.New(_key.Id, now);
        var next = before.Next();
        var said = new MessageView(
            before.View.LastNumber + 1, message.ClientId ?? Guid.CreateVersion7(now).ToString(), message.Role, message.Content, TokenCount.Of(message.Content),
            message.PersonalityId, command.Actor.User, persona?.Id, persona?.Called(), message.ReplyTo, now, null);
        var joins = command.Actor.User is { } user && !before.Members.ContainsKey(user) ? new ChannelMember(user, now) : null;
        if (joins is not null)
        {
            if (before.Members.Count >= MessageRules.MaxMembers)
            {
                return Full;
            }

            next = Join(next, joins);
        }

        // What is past retention leaves memory too, whatever retention will be.
        var since = await Retained();
        var window = next.Window.Messages is [var oldest, ..] && oldest.CreatedAt < since ? next.Window.Without(message => message.CreatedAt < since) : next.Window;
        next = next with { View = next.View with { LastNumber = said.Number }, Window = window.With(said) };
        var batch = Begin(next);
        if (joins is not null)
        {
            ChannelStore.AddMember(batch, _key, joins);
            batch.Append(_stream, null, ChannelEvents.MemberAdded, now, (next with { View = next.View with { LastNumber = before.View.LastNumber } }).Told(before, "member", joins));
        }

        MessageStore.Insert(batch, _key, said);
        batch.Append(_stream, null, ChannelEvents.Appended, now, before.RowVersion == 0 && joins is null
            ? next.Told(before, "message", said)
            : JsonText.From(new { message = said, changes = new { lastNumber = said.Number } }));
        var outcome = Outcome<MessageView>.Created(said);
        batch.Answer(command, said.UserId, outcome, now);
        try
        {
            return outcome.After(await Commit(batch, next));
        }
        catch (PostgresException e) when (e.IsUnique(MessageStore.ClientIdKey))
        {
            // It was said before the live window began.
            return await messages.Find(_key, said.ClientId) is not { IsShown: true } earlier
                ? new Refusal(RefusalKind.Gone, "message_deleted", "The message with this client id was deleted.", "clientId")
                : await Repeated(command, earlier.Message);
        }
        catch (PostgresException e) when (e.IsForeignKey())
        {
            return Refusal.NotFound("user");
        }
    }

    public Task<Outcome<Nothing>> Typing(Actor actor, Guid? personality)
    {
        if (_state?.Admits(actor) is not true)
        {
            return Task.FromResult<Outcome<Nothing>>(NotFound);
        }

        feed.Announce(_key.Tenant, [new StreamEvent(
            _stream, database.Epoch, 0, Guid.CreateVersion7(Now()), ChannelEvents.Typing, Now(), JsonText.From(new { userId = actor.User, personalityId = personality, changes = new { } }))]);
        return Task.FromResult(Outcome<Nothing>.Deleted());
    }

    private Task<Outcome<MessageView>> Repeated(Command command, MessageView first) => _owner.Unchanged(
        Begin(), command, first.UserId, Outcome<MessageView>.Done(first).Since(database.Epoch, _state!.Seq), Now());

    /// <summary>The persona that speaks: the one that is named, or the one that the prompt would take. An answer is spoken by none.</summary>
    private async ValueTask<(PersonaView? Persona, Refusal? Refusal)> Speaker(Actor actor, NewMessage message)
    {
        if (message.PersonalityId is { } id
            && (await replicas.Read(PromptReplicas.Personality, new ReplicaKey(ReplicaKind.Personality, new TenantScopedKey(_key.Tenant, id))) is not { } personality
                || (actor.User is not null && !personality.MayUse(actor))))
        {
            return (null, Refusal.NotFound("personality"));
        }

        if (message.Role != MessageRole.User || actor.User is not { } user)
        {
            return message.PersonaId is null ? default : (null, Refusal.Invalid("persona", "A persona speaks in the role 'user' only."));
        }

        if (await replicas.Read(PromptReplicas.User, new ReplicaKey(ReplicaKind.User, new TenantScopedKey(_key.Tenant, user))) is not { } me)
        {
            return (null, Refusal.NotFound("user"));
        }

        var chosen = message.PersonaId ?? (message.PersonalityId is { } with ? me.OverrideFor(with)?.PersonaId : null);
        return (chosen is { } named ? await Persona(user, named) : null) is { } own ? (own, null)
            : message.PersonaId is not null ? (null, Refusal.NotFound("persona"))
            : (await Persona(user, me.DefaultPersonaId), null);
    }

    private ValueTask<PersonaView?> Persona(Guid user, Guid id) => replicas.Read(PromptReplicas.Persona, new ReplicaKey(ReplicaKind.Persona, new OwnedKey(_key.Tenant, user, id)));

    /// <summary>The channel isn't there for who asks.</summary>
    private Refusal? Closed(Command command) => _state?.Admits(command.Actor) is true ? null : NotFound;

    /// <summary>As <see cref="Closed"/>; but who stands for anybody makes a channel by setting it up.</summary>
    private Refusal? MayNotMake(Command command) => _state is null && command.Actor.User is null ? null : Closed(command);

    /// <summary>What was said before isn't kept any more.</summary>
    private async ValueTask<DateTimeOffset> Retained() =>
        await replicas.Read(PromptReplicas.Tenant, new ReplicaKey(ReplicaKind.Tenant, new TenantKey(_key.Tenant))) is { } tenant
            ? time.GetUtcNow().AddDays(-tenant.ConversationRetentionDays)
            : DateTimeOffset.MinValue;

    private async Task Load() => _state = await store.Load(_key, _owner.Epoch, LiveWindow.Most) is { } row ? ChannelState.From(row) : null;

    private Task<IReadOnlyList<StreamEvent>> Commit(ScopedBatch batch, ChannelState next) => _owner.Commit(batch, events => _state = next with { Seq = events[^1].Seq });

    /// <summary>The channel's rows belong to all who are in it.</summary>
    private ScopedBatch Begin() => database.Begin(RowScope.OfTenant(_key.Tenant), _owner.Epoch);

    /// <summary>What the channel is to be: every change goes through its row, whatever else it writes.</summary>
    private ScopedBatch Begin(ChannelState next)
    {
        var batch = Begin();
        ChannelStore.Save(batch, _key, next.View, next.RowVersion);
        return batch;
    }

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
