using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Grains.UserPersonas;

namespace PersonaActors.Grains.Prompts;

/// <summary>What sections 1–3 are made of. Either a personality or a user persona speaks; there is a focus mode only if one was asked for.</summary>
public readonly record struct PatternParts(
    PersonalityView? Personality, UserPersonaView? UserPersona, Choice<SystemPromptView> SystemPrompt, FocusModeView? FocusMode)
{
    /// <summary>Whether it is the very same: entities as the same objects, which a change replaces.</summary>
    public bool IsSameAs(in PatternParts other) =>
        ReferenceEquals(Personality, other.Personality) && ReferenceEquals(UserPersona, other.UserPersona)
        && ReferenceEquals(SystemPrompt.Value, other.SystemPrompt.Value) && SystemPrompt.From == other.SystemPrompt.From
        && ReferenceEquals(FocusMode, other.FocusMode);
}

/// <summary>
/// Sections 1–3, system prompt, focus mode and character, with gaps for what they say of the user: alike for everybody who
/// asks for the same speaker, and so shared.
/// </summary>
public sealed class PromptPattern : GappedText
{
    private static readonly Piece Between = new(PromptFront.Joint);

    private readonly PatternParts _parts;
    private readonly List<Template> _tenants = [];
    private readonly CharacterSection? _character;
    private readonly Piece? _userPersona;

    internal PromptPattern(PatternParts parts)
    {
        _parts = parts;
        if (parts.Personality is { } personality)
        {
            _character = CharacterSection.Of(personality);
            Name = _character.Name;
        }
        else
        {
            var userPersona = parts.UserPersona!;
            _userPersona = new Piece(UserPersonaText.Build(userPersona));
            Name = new Piece(userPersona.DisplayName ?? userPersona.Name);
        }

        Add(parts.SystemPrompt.Value?.Content);
        Add(parts.FocusMode?.SystemPrompt);
        NeedsTime = _character is { NeedsTime: true } || _tenants.Exists(template => template.NeedsTime);
        Gaps = GapsOfAll();
        Digest = PromptVersion.Digest(parts);
        Members = NativeAnswer.MembersOf(parts);
    }

    /// <summary>What <c>{{char}}</c> stands for.</summary>
    public Piece Name { get; }

    public bool NeedsTime { get; }

    /// <summary>A user persona's text is all there is: nothing is said of who uses it.</summary>
    public bool ShowsUser => _character is not null;

    /// <summary>Stands for it in the prompt's version.</summary>
    internal UInt128 Digest { get; }

    /// <summary>Speaker and focus mode as the native answer names them behind others: members of a JSON object, each with its comma.</summary>
    internal byte[] Members { get; }

    internal bool IsOf(in PatternParts parts) => _parts.IsSameAs(parts);

    internal override Gap Gaps { get; }

    internal override void AddTo(StencilBuilder stencil)
    {
        foreach (var template in _tenants)
        {
            Begin(stencil);
            template.AddTo(stencil);
        }

        Begin(stencil);
        _character?.AddTo(stencil);
        if (_userPersona is not null)
        {
            stencil.Add(_userPersona.Text);
        }
    }

    internal override void Fill(PromptWriter output, TextForm form, in PlaceholderValues values)
    {
        var start = output.Length;
        foreach (var template in _tenants)
        {
            Begin(output, form, start);
            template.Write(output, form, values);
        }

        Begin(output, form, start);
        _character?.Write(output, form, values);
        if (_userPersona is not null)
        {
            output.Share(_userPersona.In(form));
        }
    }

    /// <summary>A section begins: apart from what came before it, if anything did.</summary>
    internal static void Begin(PromptWriter output, TextForm form, int start)
    {
        if (output.Length > start)
        {
            output.Share(Between.In(form));
        }
    }

    private Gap GapsOfAll()
    {
        var gaps = _character?.Gaps ?? Gap.None;
        var longest = _character?.Length ?? 0;
        foreach (var template in _tenants)
        {
            // Behind one that came to nothing there is no joint.
            gaps |= template.HasText ? template.Gaps : Gap.Care;
            longest = Math.Max(longest, template.Length);
        }

        return longest <= MostCopied ? gaps : gaps | Gap.Care;
    }

    private static void Begin(StencilBuilder stencil)
    {
        if (!stencil.IsEmpty)
        {
            stencil.Add(PromptFront.Joint);
        }
    }

    private void Add(string? text)
    {
        if (!string.IsNullOrWhiteSpace(text))
        {
            _tenants.Add(Template.OfTenant(text).Naming(Name));
        }
    }
}
