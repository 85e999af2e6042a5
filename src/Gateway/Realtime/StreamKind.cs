using PersonaActors.Contracts.Events;
using PersonaActors.Gateway.Auth;

namespace PersonaActors.Gateway.Realtime;

/// <summary>What a caller sees of a stream's entity: the state as of <see cref="Seq"/>, read at once with it.</summary>
/// <param name="Tenant">Whose log the stream lies in; none for the system's.</param>
/// <param name="State">What GET of the entity answers; made only where it is sent.</param>
public sealed record StreamSight(Guid? Tenant, string Epoch, long Seq, Func<JsonText> State)
{
    /// <summary>Where the caller sees less than there is.</summary>
    public Guise? Guise { get; init; }

    /// <summary>Another stream on which may be told that this one is lost: of the user to whom the thing belongs.</summary>
    public string? LeansOn { get; init; }
}

/// <summary>How a stream is told to those who see less of its thing than there is. A kind of stream has one at most.</summary>
/// <param name="Mark">The end of its epoch: where the state is another one too, a cursor of the whole isn't gone on with in this, nor the other way round.</param>
/// <param name="Show">The event without what isn't theirs to see.</param>
public sealed record Guise(string Mark, Func<StreamEvent, StreamEvent> Show);

/// <summary>
/// One kind of stream, the part of a name before its colon. <see cref="Look"/> answers nothing alike for an id that is
/// malformed, unknown, of another tenant or not the caller's to see: outside they are one.
/// </summary>
/// <param name="Look">From who asks and the part of the name behind the colon to what may be seen.</param>
/// <param name="ChangesAccess">Events of this kind of stream after which some subscribers may have lost it: they are looked at again before the next one is told.</param>
public sealed record StreamKind(string Name, Func<Acting, string, ValueTask<StreamSight?>> Look, Func<string, bool>? ChangesAccess = null)
{
    /// <summary>What makes this a derived stream: stored nowhere, made of what it follows.</summary>
    public Derivation? Derived { get; init; }

    /// <summary>From how HTTP names the thing to the part of the name behind the colon: one spelling per stream, or two relays would serve it.</summary>
    public Func<Acting, string, ValueTask<string?>>? Spell { get; init; }

    /// <summary>A stream named by an entity's id: read by the entity's grain, shown to whom <paramref name="maySee"/> admits.</summary>
    public static StreamKind Of<T>(
        string name, Func<Acting, Guid, Task<Read<T>?>> read, Func<Acting, T, ValueTask<bool>> maySee, Func<string, bool>? changesAccess = null, Func<T, Guid>? owner = null,
        Func<Acting, T, Guise?>? guise = null)
        where T : class =>
        new(name, async (acting, rest) =>
        {
            if (!Guid.TryParseExact(rest, "D", out var id) || id.ToString() != rest)
            {
                return null;
            }

            return await read(acting, id) is { } found && await maySee(acting, found.Value)
                ? new StreamSight(acting.Tenant, found.Epoch, found.Seq, () => JsonText.From(found.Value))
                {
                    LeansOn = owner is null ? null : StreamName.User(owner(found.Value)),
                    Guise = guise?.Invoke(acting, found.Value),
                }
                : null;
        }, changesAccess);
}

/// <summary>
/// A derived stream has versions instead of numbers: an event's epoch is the version and its number always 1, so that a
/// cursor of another version is simply answered with the newest. Versions in between may be left out.
/// </summary>
/// <param name="Read">The newest state of a tenant's stream, by the part of the name behind the colon; nothing if it is gone.</param>
/// <param name="Follow">Called when the first subscriber comes; calls back whenever the state may be another; disposed after the last.</param>
/// <param name="MayMiss">It may not be called back: then it is read again every so often.</param>
public sealed record Derivation(Func<Guid, string, ValueTask<DerivedState?>> Read, Func<Guid, string, Action, IDisposable> Follow, bool MayMiss);

/// <param name="Type">The type of the event that tells it.</param>
/// <param name="IsSettled">Whether what it follows will tell of the next change; if not, it is read again soon.</param>
public sealed record DerivedState(string Version, string Type, JsonText Data, bool IsSettled);

/// <summary>All kinds of streams that this gateway serves.</summary>
public sealed class StreamDirectory(IEnumerable<StreamKind> kinds)
{
    private readonly Dictionary<string, StreamKind> _kinds = kinds.ToDictionary(kind => kind.Name, StringComparer.Ordinal);

    public static readonly StreamRefusal NotFound = new("stream_not_found", "There is no such stream.");

    /// <summary>Whether after such an event somebody may have lost the stream, or what leans on it.</summary>
    public bool ChangesAccess(string stream, string type) =>
        stream.IndexOf(':') is > 0 and var colon && _kinds.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(stream.AsSpan(0, colon), out var kind)
        && kind.ChangesAccess?.Invoke(type) is true;

    /// <summary>The one name of a stream that a caller may name as HTTP names things. What names nothing stays as it is, and isn't found.</summary>
    public async ValueTask<string?> Spell(Acting acting, string? stream)
    {
        if (stream is not { Length: <= StreamName.MaxLength })
        {
            return stream;
        }

        var (name, rest) = stream.IndexOf(':') is >= 0 and var colon ? (stream[..colon], stream[(colon + 1)..]) : (stream, "");
        return _kinds.TryGetValue(name, out var kind) && kind.Spell is { } spell && await spell(acting, rest) is { } spelled ? $"{name}:{spelled}" : stream;
    }

    /// <summary>The one way from a name to a stream: at subscribe, at resume, when access may have changed, over the hub and over HTTP.</summary>
    public async ValueTask<(StreamKind Kind, StreamSight Sight)?> Look(Acting acting, string? stream)
    {
        var colon = stream is { Length: <= StreamName.MaxLength } ? stream.IndexOf(':') : -1;
        return colon > 0 && _kinds.TryGetValue(stream![..colon], out var kind) && await kind.Look(acting, stream[(colon + 1)..]) is { } sight
            ? (kind, sight)
            : null;
    }
}
