using PersonaActors.Contracts.Tenants;
using PersonaActors.Grains.Settings;

namespace PersonaActors.Grains.Tenants;

public static class TenantRules
{
    public static Refusal? Check(TenantDraft draft)
    {
        if (draft.Name is not { Length: >= 2 and <= 50 } name || !char.IsAsciiLetterLower(name[0])
            || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            return Refusal.Invalid("name", "A tenant's name is 2–50 lower-case letters, digits and '-', and begins with a letter.");
        }

        return name == "system" ? Refusal.Invalid("name", "'system' is reserved.") : Text.CheckRequired("displayName", draft.DisplayName, 255);
    }

    public static Refusal? Check(TenantChange change) =>
        (change.DisplayName.IsSet ? Text.CheckRequired("displayName", change.DisplayName.Value, 255) : null)
        ?? (change.EventRetentionDays is { IsSet: true, Value: < 1 or > 365 }
            ? Refusal.Invalid("eventRetentionDays", "Events are kept between 1 and 365 days.")
            : null);

    public static Refusal? CheckSettings(TenantView next) =>
        SettingsRules.Check(next.Settings) ?? Text.CheckRange("conversationRetentionDays", next.ConversationRetentionDays, 1, 3650);

    public static Refusal? CheckKeyName(string? name) => Text.CheckRequired("name", name, 100) is { } refusal ? refusal
        : name!.Any(char.IsControl) ? Refusal.Invalid("name", "'name' has control characters: a key's name is one line of text, shown in lists and terminals.")
        : null;

    public static Refusal? Check(NewApiKey key)
    {
        if (CheckKeyName(key.Name) is { } refusal)
        {
            return refusal;
        }

        if (key is { Kind: ApiKeyKind.User, MayDelegate: true })
        {
            return Refusal.Invalid("mayDelegate", "A user key acts as its user alone.");
        }

        return (key.Kind == ApiKeyKind.User, key.UserId) switch
        {
            (true, null) => Refusal.Invalid("user", "A user key names its user."),
            (false, not null) => Refusal.Invalid("user", "Only a user key names a user."),
            _ => null,
        };
    }
}
