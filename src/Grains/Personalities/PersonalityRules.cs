using System.Collections.Frozen;
using System.Text.Json;
using System.Text.RegularExpressions;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Grains.Settings;

namespace PersonaActors.Grains.Personalities;

/// <summary>What a personality may look like. Pure; each violation names its field. Only what differs from the known one is checked: what was imported longer is kept.</summary>
public static partial class PersonalityRules
{
    /// <summary>The code of a refusal.</summary>
    public const string SlugTaken = "slug_taken";

    public const int MaxName = 255;
    public const int MaxText = 4000;
    public const int MaxLongText = 64 * 1024;
    public const int MaxErrorMessage = 1000;
    public const int MaxTags = 10;
    public const int MaxAlias = 100;
    public const int MaxAliases = 50;
    public const int MaxAvatarUrl = 2000;
    public const int MaxJson = 64 * 1024;
    public const int MaxImported = 256 * 1024;

    /// <summary>Words that mean something in addresses, or that a reader would take for the system.</summary>
    public static readonly FrozenSet<string> ReservedSlugs = FrozenSet.ToFrozenSet(
    [
        "admin", "administrator", "all", "anonymous", "api", "assistant", "auth", "batch", "chat", "console", "default", "docs", "events", "health",
        "help", "hub", "hubs", "import", "imports", "login", "logout", "mcp", "me", "metrics", "mine", "models", "moderator", "new", "none",
        "null", "openapi", "operator", "owner", "personalities", "personality", "prompt", "prompts", "public", "root", "search", "self",
        "settings", "static", "status", "support", "system", "tenant", "undefined", "user", "users", "webhook", "webhooks",
    ]);

    public static Refusal? Check(PersonalityView next, PersonalityView? known = null) =>
        (next.Name == known?.Name ? null : Text.CheckRequired("name", next.Name, MaxName))
        ?? (next.Slug == known?.Slug ? null : CheckSlug(next.Slug))
        ?? (next.DisplayName == known?.DisplayName ? null : Text.CheckRequired("displayName", next.DisplayName, MaxName))
        ?? Text.CheckUrl("avatarUrl", next.AvatarUrl, known?.AvatarUrl, MaxAvatarUrl)
        ?? CheckPresent("characterInfo", next.CharacterInfo)
        ?? CheckLong("characterInfo", next.CharacterInfo, known?.CharacterInfo)
        ?? CheckPresent("personalityTraits", next.PersonalityTraits)
        ?? Text.CheckChanged("personalityTraits", next.PersonalityTraits, known?.PersonalityTraits, MaxText)
        ?? Text.CheckChanged("tone", next.Tone, known?.Tone, MaxText)
        ?? Text.CheckChanged("age", next.Age, known?.Age, MaxText)
        ?? Text.CheckChanged("appearance", next.Appearance, known?.Appearance, MaxText)
        ?? Text.CheckChanged("likes", next.Likes, known?.Likes, MaxText)
        ?? Text.CheckChanged("dislikes", next.Dislikes, known?.Dislikes, MaxText)
        ?? Text.CheckChanged("conversationalGoals", next.ConversationalGoals, known?.ConversationalGoals, MaxText)
        ?? CheckLong("conversationalExamples", next.ConversationalExamples, known?.ConversationalExamples)
        ?? Text.CheckChanged("errorMessage", next.ErrorMessage, known?.ErrorMessage, MaxErrorMessage)
        ?? Text.CheckJson("customFields", next.CustomFields, known?.CustomFields, JsonValueKind.Object, MaxJson)
        ?? (ReferenceEquals(next.Tags, known?.Tags) ? null : CheckTags(next.Tags))
        ?? (ReferenceEquals(next.Aliases, known?.Aliases) ? null : CheckAliases(next.Aliases))
        ?? Text.CheckJson("voiceSettings", next.VoiceSettings, known?.VoiceSettings, JsonValueKind.Object, MaxJson)
        ?? Text.CheckJson("imageSettings", next.ImageSettings, known?.ImageSettings, JsonValueKind.Object, MaxJson)
        ?? Text.CheckRange("contextWindowSize", next.ContextWindowSize, 1, 100)
        ?? SettingsRules.Check(next.Settings);

    /// <summary>What a draft makes where nothing was.</summary>
    public static PersonalityView New(PersonalityDraft draft, Guid id, Items<PersonalityOwner> owners, DateTimeOffset now) =>
        draft.ToView(id, SlugFrom(draft.Name), SettingField.PersonalityWindow, owners, now);

