using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Storage.Events;

namespace PersonaActors.Tests.Harness;

/// <summary>What a client does that keeps an entity true by its stream: the state it read, and the changes of each later event.</summary>
public static class Replay
{
    /// <summary>Checks that <paramref name="before"/> and the events after its cursor give <paramref name="after"/>; answers the events' types.</summary>
    public static async Task<string[]> ShouldGive(Node node, string stream, JsonObject before, JsonObject after, Guid? tenant = null)
    {
        var state = before.DeepClone().AsObject();
        var page = await node.Services.GetRequiredService<EventLog>().After(tenant ?? node.Demo, stream, (long)before["cursor"]!["seq"]!, CancellationToken.None);
        foreach (var e in page.Events)
        {
            if (JsonNode.Parse(e.Data.Json)!["changes"] is JsonObject changes)
            {
                Apply(state, changes);
            }
        }

        Assert.Equal(page.Newest, (long)after["cursor"]!["seq"]!);
        state.Remove("cursor");
        var expected = after.DeepClone().AsObject();
        expected.Remove("cursor");
        Assert.True(JsonNode.DeepEquals(WithoutNulls(state), WithoutNulls(expected)), $"{state}\n{expected}");
        return [.. page.Events.Select(e => e.Type)];
    }

    /// <summary>RFC 7396.</summary>
    public static void Apply(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                case null:
                    target.Remove(name);
                    break;
                case JsonObject inner:
                    var nested = target[name] as JsonObject ?? [];
                    target[name] = nested.Parent is null ? nested : nested.DeepClone();
                    Apply(target[name]!.AsObject(), inner);
                    break;
                default:
                    target[name] = value.DeepClone();
                    break;
            }
        }
    }

    /// <summary>A merge patch can't tell null from absent, at whatever depth.</summary>
    private static JsonObject WithoutNulls(JsonObject json) => new(json.Where(member => member.Value is not null).Select(member =>
        KeyValuePair.Create<string, JsonNode?>(member.Key, member.Value is JsonObject nested ? WithoutNulls(nested) : member.Value!.DeepClone())));
}
