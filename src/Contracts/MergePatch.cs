using System.Text.Json;
using System.Text.Json.Nodes;

namespace PersonaActors.Contracts;

/// <summary>
/// What an event says of a changed entity: an RFC 7396 merge patch of the body that GET answers, under "changes".
/// A client that applies it to the state it has gets the state after the event.
/// </summary>
public static class MergePatch
{
    /// <summary>Event data for an entity that came to be.</summary>
    public static JsonText Created<T>(T after) => new($$"""{"changes":{{JsonSerializer.Serialize(after, Wire.Json)}}}""");

    /// <summary>Event data for an entity that changed: only the members that differ, null for those that went.</summary>
    public static JsonText Between<T>(T before, T after)
    {
        var patch = Difference(JsonSerializer.SerializeToNode(before, Wire.Json)!.AsObject(), JsonSerializer.SerializeToNode(after, Wire.Json)!.AsObject());
        return new JsonText(new JsonObject { ["changes"] = patch }.ToJsonString(Wire.Json));
    }

    /// <summary>As <see cref="Between{T}(T, T)"/>, with what the event is about beside it: a part that GET of the entity doesn't show.</summary>
    public static JsonText Between<T>(T before, T after, string part, object? value)
    {
        var patch = Difference(JsonSerializer.SerializeToNode(before, Wire.Json)!.AsObject(), JsonSerializer.SerializeToNode(after, Wire.Json)!.AsObject());
        return new JsonText(new JsonObject { [part] = JsonSerializer.SerializeToNode(value, Wire.Json), ["changes"] = patch }.ToJsonString(Wire.Json));
    }

    public static JsonObject Difference(JsonObject before, JsonObject after)
    {
        var patch = new JsonObject();
        foreach (var (name, old) in before)
        {
            if (!after.TryGetPropertyValue(name, out var now) || (now is null && old is not null))
            {
                patch[name] = null;
            }
            else if (old is JsonObject oldObject && now is JsonObject nowObject)
            {
                var inner = Difference(oldObject, nowObject);
                if (inner.Count > 0)
                {
                    patch[name] = inner;
                }
            }
            else if (!JsonNode.DeepEquals(old, now))
            {
                patch[name] = now!.DeepClone();
            }
        }

        foreach (var (name, now) in after)
        {
            if (!before.ContainsKey(name))
            {
                patch[name] = now?.DeepClone();
            }
        }

        return patch;
    }
}
