using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// What tells one prompt from the next: a hash over the versions of all that went into sections 1–5, the LLM parameters and
/// the settings, and over where each came from. Equal versions mean equal bytes, so it is also the ETag. It is the sum of
/// its parts' digests, each of which is taken once and kept with its part, so a prompt made of known parts hashes nothing.
/// </summary>
public static class PromptVersion
{
    /// <summary>Rises when the same material begins to give another text.</summary>
    private const byte Rendering = 4;

    private static readonly UInt128 OfOverride = Digest(went => Append(went, Part.Persona, Source.Override));

    private enum Part : byte
    {
        User,
        Personality,
        UserPersona,
        Persona,
        SystemPrompt,
        FocusMode,
        Llm,
        Setting,
        Mindscape,
        Variable,
    }

    public static string Of(ResolvedPrompt resolved)
    {
        var sum = resolved.Pattern.Digest + resolved.Terms.Digest + resolved.PersonaSection.Digest;
        if (resolved.Persona.From == Source.Override)
        {
            sum += OfOverride;
        }

        if (resolved.Material is { Mindscape: not null } or { Variables: not null })
        {
            sum += Digest(resolved.Material.Mindscape, resolved.Material.Variables);
        }

        Span<byte> hash = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(hash, sum);
        return Convert.ToHexStringLower(hash);
    }

    /// <summary>A persona, and with it its user.</summary>
    public static UInt128 Digest(PersonaView persona) => Digest(went =>
    {
        Append(went, Part.User, persona.OwnerId, 0, null);
        Append(went, Part.Persona, persona.Id, persona.Version, null);
    });

    /// <summary>The speaker and what stands before it.</summary>
    public static UInt128 Digest(PatternParts parts) => Digest(went =>
    {
        if (parts.Personality is { } personality)
        {
            Append(went, Part.Personality, personality.Id, personality.Version, null);
        }

        if (parts.UserPersona is { } userPersona)
        {
            Append(went, Part.UserPersona, userPersona.Id, userPersona.Version, null);
        }

        if (parts.SystemPrompt is { Value: { } prompt, From: var from })
        {
            Append(went, Part.SystemPrompt, prompt.Id, prompt.Version, from);
        }

        if (parts.FocusMode is { } focusMode)
        {
            Append(went, Part.FocusMode, focusMode.Id, focusMode.Version, null);
        }
    });

    private static UInt128 Digest(string? mindscape, IReadOnlyDictionary<string, string>? variables) => Digest(went =>
    {
        if (mindscape is not null)
        {
            Append(went, Part.Mindscape, mindscape);
        }

        if (variables is not null)
        {
            foreach (var (name, value) in variables.OrderBy(variable => variable.Key, StringComparer.Ordinal))
            {
                Append(went, Part.Variable, name);
                Append(went, Part.Variable, value);
            }
        }
    });

    /// <summary>The part of the version that parameters and settings are, alike for all who have the same.</summary>
    public static UInt128 Digest(LlmMerge llm, SettingsCascade settings) => Digest(went =>
    {
        for (var i = 0; i < llm.Chosen.Count; i++)
        {
            var (field, _, from) = llm.Chosen[i];
            Append(went, Part.Llm, from.Config!.Id, from.Config.Version, from.Name);
            Append(went, Part.Llm, field.Name);
        }

        Append(went, settings.MaxMessages, setting => setting);
        Append(went, settings.MaxAge, setting => setting);
        Append(went, settings.MemoryLimit, setting => setting);
        Append(went, settings.MemoryScoreThreshold, BitConverter.DoubleToInt64Bits);
        Append(went, settings.FocusOverlay, setting => setting ? 1 : 0);
        Append(went, settings.MindscapeOverlay, setting => setting ? 1 : 0);
    });

    private static UInt128 Digest(Action<PromptWriter> write)
    {
        var went = new PromptWriter();
        went.Write([Rendering]);
        write(went);
        return BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(went.Written));
    }

    private static void Append(PromptWriter went, Part part, Guid id, long version, string? from)
    {
        var span = went.GetSpan(25);
        span[0] = (byte)part;
        id.TryWriteBytes(span[1..]);
        BinaryPrimitives.WriteInt64LittleEndian(span[17..], version);
        went.Advance(25);
        Append(went, part, from ?? "");
    }

    private static void Append<T>(PromptWriter went, SettingChoice<T> choice, Func<T, long> number)
        where T : struct
    {
        var span = went.GetSpan(10);
        span[0] = (byte)Part.Setting;
        span[1] = (byte)choice.Setting.State;
        BinaryPrimitives.WriteInt64LittleEndian(span[2..], choice.Setting.State == SettingState.Value ? number(choice.Setting.Value) : 0);
        went.Advance(10);
        Append(went, Part.Setting, choice.From);
    }

    /// <summary>With its length before it: no text can look like the next entry.</summary>
    private static void Append(PromptWriter went, Part part, string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        var span = went.GetSpan(5 + bytes);
        span[0] = (byte)part;
        BinaryPrimitives.WriteInt32LittleEndian(span[1..], bytes);
        Encoding.UTF8.GetBytes(text, span[5..]);
        went.Advance(5 + bytes);
    }
}
