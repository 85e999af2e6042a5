using System.Runtime.CompilerServices;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Grains.UserPersonas;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// Sections 1–3, system prompt, focus mode and character, with gaps for what they say of the user: alike for everybody who
/// asks for the same speaker, and so shared.
/// </summary>
public sealed class PromptPattern
{
    private static readonly Piece Between = new(PromptFront.Joint);
    private static readonly ConditionalWeakTable<object, Shelf> Shelves = [];

    private readonly Choice<SystemPromptView> _systemPrompt;
    private readonly FocusModeView? _focusMode;
    private readonly List<Template> _tenants = [];
    private readonly CharacterSection? _character;
    private readonly Piece? _userPersona;

    private PromptPattern(PromptMaterial material, Choice<SystemPromptView> systemPrompt, FocusModeView? focusMode)
    {
        _systemPrompt = systemPrompt;
        _focusMode = focusMode;
        if (material.Personality is { } personality)
        {
            _character = CharacterSection.Of(personality);
            Name = _character.Name;
        }
        else
        {
            var userPersona = material.UserPersona!;
            _userPersona = new Piece(UserPersonaText.Build(userPersona));
            Name = new Piece(userPersona.DisplayName ?? userPersona.Name);
        }

        Add(systemPrompt.Value?.Content);
        Add(focusMode?.SystemPrompt);
        NeedsTime = _character is { NeedsTime: true } || _tenants.Exists(template => template.NeedsTime);
        Digest = PromptVersion.Digest(material, systemPrompt, focusMode);
        Members = NativeAnswer.MembersOf(material, focusMode);
    }

    /// <summary>What <c>{{char}}</c> stands for.</summary>
    public Piece Name { get; }

    public bool NeedsTime { get; }

    /// <summary>A user persona's text is all there is: nothing is said of who uses it.</summary>
    public bool ShowsUser => _character is not null;

    /// <summary>Stands for it in the prompt's version.</summary>
    internal UInt128 Digest { get; }

    /// <summary>Speaker and focus mode as the native answer names them: members of a JSON object, without its braces.</summary>
    internal byte[] Members { get; }

    public static PromptPattern Of(PromptMaterial material, Choice<SystemPromptView> systemPrompt) =>
        Shelves.GetOrCreateValue(material.Speaker)
            .Find(material, systemPrompt, material.WithFocusMode ? material.Catalogue.FocusMode : null);

    public void Write(PromptWriter output, TextForm form, in PlaceholderValues values)
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

    private void Add(string? text)
    {
        if (!string.IsNullOrWhiteSpace(text))
        {
            _tenants.Add(Template.OfTenant(text).Naming(Name));
        }
    }

    private bool IsOf(in Choice<SystemPromptView> systemPrompt, FocusModeView? focusMode) =>
        ReferenceEquals(_systemPrompt.Value, systemPrompt.Value) && _systemPrompt.From == systemPrompt.From && ReferenceEquals(_focusMode, focusMode);

    /// <summary>
    /// The patterns that were made last for one speaker: there is room for each system focus mode and for none. Read and
    /// written by many at once; one that is overwritten is made again.
    /// </summary>
    private sealed class Shelf
    {
        private readonly PromptPattern?[] _kept = new PromptPattern?[8];
        private int _next;

        public PromptPattern Find(PromptMaterial material, in Choice<SystemPromptView> systemPrompt, FocusModeView? focusMode)
        {
            foreach (var known in _kept)
            {
                if (known is not null && known.IsOf(systemPrompt, focusMode))
                {
                    return known;
                }
            }

            return _kept[Interlocked.Increment(ref _next) & 7] = new PromptPattern(material, systemPrompt, focusMode);
        }
    }
}
