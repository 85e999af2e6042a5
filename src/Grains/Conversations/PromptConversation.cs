using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Settings;
using PersonaActors.Grains.Texts;

namespace PersonaActors.Grains.Conversations;

/// <summary>The conversation that a prompt goes on with: a channel that the prompt's user is in, and how long the tenant keeps what was said.</summary>
public sealed record PromptConversation(PreparedChannel Channel, int RetentionDays)
{
    /// <summary>What is left for the answer where its length isn't limited: a quarter.</summary>
    private const int ReservedShare = 4;

    /// <summary>The messages that the prompt carries, oldest first. The one that is being answered isn't said twice.</summary>
    /// <param name="room">Tokens that there are for them; none where nobody limits them.</param>
    public ArraySegment<Said> Window(ResolvedPrompt prompt, DateTimeOffset now, string? message, int? room)
    {
        if (prompt.Terms.Settings[SettingField.MaxMessages] is not int most)
        {
            return ArraySegment<Said>.Empty;
        }

        var since = now.AddDays(-RetentionDays);
        if (prompt.Terms.Settings[SettingField.MaxAge] is int seconds && now.AddSeconds(-seconds) is var tooOld && tooOld > since)
        {
            since = tooOld;
        }

        var newest = Channel.Of(prompt.Material.Personality?.Id);
        if (message is not null && newest.Count > 0 && newest[^1].Message is { Role: MessageRole.User } last && last.UserId == prompt.Material.Me.User.Id && last.Content == message)
        {
            newest = newest[..^1];
        }

        return PromptWindow.Of(newest, most, since, room);
    }

    /// <summary>Tokens that the model has for what was said and is recalled, beside the front, the message and the answer.</summary>
    public static int? Room(ResolvedPrompt prompt, string? message) => prompt.Terms.Llm[LlmField.ContextWindowTokens] is int all
        ? Math.Max(0, all - (prompt.Terms.Llm[LlmField.MaxTokens] as int? ?? all / ReservedShare) - prompt.Speaker.Tokens - (prompt.Overlay?.Tokens ?? 0)
            - (prompt.Speaker.SpeaksOfUser ? prompt.Persona.Tokens : 0) - (message is null ? 0 : TokenCount.Of(message)))
        : null;

    /// <summary>As a format takes them. Anthropic's begins with a user's message.</summary>
    public static List<PromptMessage> ToMessages(ArraySegment<Said> window, Guid user, PromptFormat format)
    {
        var messages = new List<PromptMessage>(window.Count);
        foreach (var said in window)
        {
            if (format != PromptFormat.Anthropic || messages.Count > 0 || said.Message.Role != MessageRole.Assistant)
            {
                messages.Add(said.As(user, format));
            }
        }

        return messages;
    }
}
