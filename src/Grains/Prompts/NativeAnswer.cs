using System.Text.Json;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.UserPersonas;

namespace PersonaActors.Grains.Prompts;

/// <summary>What our own format says beside the text and the messages: parameters, entities, settings, and where each came from.</summary>
internal static class NativeAnswer
{
    public static void WriteTail(PromptWriter output, ResolvedPrompt resolved, bool explain)
    {
        output.Share(resolved.Terms.BeforePersona);
        output.Share(resolved.PersonaSection.Json);
        output.Share(resolved.Pattern.Members);
        output.Share(resolved.Terms.BehindSpeaker);
        output.Write(TextForm.Plain, resolved.Persona.From);
        if (resolved.SystemPrompt.From is { } from)
        {
            output.Write("\",\"systemPrompt\":\""u8);
            output.Write(TextForm.Plain, from);
        }

        output.Write("\"},\"version\":\""u8);
        output.Write(TextForm.Plain, resolved.Version);
        output.Write("\""u8);
        if (explain)
        {
            output.Write(",\"explain\":"u8);
            using var json = Scratch.Json(output);
            PromptExplanation.Of(resolved).WriteTo(json, Wire.Json);
            json.Flush();
        }
    }

    /// <summary>The parameters, and the name of what comes next.</summary>
    public static byte[] BeforePersona(LlmMerge llm) =>
        [.. "\"llm\":"u8, .. Scratch.ToJson(json => LlmBodies.WriteNative(json, llm)), .. ",\"persona\":"u8];

    /// <summary>The settings and the sources, up to the persona's.</summary>
    public static byte[] BehindSpeaker(LlmMerge llm, SettingsCascade settings) =>
    [
        .. ",\"settings\":"u8, .. Scratch.ToJson(json => Write(json, settings)),
        .. ",\"sources\":{\"llm\":"u8, .. Scratch.ToJson(json => WriteSources(json, llm)),
        .. ",\"settings\":"u8, .. Scratch.ToJson(json => WriteSources(json, settings)),
        .. ",\"persona\":\""u8,
    ];

    public static byte[] JsonOf(PersonaView persona) => Scratch.ToJson(json =>
    {
        json.WriteStartObject();
        json.WriteString("id"u8, persona.Id);
        json.WriteString("name"u8, persona.Name);
        json.WriteString("preferredName"u8, persona.PreferredName);
        json.WriteString("pronouns"u8, persona.Pronouns);
        json.WriteNumber("version"u8, persona.Version);
        json.WriteEndObject();
    });

    /// <summary>Who speaks, and in which focus mode if one was asked for.</summary>
    public static byte[] MembersOf(PatternParts parts) => [.. ","u8, .. Scratch.ToJson(json =>
    {
        json.WriteStartObject();
        if (parts.Personality is { } personality)
        {
            Write(json, personality);
        }
        else
        {
            Write(json, parts.UserPersona!);
        }

        if (parts.FocusMode is { } focusMode)
        {
            Write(json, focusMode);
        }

        json.WriteEndObject();
    }).AsSpan()[1..^1]];

    private static void Write(Utf8JsonWriter json, PersonalityView personality)
    {
        json.WriteStartObject("personality"u8);
        json.WriteString("id"u8, personality.Id);
        json.WriteString("slug"u8, personality.Slug);
        json.WriteString("name"u8, personality.Name);
        json.WriteString("displayName"u8, personality.DisplayName);
        json.WriteString("avatarUrl"u8, personality.AvatarUrl);
        json.WriteString("errorMessage"u8, personality.ErrorMessage);
        json.WriteNumber("contextWindowSize"u8, personality.ContextWindowSize);
        json.WriteNumber("version"u8, personality.Version);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, UserPersonaView userPersona)
    {
        json.WriteNull("personality"u8);
        json.WriteStartObject("userPersona"u8);
        json.WriteString("id"u8, userPersona.Id);
        json.WriteString("name"u8, userPersona.Name);
        json.WriteString("displayName"u8, userPersona.DisplayName);
        json.WriteString("avatarUrl"u8, userPersona.AvatarUrl);
        json.WriteString("voiceId"u8, userPersona.VoiceId);
        json.WriteNumber("version"u8, userPersona.Version);
        json.WriteEndObject();
        json.WritePropertyName("style"u8);
        json.WriteRawValue(userPersona.Style.Json, skipInputValidation: true);
    }

    private static void Write(Utf8JsonWriter json, FocusModeView mode)
    {
        json.WriteStartObject("focusMode"u8);
        json.WriteString("id"u8, mode.Id);
        json.WriteString("modeName"u8, mode.ModeName);
        json.WriteString("displayName"u8, mode.DisplayName);
        json.WritePropertyName("settings"u8);
        json.WriteRawValue(mode.Settings.Json, skipInputValidation: true);
        json.WriteNumber("version"u8, mode.Version);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, SettingsCascade settings)
    {
        json.WriteStartObject();
        Write(json, "maxMessages"u8, settings.MaxMessages);
        Write(json, "maxAge"u8, settings.MaxAge);
        Write(json, "memoryLimit"u8, settings.MemoryLimit);
        json.WritePropertyName("memoryScoreThreshold"u8);
        if (settings.MemoryScoreThreshold.IsOff)
        {
            json.WriteStringValue("off"u8);
        }
        else
        {
            json.WriteNumberValue(settings.MemoryScoreThreshold.Setting.Value);
        }

        Write(json, "focusOverlay"u8, settings.FocusOverlay);
        Write(json, "mindscapeOverlay"u8, settings.MindscapeOverlay);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, SettingChoice<int> choice)
    {
        if (choice.IsOff)
        {
            json.WriteString(name, "off"u8);
        }
        else
        {
            json.WriteNumber(name, choice.Setting.Value);
        }
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, SettingChoice<bool> choice)
    {
        if (choice.IsOff)
        {
            json.WriteString(name, "off"u8);
        }
        else
        {
            json.WriteBoolean(name, choice.Setting.Value);
        }
    }

    private static void WriteSources(Utf8JsonWriter json, LlmMerge llm)
    {
        json.WriteStartObject();
        foreach (var choice in llm.Chosen)
        {
            json.WriteString(choice.Field.Encoded, choice.From.Name);
        }

        json.WriteEndObject();
    }

    private static void WriteSources(Utf8JsonWriter json, SettingsCascade settings)
    {
        json.WriteStartObject();
        foreach (var (field, from) in settings.Sources())
        {
            json.WriteString(field, from);
        }

        json.WriteEndObject();
    }
}
