using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts;

namespace PersonaActors.Grains.Prompts;

/// <summary>Every tier's value for every field, set or not: why the answer is as it is, and what would hold if a nearer tier said nothing.</summary>
public static class PromptExplanation
{
    public static JsonObject Of(ResolvedPrompt resolved)
    {
        var material = resolved.Material;
        return new JsonObject
        {
            ["persona"] = new JsonObject
            {
                [Source.Override] = Named(material.OverridePersona?.Id, material.OverridePersona?.Name, material.OverridePersona?.Version),
                [Source.UserDefault] = Named(material.DefaultPersona?.Id, material.DefaultPersona?.Name, material.DefaultPersona?.Version),
            },
            ["systemPrompt"] = new JsonObject
            {
                [Source.Personality] = material.Personality?.SystemPromptId is null
                    ? null
                    : Named(material.Catalogue.SystemPrompt?.Id, material.Catalogue.SystemPrompt?.Name, material.Catalogue.SystemPrompt?.Version),
                [Source.TenantDefault] = Named(
                    material.Catalogue.DefaultSystemPrompt?.Id, material.Catalogue.DefaultSystemPrompt?.Name, material.Catalogue.DefaultSystemPrompt?.Version),
            },
            ["configs"] = Tiers(resolved, tier => Named(tier.Config?.Id, tier.Config?.Name, tier.Config?.Version)),
            ["llm"] = new JsonObject(LlmField.All.Select(field => KeyValuePair.Create<string, JsonNode?>(
                field.Name, Tiers(resolved, tier => tier.Config is { } config && field.Of(config) is { } value ? JsonSerializer.SerializeToNode(value, value.GetType(), Wire.Json) : null)))),
            ["settings"] = resolved.Settings.Explain(),
        };
    }

    private static JsonObject Tiers(ResolvedPrompt resolved, Func<LlmTier, JsonNode?> value) =>
        new(resolved.Llm.Tiers.Select(tier => KeyValuePair.Create(tier.Name, value(tier))));

    private static JsonObject? Named(Guid? id, string? name, long? version) =>
        id is null ? null : new JsonObject { ["id"] = id, ["name"] = name, ["version"] = version };
}
