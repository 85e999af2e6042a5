using System.Runtime.CompilerServices;
using System.Text;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Grains.UserPersonas;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// Sections 1–5: system prompt, focus mode, character, user, mindscape. What stands here doesn't move between requests while
/// nothing changed, so that providers' prefix caches hit.
/// </summary>
public readonly struct PromptFront
{
    public const string Joint = "\n\n";

    private static readonly Piece Between = new(Joint);
    private static readonly ConditionalWeakTable<UserPersonaView, Piece> UserPersonas = [];

    private readonly PromptMaterial _material;
    private readonly PersonaView _persona;
    private readonly Template? _systemPrompt;
    private readonly Template? _focusMode;
    private readonly CharacterSection? _character;

    internal PromptFront(PromptMaterial material, PersonaView persona, string? systemPrompt)
    {
        _material = material;
        _persona = persona;
        _systemPrompt = Tenants(systemPrompt);
        _focusMode = Tenants(material.WithFocusMode ? material.Catalogue.FocusMode?.SystemPrompt : null);
        _character = material.Personality is { } personality ? CharacterSection.Of(personality) : null;
        NeedsTime = _systemPrompt is { NeedsTime: true } || _focusMode is { NeedsTime: true }
            || (_character is not null && (_character.NeedsTime || Template.PointsToTime(persona.Content)));
    }

    /// <summary>Somewhere it points to "the time given below", so the current state has to give it.</summary>
    public bool NeedsTime { get; }

    public static string NameOf(PersonaView persona) =>
        string.IsNullOrWhiteSpace(persona.PreferredName) ? persona.Name : persona.PreferredName;

    public void Write(PromptWriter output, TextForm form)
    {
        var values = new PlaceholderValues(
            NameOf(_persona),
            _material.Personality?.DisplayName ?? _material.UserPersona!.DisplayName ?? _material.UserPersona.Name,
            _persona.Content, _material.Variables);
        var start = output.Length;
        if (_systemPrompt is not null)
        {
            _systemPrompt.Write(output, form, values);
        }

        if (_focusMode is not null)
        {
            Begin(output, form, start);
            _focusMode.Write(output, form, values);
        }

        Begin(output, form, start);
        if (_character is not null)
        {
            _character.Write(output, form, values);
            output.Share(Between.In(form));
            WriteUser(output, form, values);
        }
        else
        {
            output.Share(UserPersonas.GetValue(_material.UserPersona!, static persona => new Piece(UserPersonaText.Build(persona))).In(form));
        }

        if (!string.IsNullOrWhiteSpace(_material.Mindscape))
        {
            Begin(output, form, start);
            output.Write(form, $"<mindscape>\n{ProtectedTags.Escape(_material.Mindscape)}\n</mindscape>");
        }
    }

    public override string ToString()
    {
        var output = new PromptWriter();
        Write(output, TextForm.Plain);
        return Encoding.UTF8.GetString(output.ToText().ToArray());
    }

    private void WriteUser(PromptWriter output, TextForm form, in PlaceholderValues values)
    {
        output.Write(form, "<user>\n<name>");
        output.Write(form, ProtectedTags.Escape(values.User));
        output.Write(form, "</name>\n");
        if (!string.IsNullOrWhiteSpace(_persona.Pronouns))
        {
            output.Write(form, "<pronouns>");
            output.Write(form, ProtectedTags.Escape(_persona.Pronouns));
            output.Write(form, "</pronouns>\n");
        }

        if (!string.IsNullOrWhiteSpace(_persona.Content))
        {
            output.Write(form, "<about source=\"the user's own words\">");
            output.Write(form, ProtectedTags.Escape(Placeholders.Fill(_persona.Content, values).Text));
            output.Write(form, "</about>\n");
        }

        output.Write(form, "</user>");
    }

    private static void Begin(PromptWriter output, TextForm form, int start)
    {
        if (output.Length > start)
        {
            output.Share(Between.In(form));
        }
    }

    private static Template? Tenants(string? text) => string.IsNullOrWhiteSpace(text) ? null : Template.OfTenant(text);
}
