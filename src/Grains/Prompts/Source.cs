namespace PersonaActors.Grains.Prompts;

/// <summary>The names under which an answer tells where a field came from.</summary>
public static class Source
{
    public const string Override = "override";
    public const string FocusMode = "focus-mode";
    public const string UserDefault = "user-default";
    public const string Personality = "personality";

    /// <summary>For users flagged free this is the default for free users, where the tenant has one.</summary>
    public const string TenantDefault = "tenant-default";

    public const string BuiltIn = "built-in";
    public const string Tenant = "tenant";
    public const string Channel = "channel";
    public const string User = "user";
    public const string UserPersonality = "user-personality";
}

/// <summary>What was chosen, and the tier that it came from; neither where no tier has one.</summary>
public readonly record struct Choice<T>(T? Value, string? From)
    where T : class
{
    /// <summary>The whole object of the first tier that has one.</summary>
    public static Choice<T> FirstOf(params ReadOnlySpan<(string From, T? Value)> tiers)
    {
        foreach (var (from, value) in tiers)
        {
            if (value is not null)
            {
                return new Choice<T>(value, from);
            }
        }

        return default;
    }
}
