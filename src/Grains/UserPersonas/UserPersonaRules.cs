using System.Text.Json;
using PersonaActors.Contracts.UserPersonas;

namespace PersonaActors.Grains.UserPersonas;

/// <summary>What a user persona may look like.</summary>
public static class UserPersonaRules
{
    public const int MaxName = 100;
    public const int MaxDisplayName = 200;
    public const int MaxAvatarUrl = 500;
    public const int MaxVoiceId = 100;
    public const int MaxSystemPrompt = 64 * 1024;
    public const int MaxEntries = 50;
    public const int MaxEntry = 200;
    public const int MaxStyle = 16 * 1024;

    public const int MaxChannel = 200;

    private const string CopySuffix = " (Copy)";

    public static Refusal? Check(UserPersonaView next, UserPersonaView? known = null) =>
        (next.Name == known?.Name ? null : Text.CheckRequired("name", next.Name, MaxName))
        ?? (next.DisplayName is null || next.DisplayName == known?.DisplayName ? null : Text.CheckRequired("displayName", next.DisplayName, MaxDisplayName))
        ?? Text.CheckUrl("avatarUrl", next.AvatarUrl, known?.AvatarUrl, MaxAvatarUrl)
        ?? (next.SystemPrompt == known?.SystemPrompt ? null : Text.CheckRequired("systemPrompt", next.SystemPrompt, MaxSystemPrompt))
        ?? Text.CheckChanged("voiceId", next.VoiceId, known?.VoiceId, MaxVoiceId)
        ?? CheckEntries("traits", next.Traits, known?.Traits)
        ?? CheckEntries("domains", next.Domains, known?.Domains)
        ?? Text.CheckJson("style", next.Style, known?.Style, JsonValueKind.Object, MaxStyle);

    public static Refusal? Check(UserPersonaUse use) =>
        (use.Channel is null ? null : Text.CheckRequired("channel", use.Channel, MaxChannel))
        ?? Text.CheckAtLeast("tokens", use.Tokens, 0);

    /// <summary>A private copy: the same assistant under a name that says so, used by nobody yet.</summary>
    public static UserPersonaView Copy(UserPersonaView original, Guid id, Guid owner, DateTimeOffset at) => original with
    {
        Id = id,
        OwnerId = owner,
        Name = CopyName(original.Name),
        DisplayName = original.DisplayName is { } displayName ? CopyName(displayName, MaxDisplayName) : null,
        IsPublic = false,
        UsageCount = 0,
        Version = 1,
        CreatedAt = at,
        UpdatedAt = at,
    };

    /// <summary>The name of a private copy; it fits, however long the original's is.</summary>
    public static string CopyName(string name, int max = MaxName)
    {
        var room = max - CopySuffix.Length;
        if (name.Length > room)
        {
            // Never half a character.
            name = name[..(char.IsHighSurrogate(name[room - 1]) ? room - 1 : room)];
        }

        return name + CopySuffix;
    }

    private static Refusal? CheckEntries(string field, IReadOnlyList<string> entries, IReadOnlyList<string>? known)
    {
        if (ReferenceEquals(entries, known))
        {
            return null;
        }

        if (entries.Count > MaxEntries)
        {
            return Refusal.Invalid(field, $"'{field}' has {entries.Count} entries; at most {MaxEntries} are allowed.");
        }

        for (var i = 0; i < entries.Count; i++)
        {
            if (Text.CheckRequired($"{field}[{i}]", entries[i], MaxEntry) is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }
}
