using Npgsql;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Grains.Outbox;
using PersonaActors.Grains.Texts;
using PersonaActors.Storage;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>What becomes of what was said.</summary>
public sealed partial class ChannelGrain
{
    private static readonly Refusal NoMessage = Refusal.NotFound("message");

    /// <summary>For so long what was cleared can be restored, unless retention takes it before.</summary>
    public static readonly TimeSpan Restorable = TimeSpan.FromDays(30);

    public async Task<Outcome<MessageView>> Edit(Command command, string clientId, string content)
    {
        var (known, refusal) = await Theirs(command, clientId);
        refusal ??= MessageRules.CheckContent(content);
        if (refusal is not null)
        {
            return refusal;
        }

        if (content == known!.Content)
        {
            return await Repeated(command, known);
        }

        var now = Now();
        var edited = known with { Content = content, Tokens = TokenCount.Of(content), EditedAt = now };
        var next = _state!.Next();
        next = next with { Window = next.Window.Replace(edited) };
        var outcome = Outcome<MessageView>.Done(edited);
        var batch = Begin(next);
        MessageStore.Edit(batch, _key, edited);
        batch.Append(_stream, null, ChannelEvents.Edited, now, JsonText.From(new { message = edited, changes = new { } }));
        batch.Answer(command, known.UserId, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    public async Task<Outcome<Nothing>> DeleteMessage(Command command, string clientId)
    {
        var (known, refusal) = await Theirs(command, clientId);
        if (refusal is not null)
        {
            return refusal;
        }

        var now = Now();
        var next = _state!.Next();
        next = next with { Window = next.Window.Without(message => message.Number == known!.Number) };
        var outcome = Outcome<Nothing>.Deleted();
        var batch = Begin(next);
        MessageStore.Delete(batch, _key, known!.Number, now);
        batch.Append(_stream, null, ChannelEvents.Deleted, now, JsonText.From(new { message = new { known.Number, known.ClientId }, changes = new { } }));
        batch.Answer(command, known.UserId, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    public async Task<Outcome<ClearView>> Clear(Command command, HistoryPart part, bool isFinal)
    {
        if ((Closed(command) ?? OthersPart(command, part)) is { } refusal)
        {
            return refusal;
        }

        var now = Now();
        var next = _state!.Next();
        next = next with { Window = next.Window.Without(part.Has) };
        var clear = new ClearView(Guid.CreateVersion7(now), part.UserId, part.PersonalityId, next.View.LastNumber, now, isFinal);
        var outcome = Outcome<ClearView>.Done(clear);
        var batch = Begin(next);
        // There is one undo: what the same part lost before is lost.
        MessageStore.MakeFinal(batch, _key, part);
        MessageStore.Clear(batch, _key, clear);
        batch.Append(_stream, null, ChannelEvents.Cleared, now, JsonText.From(new { cleared = clear, changes = new { } }));
        if (isFinal)
        {
            batch.Task(EraseCleared.Kind, JsonText.From(new EraseCleared.Payload(_key.Id, clear.Id, now)), now);
        }

        batch.Answer(command, part.UserId, outcome, now);
        try
        {
            return outcome.After(await Commit(batch, next));
        }
        catch (PostgresException e) when (e.IsForeignKey())
        {
            return Refusal.NotFound("user");
        }
    }

    public async Task<Outcome<ClearView>> Restore(Command command, HistoryPart part)
    {
        if ((Closed(command) ?? OthersPart(command, part)) is { } refusal)
        {
            return refusal;
        }

        var now = Now();
        if (await messages.FindClear(_key, part, now - Restorable) is not { } clear)
        {
            return new Refusal(RefusalKind.NotFound, "clear_not_found", "Nothing of this was cleared that could be restored.");
        }

        var next = _state!.Next();
        next = next with { Window = LiveWindow.Of(await messages.NewestWithout(clear.Id, _key, next.View.LastNumber, LiveWindow.Most), next.View.LastNumber) };
        var outcome = Outcome<ClearView>.Done(clear);
        var batch = Begin(next);
        MessageStore.Restore(batch, _key, clear.Id);
        batch.Append(_stream, null, ChannelEvents.Restored, now, JsonText.From(new { restored = clear, changes = new { } }));
        batch.Answer(command, part.UserId, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    /// <summary>A message that the command may change: of the user whom it acts for, or anybody's.</summary>
    private async ValueTask<(MessageView? Message, Refusal? Refusal)> Theirs(Command command, string clientId)
    {
        if ((Closed(command) ?? MessageRules.CheckClientId("clientId", clientId)) is { } closed)
        {
            return (null, closed);
        }

        var message = _state!.Window.Find(clientId) ?? (await messages.Find(_key, clientId) is { IsShown: true } earlier && earlier.Message.CreatedAt >= await Retained() ? earlier.Message : null);
        return message is null ? (null, NoMessage)
            : command.Actor.User is { } user && message.UserId != user ? (null, Refusal.Forbidden("owner_only", "Only whose message it is changes or deletes it."))
            : command.Actor.Kind == ActorKind.User && message.Role != MessageRole.User ? (null, Refusal.Forbidden("role_required", "A user's own key changes what the user said."))
            : (message, null);
    }

    private static Refusal? OthersPart(Command command, HistoryPart part) =>
        command.Actor.User is { } user && part.UserId != user ? Refusal.Forbidden("owner_only", "Who acts for a user clears that user's part of the history.") : null;
}
