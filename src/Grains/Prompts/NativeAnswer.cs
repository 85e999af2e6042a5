using System.Text.Json;
using PersonaActors.Contracts;

namespace PersonaActors.Grains.Prompts;

/// <summary>What our own format says beside the text and the messages: parameters, entities, settings, and where each came from.</summary>
internal static class NativeAnswer
{
    public static void WriteTail(Utf8JsonWriter json, ResolvedPrompt resolved, bool explain)
    {
        Write(json, "llm"u8, resolved.Terms.LlmJson);
        WritePersona(json, resolved);
        WriteSpeaker(json, resolved);
        if (resolved.Material is { WithFocusMode: true, Catalogue.FocusMode: { } mode })
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

        Write(json, "settings"u8, resolved.Terms.SettingsJson);
        WriteSources(json, resolved);
        json.WriteString("version"u8, resolved.Version);
        if (explain)
        {
            json.WritePropertyName("explain"u8);
            PromptExplanation.Of(resolved).WriteTo(json, Wire.Json);
        }
    }

    private static void WritePersona(Utf8JsonWriter json, ResolvedPrompt resolved)
    {
        var persona = resolved.Persona.Value!;
        json.WriteStartObject("persona"u8);
        json.WriteString("id"u8, persona.Id);
        json.WriteString("name"u8, persona.Name);
        json.WriteString("preferredName"u8, persona.PreferredName);
        json.WriteString("pronouns"u8, persona.Pronouns);
        json.WriteNumber("version"u8, persona.Version);
        json.WriteEndObject();
    }

    private static void WriteSpeaker(Utf8JsonWriter json, ResolvedPrompt resolved)
    {
        if (resolved.Material.Personality is { } personality)
        {
            Write(json, "personality"u8, CharacterSection.Of(personality).Summary);
            return;
        }

        var userPersona = resolved.Material.UserPersona!;
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

    public static void WriteSettings(Utf8JsonWriter json, SettingsCascade settings)
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

    private static void WriteSources(Utf8JsonWriter json, ResolvedPrompt resolved)
    {
        json.WriteStartObject("sources"u8);
        json.WriteString("persona"u8, resolved.Persona.From);
        if (resolved.SystemPrompt.From is { } from)
        {
            json.WriteString("systemPrompt"u8, from);
        }

        Write(json, "llm"u8, resolved.Terms.LlmSources);
        Write(json, "settings"u8, resolved.Terms.SettingsSources);
        json.WriteEndObject();
    }

    public static void WriteSources(Utf8JsonWriter json, LlmMerge llm)
    {
        json.WriteStartObject();
        foreach (var choice in llm.Chosen)
        {
            json.WriteString(choice.Field.Encoded, choice.From.Name);
        }

        json.WriteEndObject();
    }

    public static void WriteSources(Utf8JsonWriter json, SettingsCascade settings)
    {
        json.WriteStartObject();
        foreach (var (field, from) in settings.Sources())
        {
            json.WriteString(field, from);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, byte[] ready)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(ready, skipInputValidation: true);
    }
}
