using System.Text.Json.Nodes;
using PersonaActors.Contracts.Focus;

namespace PersonaActors.Gateway.Focus;

/// <summary>The keys of a ping that are known; the others are stored and ignored.</summary>
public static class PingKeys
{
    private static readonly string[] Numbers = ["focus", "energy", "stress", "heart_rate", "idle_seconds", "distractions"];

    public static (Biomarkers? Biomarkers, Refusal? Refusal) Read(JsonObject? given)
    {
        var all = given ?? [];
        var known = new double?[Numbers.Length];
        for (var i = 0; i < Numbers.Length; i++)
        {
            if (all.TryGetPropertyValue(Numbers[i], out var value) && value is not null)
            {
                if (value is not JsonValue number || !number.TryGetValue<double>(out var parsed))
                {
                    return (null, Refusal.Invalid($"biomarkers.{Numbers[i]}", $"'{Numbers[i]}' is a number."));
                }

                known[i] = parsed;
            }
        }

        return (new Biomarkers(known[0], known[1], known[2], known[3], known[4], known[5], new JsonText(all.ToJsonString(Wire.Json))), null);
    }
}
