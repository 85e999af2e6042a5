using System.Collections.Immutable;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Storage.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>A channel as its grain holds it. Row version 0 means that nothing was ever written.</summary>
public sealed record ChannelState(
    ChannelView View, ImmutableDictionary<Guid, ChannelMember> Members, Items<Activation> Active, LiveWindow Window, long RowVersion, long Seq)
{
    private ChannelSide? _side;

    public ChannelSide Side => _side ??= new ChannelSide(View.Settings, Window.Messages, Members.Keys.ToItems());

    /// <summary>Who names no user stands for anybody.</summary>
    public bool Admits(Actor actor) => actor.User is not { } user || Members.ContainsKey(user);

    public static ChannelState New(string id, DateTimeOffset now) => new(
        new ChannelView(id, SettingsTier.Empty, 0, 0, now, now), ImmutableDictionary<Guid, ChannelMember>.Empty, [], LiveWindow.Empty, 0, 0);

    public static ChannelState From(ChannelRow row) => new(
        row.View, row.Members.ToImmutableDictionary(member => member.UserId), row.Active, LiveWindow.Of(row.Newest, row.View.LastNumber), row.RowVersion, row.Seq);

    /// <summary>As it will be; what is shown is made of that again.</summary>
    public ChannelState Next() => this with { RowVersion = RowVersion + 1, _side = null };

    /// <summary>Event data: what it is about, and the merge patch of the channel.</summary>
    public JsonText Told(ChannelState before, string part, object? value) => before.RowVersion == 0
        ? JsonText.From(new Dictionary<string, object?> { [part] = value, ["changes"] = View })
        : MergePatch.Between(before.View, View, part, value);
}
