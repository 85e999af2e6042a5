using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Grains.Settings;
using PersonaActors.Grains.Texts;

namespace PersonaActors.Grains.Prompts;

/// <summary>Material, merged: what every format of the answer is written from. Holds nothing of a single moment.</summary>
public sealed class ResolvedPrompt
{
    /// <summary>Rises when the same material begins to give another text.</summary>
    private const byte Rendering = 7;

    private ResolvedPrompt(PromptMaterial material, Prepared prepared, PersonaText? persona)
    {
        var (view, from) = material.Persona;
        Material = material;
        Persona = ReferenceEquals(persona?.Of, view) ? persona! : new PersonaText(view);
        PersonaFrom = from;
        Speaker = prepared.Speaker(material);
        Terms = prepared.Terms(material);
        Overlay = Terms.ShowsMindscape ? material.Mindscape : null;
        Variables = material.Variables?.ToDictionary(variable => variable.Key, variable => new Piece(variable.Value));
        // How long it lasts by now is of the moment; that, and how, is not.
        Focus = material.Session is { State: FocusState.Active } session
            ? new PromptPart("focusSession", null, session.Id, session.Version, null, SaysOf(new { session.Mode, InFlow = session.InFlowSince is not null }))
            : null;
        Version = VersionOf();
    }

    public PromptMaterial Material { get; }

    public PersonaText Persona { get; }

    public string PersonaFrom { get; }

    public SpeakerText Speaker { get; }

    public PromptTerms Terms { get; }

    public MindscapeOverlay? Overlay { get; }

    public string? Mindscape => Overlay?.Text;

    public IReadOnlyDictionary<string, Piece>? Variables { get; }

    /// <summary>The focus session that the current state speaks of.</summary>
    private PromptPart? Focus { get; }

    /// <summary>
    /// What tells one prompt from the next: a hash over all that went into sections 1–5, the LLM parameters and the settings, over
    /// where each came from, and over the focus session that shows. Equal versions mean equal bytes where nothing of the moment is
    /// in them, so it is also the ETag.
    /// </summary>
    public string Version { get; }

    /// <summary>The front points to "the time given below", so each answer has a current state.</summary>
    public bool NeedsTime => Speaker.NeedsTime || (Speaker.SpeaksOfUser && Persona.NeedsTime);

    /// <param name="prepared">Of the speaker.</param>
    /// <param name="persona">The text of the persona, if it is known already.</param>
    public static ResolvedPrompt Of(PromptMaterial material, Prepared? prepared = null, PersonaText? persona = null) => new(material, prepared ?? new Prepared(), persona);

    /// <summary>Whether one of the tags of an If-None-Match is this version's.</summary>
    public bool IsAmong(ReadOnlySpan<char> tags)
    {
        for (var at = tags.IndexOf(Version); at >= 0; tags = tags[(at + 1)..], at = tags.IndexOf(Version))
        {
            if (at > 0 && tags[at - 1] == '"' && at + Version.Length < tags.Length && tags[at + Version.Length] == '"')
            {
                return true;
            }
        }

        return tags.Trim() is "*";
    }

    /// <summary>What it is made of: the same things that its version is a hash of.</summary>
    public PromptTrace Trace() => new(
        Version, Persona.Of.Id, [Persona.Part with { From = PersonaFrom }, .. Speaker.Parts, .. Terms.Parts, .. Focus is { } focus ? (PromptPart[])[focus] : []],
        Session: Material.Session is { State: not FocusState.Ended } session ? session.Id : null);

    /// <summary>Taken once of what many prompts have in common: their sum stands for all of them.</summary>
    internal static UInt128 DigestOf(IReadOnlyList<PromptPart> parts) => BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(
        [Rendering, .. JsonSerializer.SerializeToUtf8Bytes(parts.Select(part => new { part.What, part.From, part.Value, part.Says }), Wire.Json)]));

    /// <summary>A digest of something that a part puts into the prompt.</summary>
    internal static Guid SaysOf(object what) => new(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(what, Wire.Json)).AsSpan(..16));

    private string VersionOf()
    {
        var sum = Speaker.Digest + Terms.Digest + Persona.Digest + (PersonaFrom == Source.Override ? UInt128.One : UInt128.Zero);
        if (Focus is not null)
        {
            sum += DigestOf([Focus]);
        }

        if (Mindscape is not null || Variables is not null)
        {
            var own = Variables?.OrderBy(variable => variable.Key, StringComparer.Ordinal).Select(variable => Said($"variables.{variable.Key}", variable.Value.Text)) ?? [];
            sum += DigestOf([Said("mindscape", Mindscape), .. own]);
        }

        return sum.ToString("x32");

        static PromptPart Said(string what, string? text) => new(what, null, null, null, JsonText.From(text));
    }
}