    /// <summary>What was written elsewhere, under other limits, is taken as long as it is; only not without any.</summary>
    public static Refusal? CheckImported(PersonalityView next)
    {
        foreach (var (field, text) in (ReadOnlySpan<(string, string?)>)
        [
            ("characterInfo", next.CharacterInfo), ("personalityTraits", next.PersonalityTraits), ("tone", next.Tone), ("age", next.Age), ("appearance", next.Appearance),
            ("likes", next.Likes), ("dislikes", next.Dislikes), ("conversationalGoals", next.ConversationalGoals), ("conversationalExamples", next.ConversationalExamples),
            ("errorMessage", next.ErrorMessage),
        ])
        {
            if (Text.CheckOptional(field, text, MaxImported) is { } refusal)
            {
                return refusal;
            }
        }

        return Text.CheckJson("customFields", next.CustomFields, null, JsonValueKind.Object, MaxImported)
            // The rest is as everywhere: of these nothing is new.
            ?? Check(next, next with { Name = "", Slug = "", DisplayName = "", AvatarUrl = null, Tags = [.. next.Tags] });
    }

    public static Refusal? CheckSlug(string? slug)
    {
        if (slug is null || !Slug().IsMatch(slug))
        {
            return Refusal.Invalid("slug", $"'{Text.Shorten(slug ?? "")}' is no slug: a lower-case letter, then 2–49 of a–z, 0–9 and '-'.");
        }

        if (Guid.TryParse(slug, out _))
        {
            return Refusal.Invalid("slug", $"'{slug}' would be read as an id; choose another slug.");
        }

        return ReservedSlugs.Contains(slug) ? Refusal.Invalid("slug", $"'{slug}' is a reserved word; choose another slug.") : null;
    }

    /// <summary>A slug for who names none: the name's letters and digits. What makes no slug is refused as one.</summary>
    public static string SlugFrom(string? name)
    {
        var words = (name ?? "").ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(word => string.Concat(word.Where(c => char.IsAsciiLetterOrDigit(c) || c == '-')).Trim('-'))
            .Where(word => word.Length > 0);
        var slug = string.Join('-', words).TrimStart('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-');
        return slug.Length <= 50 ? slug : slug[..50].TrimEnd('-');
    }

    public static Refusal? CheckTags(IReadOnlyList<string> tags)
    {
        if (tags.Count > MaxTags)
        {
            return Refusal.Invalid("tags", $"A personality has at most {MaxTags} tags; {tags.Count} were given.");
        }

        for (var i = 0; i < tags.Count; i++)
        {
            if (tags[i] is not { } tag || !Tag().IsMatch(tag))
            {
                return Refusal.Invalid($"tags[{i}]", $"'{Text.Shorten(tags[i] ?? "")}' is no tag: 2–32 of a–z, 0–9 and '-', not beginning with '-'.");
            }
        }

        return tags.Distinct(StringComparer.Ordinal).Count() == tags.Count ? null : Refusal.Invalid("tags", "A tag is named twice.");
    }

    public static Refusal? CheckAliases(IReadOnlyList<PersonalityAlias> aliases)
    {
        if (aliases.Count(alias => alias.UserId is null) > MaxAliases)
        {
            return Refusal.Invalid("aliases", $"A personality has at most {MaxAliases} aliases of the tenant.");
        }

        for (var i = 0; i < aliases.Count; i++)
        {
            if (CheckAlias(aliases[i].Alias, $"aliases[{i}]") is { } refusal)
            {
                return refusal;
            }
        }

        return aliases.DistinctBy(alias => (alias.UserId, alias.Alias.ToLowerInvariant())).Count() == aliases.Count
            ? null
            : Refusal.Invalid("aliases", "An alias is named twice.");
    }

    public static Refusal? CheckAlias(string? alias, string field = "alias") =>
        Text.CheckRequired(field, alias, MaxAlias)
        ?? (Guid.TryParse(alias, out _) ? Refusal.Invalid(field, $"'{alias}' would be read as an id; choose another alias.") : null);

    public static bool IsSlug(string text) => Slug().IsMatch(text);

    /// <summary>The core of a character: it may be empty, but not missing.</summary>
    private static Refusal? CheckPresent(string field, string? value) =>
        value is null ? Refusal.Invalid(field, $"'{field}' is required; it may be empty.") : null;

    private static Refusal? CheckLong(string field, string? value, string? known)
    {
        if (value is null || value == known)
        {
            return null;
        }

        var bytes = System.Text.Encoding.UTF8.GetByteCount(value);
        return bytes > MaxLongText
            ? Refusal.Invalid(field, $"'{field}' has {bytes:N0} bytes; at most {MaxLongText:N0} are allowed.")
            : Text.CheckOptional(field, value, MaxLongText);
    }

    // \z, not $: a slug that ends in a line break is none.
    [GeneratedRegex(@"^[a-z][a-z0-9-]{2,49}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Slug();

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{1,31}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Tag();
}
