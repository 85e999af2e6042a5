using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// What tells one prompt from the next: a hash over the versions of all that went into sections 1–5, the LLM parameters and
/// the settings, and over where each came from. Equal versions mean equal bytes, so it is also the ETag.
/// </summary>
public static class PromptVersion
{
    /// <summary>Rises when the same material begins to give another text.</summary>
    private const byte Rendering = 2;

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
        var material = resolved.Material;
        var went = Scratch.Prompt();
        went.Write([Rendering]);
        Append(went, Part.User, material.User.Id, 0, null);
        if (material.Personality is { } personality)
        {
            Append(went, Part.Personality, personality.Id, personality.Version, null);
        }

        if (material.UserPersona is { } userPersona)
        {
            Append(went, Part.UserPersona, userPersona.Id, userPersona.Version, null);
        }

        if (resolved.Persona is { Value: { } persona, From: var personaFrom })
        {
            Append(went, Part.Persona, persona.Id, persona.Version, personaFrom);
        }

        if (resolved.SystemPrompt is { Value: { } prompt, From: var promptFrom })
        {
            Append(went, Part.SystemPrompt, prompt.Id, prompt.Version, promptFrom);
        }

        if (material.WithFocusMode && material.Catalogue.FocusMode is { } mode)
        {
            Append(went, Part.FocusMode, mode.Id, mode.Version, null);
        }

        went.Write(resolved.Terms.Digest);
        if (material.Mindscape is { } overlay)
        {
            Append(went, Part.Mindscape, overlay);
        }

        if (material.Variables is { } variables)
        {
            foreach (var (name, value) in variables.OrderBy(variable => variable.Key, StringComparer.Ordinal))
            {
                Append(went, Part.Variable, name);
                Append(went, Part.Variable, value);
            }
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(went.Written, hash);
        return Convert.ToHexStringLower(hash[..16]);
    }

    /// <summary>The part of the version that parameters and settings are, alike for all who have the same.</summary>
    public static byte[] Digest(LlmMerge llm, SettingsCascade settings)
    {
        var went = new PromptWriter();
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
        return SHA256.HashData(went.Written);
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
