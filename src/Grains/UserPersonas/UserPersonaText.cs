using PersonaActors.Contracts.UserPersonas;

namespace PersonaActors.Grains.UserPersonas;

/// <summary>The prompt of a user persona, word for word as the founding document's buildPrompt made it.</summary>
public static class UserPersonaText
{
    public static string Build(UserPersonaView persona)
    {
        var prompt = persona.SystemPrompt;
        if (persona.Traits.Count > 0)
        {
            prompt += $"\n\nPersonality traits: {string.Join(", ", persona.Traits)}.";
        }

        if (persona.Domains.Count > 0)
        {
            prompt += $"\n\nAreas of expertise: {string.Join(", ", persona.Domains)}.";
        }

        return prompt;
    }
}
