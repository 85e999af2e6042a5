using PersonaActors.Contracts.Users;

namespace PersonaActors.Grains.Users;

/// <summary>What a user may look like. Pure; each violation names its field.</summary>
public static class UserRules
{
    public const int MaxUsername = 255;
    public const int MaxIdentities = 20;

    public static Refusal? Check(UserRegistration registration) =>
        CheckUsername(registration.Username)
        ?? Text.CheckOptional("displayName", registration.DisplayName, 255)
        ?? Text.CheckOptional("bio", registration.Bio, 4000)
        ?? CheckIdentities(registration.Identities);

    public static Refusal? Check(UserChange change) =>
        (change.Username.IsSet ? CheckUsername(change.Username.Value) : null)
        ?? (change.TimeZone is { IsSet: true, Value: { } zone } && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _)
            ? Refusal.Invalid("timeZone", $"'{Text.Shorten(zone)}' is no IANA time zone.")
            : null);

    public static Refusal? CheckUsername(string? username) => Text.CheckRequired("username", username, MaxUsername);

    public static Refusal? CheckIdentities(IReadOnlyList<UserIdentity> identities)
    {
        if (identities.Count > MaxIdentities)
        {
            return Refusal.Invalid("identities", $"A user has at most {MaxIdentities} identities; {identities.Count} were given.");
        }

        for (var i = 0; i < identities.Count; i++)
        {
            // JSON's null gets past the type.
            if ((identities[i] is null ? Refusal.Invalid($"identities[{i}]", "An identity has a provider and a subject.") : CheckIdentity(identities[i], $"identities[{i}]")) is { } refusal)
            {
                return refusal;
            }
        }

        return identities.Distinct().Count() == identities.Count ? null : Refusal.Invalid("identities", "An identity is named twice.");
    }

    public static Refusal? CheckIdentity(UserIdentity identity, string field)
    {
        if (identity.Provider is not { Length: >= 1 and <= 50 } provider || !provider.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_'))
        {
            return Refusal.Invalid($"{field}.provider", "A provider is 1–50 lower-case letters, digits, '-' or '_'.");
        }

        if (Text.CheckRequired($"{field}.subject", identity.Subject, 255) is { } refusal)
        {
            return refusal;
        }

        return provider == "discord" && (identity.Subject.Length is < 17 or > 20 || !identity.Subject.All(char.IsAsciiDigit))
            ? Refusal.Invalid($"{field}.subject", "A Discord id is 17–20 digits.")
            : null;
    }

    /// <summary>A name that stands in until the real one is known.</summary>
    public static string PlaceholderName(Guid id) => $"User {id}";

    public static bool IsPlaceholderFor(string username, Guid id, IEnumerable<UserIdentity> identities) =>
        username == PlaceholderName(id) || identities.Any(identity => username == $"User {identity.Subject}");

    /// <summary>A persona may not be named like a Discord id, so a user that is gets a readable one.</summary>
    public static string DefaultPersonaName(string username) =>
        username.Length is >= 17 and <= 20 && username.All(char.IsAsciiDigit) ? $"User {username}" : username;
}
