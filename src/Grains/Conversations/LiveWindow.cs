using PersonaActors.Contracts.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>
/// The newest messages of a channel, oldest first: all with a number above <see cref="From"/>. What becomes too much leaves in
/// steps, at fixed numbers, so that what begins with the window's oldest message doesn't begin anew with every message.
/// </summary>
public sealed record LiveWindow(long From, Items<MessageView> Messages)
{
    public const int Most = 256;
    public const int Step = 64;
    public const int MaxCharacters = 512 * 1024;

    public static readonly LiveWindow Empty = new(0, []);

    /// <summary>Nothing was said before it.</summary>
    public bool IsWhole => From == 0;

    /// <param name="newest">Those that are to be seen of the <see cref="Most"/> newest, oldest first.</param>
    public static LiveWindow Of(IReadOnlyList<MessageView> newest, long lastNumber) => Cut(0, newest, lastNumber);

    public LiveWindow With(MessageView message) => Cut(From, [.. Messages, message], message.Number);

    public LiveWindow Replace(MessageView message) => this with { Messages = Messages.Select(known => known.Number == message.Number ? message : known).ToItems() };

    public LiveWindow Without(Func<MessageView, bool> goes) => this with { Messages = Messages.Where(message => !goes(message)).ToItems() };

    public MessageView? Find(string clientId)
    {
        for (var i = Messages.Count - 1; i >= 0; i--)
        {
            if (Messages[i].ClientId == clientId)
            {
                return Messages[i];
            }
        }

        return null;
    }

    private static LiveWindow Cut(long from, IReadOnlyList<MessageView> messages, long lastNumber)
    {
        from = Math.Max(from, lastNumber <= Most ? 0 : (lastNumber - Most + Step - 1) / Step * Step);
        long characters = 0;
        foreach (var message in messages)
        {
            characters += message.Number > from ? message.Content.Length : 0;
        }

        var first = 0;
        while (first < messages.Count && (messages[first].Number <= from || (characters > MaxCharacters && from + Step < lastNumber)))
        {
            if (messages[first].Number > from)
            {
                from = (messages[first].Number + Step - 1) / Step * Step;
            }

            for (; first < messages.Count && messages[first].Number <= from; first++)
            {
                characters -= messages[first].Content.Length;
            }
        }

        return new LiveWindow(from, first == 0 ? messages as Items<MessageView> ?? messages.ToItems() : messages.Skip(first).ToItems());
    }
}
