using System.Globalization;
using System.Text.Json;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Grains.Focus;
using PersonaActors.Grains.Texts;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// What the text of a prompt is, in its order: 1. system prompt, 2. focus mode, 3. the character or the user persona's own
/// text (<see cref="SpeakerText"/>); 4. the user (<see cref="PersonaText"/>); 5. mindscape; 6. current state (and 7. memories).
/// Sections 1–5 are the front, which doesn't move between requests while nothing changed, so that providers' prefix caches hit.
/// Sections with nothing in them are left out.
/// </summary>
public static class PromptText
{
    public static void WriteFront(Utf8Writer output, ResolvedPrompt prompt)
    {
        var start = output.Length;
        var values = new PlaceholderValues(prompt.Persona.Name, prompt.Speaker.Name, prompt.Persona.Content, prompt.Variables);
        foreach (var section in prompt.Speaker.Sections)
        {
            Add(output, start, section, values);
        }

        if (prompt.Speaker.SpeaksOfUser)
        {
            Add(output, start, prompt.Persona.Section, values);
        }

        if (!string.IsNullOrWhiteSpace(prompt.Mindscape))
        {
            AddLiteral(output, start, $"<mindscape>\n{ProtectedTags.Escape(prompt.Mindscape)}\n</mindscape>");
        }
    }

    /// <summary>A section of its own behind those that were written from the start on.</summary>
    public static void AddLiteral(Utf8Writer output, int start, string text) => Add(output, start, [Literal(text)], default);

    /// <summary>What is true at this moment: there only if the user is in a focus session, a mapper has something to say now, or the front points to the time given here.</summary>
    /// <param name="mindscape">A line each.</param>
    public static string? State(DateTimeOffset now, string timeZone, FocusNow? focus, bool needsTime, IReadOnlyList<string>? mindscape = null)
    {
        if (focus is null && !needsTime && mindscape is not { Count: > 0 })
        {
            return null;
        }

        var time = Time(now, RhythmRules.Zone(timeZone));
        var session = focus is { } at
            ? $"<focus_session>The user is in a focus session ({ProtectedTags.Escape(at.Mode)}), {at.MinutesIn} {(at.MinutesIn == 1 ? "minute" : "minutes")} in."
                + (at.InFlow ? " They are in flow: be brief, and don't pull them out of it." : "") + "</focus_session>\n"
            : "";
        var mapped = mindscape is { Count: > 0 } ? $"<mindscape_now>\n{ProtectedTags.Escape(string.Join('\n', mindscape))}\n</mindscape_now>\n" : "";
        return $"<current_state>\n<time>{time}</time>\n{session}{mapped}</current_state>";
    }

    public static string Time(DateTimeOffset now, TimeZoneInfo zone) =>
        $"{TimeZoneInfo.ConvertTime(now, zone).ToString("dddd, d MMMM yyyy, HH:mm", CultureInfo.InvariantCulture)} ({zone.Id})";

    /// <summary>A section as elements, one a line; a blank one is left out.</summary>
    internal static Template[] Elements(string tag, params IEnumerable<(string Open, string? Text)> elements) => Template.Join(
    [
        Literal($"<{tag}>\n"),
        .. elements.Where(element => !string.IsNullOrWhiteSpace(element.Text)).SelectMany(element => (Template[])
        [
            Literal($"<{element.Open}>"),
            new Template(element.Text!, Author.Anyone),
            Literal($"</{element.Open.Split(' ')[0]}>\n"),
        ]),
        Literal($"</{tag}>"),
    ]);

    internal static Template Literal(string text) => new(new Piece(text, Author.Tenant));

    private static void Add(Utf8Writer output, int start, Template[] section, in PlaceholderValues values)
    {
        var end = output.Length;
        if (end > start)
        {
            output.Write("\\n\\n"u8);
        }

        var begin = output.Length;
        foreach (var template in section)
        {
            template.Write(output, values);
        }

        if (output.Length == begin)
        {
            output.CutTo(end);
        }
    }
}

