namespace PersonaActors.Grains.Settings;

/// <summary>The names under which an answer tells where a field came from.</summary>
public static class Source
{
    public const string Override = "override";
    public const string FocusMode = "focus-mode";
    public const string UserDefault = "user-default";
    public const string Personality = "personality";

    /// <summary>For users flagged free this is the default for free users, where the tenant has one.</summary>
    public const string TenantDefault = "tenant-default";

    /// <summary>Of settings: what the personality's default LLM config says.</summary>
    public const string PersonalityDefault = "personality-default";

    public const string BuiltIn = "built-in";
    public const string Tenant = "tenant";
    public const string Channel = "channel";
    public const string User = "user";
    public const string UserPersonality = "user-personality";
}
