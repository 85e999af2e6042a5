using PersonaActors.Contracts.Conversations;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Replicas;
using PersonaActors.Grains.Texts;
using PersonaActors.Storage;

namespace PersonaActors.Grains.Conversations;

/// <summary>A channel's newest messages as every read is answered, from the same replicas as prompts: no call and no statement.</summary>
public sealed class ChannelDesk(Replicas.Replicas replicas, Database database, Clock time)
{
    private const int Around = 128;

    public async ValueTask<WindowAnswer?> Window(ChannelKey channel, Actor actor, Guid? personality, int last)
    {
        // First, so that nothing from before the database was replaced is answered under its successor's.
        var epoch = database.Epoch;
        var ((found, seq, days), _) = await replicas.AtOnce(channel, Gather);
        if (found is null || (actor.User is { } user && !found.Has(user)))
        {
            return null;
        }

        var said = found.Last(personality, last, time.GetUtcNow().AddDays(-days));
        var output = new Utf8Writer(Around + said.Sum(static one => one.Json.Length + 1)).Write("{\"items\":["u8);
        for (var i = 0; i < said.Count; i++)
        {
            output.Write(i > 0 ? ","u8 : []).Write(said[i].Json);
        }

        output.Write("],\"next\":null,\"cursor\":{\"epoch\":\""u8).WriteAscii(epoch).Write("\",\"seq\":"u8).WriteAscii($"{seq}").Write("}}"u8);
        return new WindowAnswer(output.Written, epoch, seq);
    }

    private static (PreparedChannel? Channel, long Seq, int RetentionDays) Gather(Reading reading, ChannelKey key)
    {
        var channel = reading.Take(ChannelReplicas.Channel, new ReplicaKey(ReplicaKind.Channel, key));
        var tenant = reading.Take(PromptReplicas.Tenant, new ReplicaKey(ReplicaKind.Tenant, new TenantKey(key.Tenant)));
        return channel?.View is null
            ? default
            : (channel.Made(PreparedChannel.Of), channel.Version, tenant?.View?.ConversationRetentionDays ?? 0);
    }
}