/// <summary>Who speaks, with what stands before it: alike for everybody who asks for the same speaker in the same mode.</summary>
public sealed class SpeakerText
{
    public SpeakerText(PromptMaterial material)
    {
        var (systemPrompt, from) = material.SystemPrompt;
        var mode = material.FocusMode;
        var json = new OrderedDictionary<string, object?>();
        var parts = new List<PromptPart>();
        Template[] speaker;
        if (material.Personality is { } personality)
        {
            Name = new Piece(personality.DisplayName);
            SpeaksOfUser = true;
            (string, string?)[] character =
            [
                ("name", personality.DisplayName),
                ("info", personality.CharacterInfo),
                ("traits", personality.PersonalityTraits),
                ("tone", personality.Tone),
                ("age", personality.Age),
                ("appearance", personality.Appearance),
                ("likes", personality.Likes),
                ("dislikes", personality.Dislikes),
                ("goals", personality.ConversationalGoals),
                ("examples", personality.ConversationalExamples),
            ];
            speaker = PromptText.Elements("character", character);
            var named = new { personality.Id, personality.Slug, personality.Name, personality.DisplayName, personality.AvatarUrl, personality.ErrorMessage };
            json["personality"] = named;
            parts.Add(new PromptPart(
                "personality", null, personality.Id, personality.Version, null, ResolvedPrompt.SaysOf(new { named, texts = character.Select(element => element.Item2) })));
        }
        else
        {
            var persona = material.UserPersona!;
            Name = new Piece(persona.DisplayName ?? persona.Name);
            var text = AsFounded(persona);
            speaker = [PromptText.Literal(text)];
            var named = new { persona.Id, persona.Name, persona.DisplayName, persona.AvatarUrl, persona.VoiceId };
            json["personality"] = null;
            json["userPersona"] = named;
            json["style"] = persona.Style;
            parts.Add(new PromptPart("userPersona", null, persona.Id, persona.Version, null, ResolvedPrompt.SaysOf(new { named, persona.Style, text })));
        }

        if (systemPrompt is not null)
        {
            parts.Add(new PromptPart("systemPrompt", from, systemPrompt.Id, systemPrompt.Version, null, ResolvedPrompt.SaysOf(systemPrompt.Content)));
        }

        if (mode is not null)
        {
            var named = new { mode.Id, mode.ModeName, mode.DisplayName, mode.Settings };
            json["focusMode"] = named;
            parts.Add(new PromptPart("focusMode", null, mode.Id, mode.Version, null, ResolvedPrompt.SaysOf(new { named, mode.SystemPrompt })));
        }

        Sections = [OfTenant(systemPrompt?.Content), OfTenant(mode?.SystemPrompt), speaker];
        NeedsTime = Sections.Any(section => section.Any(template => template.NeedsTime));
        Members = JsonSerializer.SerializeToUtf8Bytes(json, Wire.Json)[1..^1];
        Length = Members.Length + Sections.Sum(section => section.Sum(template => template.Length * 9 / 8));
        Parts = parts;
        Digest = ResolvedPrompt.DigestOf(parts);
    }

    /// <summary>What <c>{{char}}</c> stands for.</summary>
    public Piece Name { get; }

    /// <summary>A user persona's text is all there is: nothing is said of who uses it.</summary>
    public bool SpeaksOfUser { get; }

    public bool NeedsTime { get; }

    internal Template[][] Sections { get; }

    /// <summary>Speaker and focus mode as the native answer names them, without the braces.</summary>
    internal byte[] Members { get; }

    /// <summary>About so many bytes of an answer.</summary>
    internal int Length { get; }

    /// <summary>Counted when a conversation has to fit beside it.</summary>
    internal int Tokens => _tokens >= 0 ? _tokens : _tokens = Sections.Sum(section => section.Sum(template => template.Tokens));

    private int _tokens = -1;

    internal IReadOnlyList<PromptPart> Parts { get; }

    internal UInt128 Digest { get; }

    private static Template[] OfTenant(string? text) => string.IsNullOrWhiteSpace(text) ? [] : [new Template(text, Author.Tenant)];

    /// <summary>The prompt of a user persona, word for word as the founding document's buildPrompt made it.</summary>
    private static string AsFounded(UserPersonaView persona) =>
        persona.SystemPrompt
        + (persona.Traits.Count > 0 ? $"\n\nPersonality traits: {string.Join(", ", persona.Traits)}." : "")
        + (persona.Domains.Count > 0 ? $"\n\nAreas of expertise: {string.Join(", ", persona.Domains)}." : "");
}

/// <summary>What prompts say of a persona: alike in all prompts of its user.</summary>
public sealed class PersonaText
{
    public PersonaText(PersonaView persona)
    {
        Of = persona;
        Name = new Piece(persona.Called());
        Content = new Piece(persona.Content);
        Section = PromptText.Elements(
            "user", ("name", Name.Text), ("pronouns", persona.Pronouns), ("about source=\"the user's own words\"", persona.Content));
        NeedsTime = Section.Any(template => template.NeedsTime);
        var named = new { persona.Id, persona.Name, persona.PreferredName, persona.Pronouns };
        Json = JsonSerializer.SerializeToUtf8Bytes(named, Wire.Json);
        Length = Json.Length + Section.Sum(template => template.Length * 9 / 8);
        Part = new PromptPart("persona", null, persona.Id, persona.Version, null, ResolvedPrompt.SaysOf(new { named, persona.Content }));
        Digest = ResolvedPrompt.DigestOf([Part]);
    }

    public PersonaView Of { get; }

    /// <summary>What <c>{{user}}</c> stands for.</summary>
    public Piece Name { get; }

    /// <summary>What <c>{{persona}}</c> stands for.</summary>
    public Piece Content { get; }

    public bool NeedsTime { get; }

    internal int Length { get; }

    /// <summary>Counted when a conversation has to fit beside it.</summary>
    internal int Tokens => _tokens >= 0 ? _tokens : _tokens = Section.Sum(template => template.Tokens);

    private int _tokens = -1;

    internal Template[] Section { get; }

    internal byte[] Json { get; }

    internal PromptPart Part { get; }

    internal UInt128 Digest { get; }
}
