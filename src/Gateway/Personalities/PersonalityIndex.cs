using System.Collections.Concurrent;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Storage.Personalities;

namespace PersonaActors.Gateway.Personalities;

/// <summary>
/// Which personality a text in an address means: its id, its slug, or an alias (the user's own before the tenant's). Slugs
/// are remembered, and forgotten when one hears that their personality changed or went. That may be late, so whoever reads
/// the personality next compares its slug (see <see cref="Forget"/>): a slug that moved on is never followed. Whether the
/// caller may use it is the grain's to say.
/// </summary>
public sealed class PersonalityIndex(PersonalityStore store)
{
    private const int Capacity = 100_000;
    private const int MaxText = 100;

    private readonly ConcurrentDictionary<(Guid Tenant, string Slug), Guid> _bySlug = new();
    private readonly ConcurrentDictionary<string, (Guid Tenant, string Slug)> _byStream = new();
    private long _changes;

    /// <summary>Without asking anybody: an id, or a slug that is remembered.</summary>
    public Guid? Known(Guid tenant, ReadOnlySpan<char> text) =>
        Guid.TryParse(text, out var id) || (text.Length <= MaxText && _bySlug.TryGetValue((tenant, text.ToString()), out id)) ? id : null;

    public ValueTask<Guid?> Find(Guid tenant, Guid? user, string text, CancellationToken cancel) =>
        Known(tenant, text) is { } id ? ValueTask.FromResult<Guid?>(id) : Look(tenant, user, text, cancel);

    /// <summary>For who found that the personality has another slug than the one asked for, or is gone: the next look is a fresh one.</summary>
    /// <returns>Whether anything was remembered, so that it is worth looking again.</returns>
    public bool Forget(Guid tenant, string slug) => _bySlug.TryRemove((tenant, slug), out _);

    private async ValueTask<Guid?> Look(Guid tenant, Guid? user, string text, CancellationToken cancel)
    {
        if (text.Length > MaxText || text.Contains('\0'))
        {
            return null;
        }

        // What changes while we look is not remembered.
        var before = Volatile.Read(ref _changes);
        if (await store.FindBySlug(tenant, text, cancel) is not { } id)
        {
            return await store.FindByAlias(tenant, user, text, cancel);
        }

        if (_bySlug.Count >= Capacity)
        {
            _bySlug.Clear();
            _byStream.Clear();
        }

        // Renamed, and asked for by its new slug before that was announced: the old one would be remembered for good.
        var stream = StreamName.Personality(id);
        if (_byStream.TryGetValue(stream, out var old) && old != (tenant, text))
        {
            _bySlug.TryRemove(old, out _);
        }

        _byStream[stream] = (tenant, text);
        _bySlug[(tenant, text)] = id;
        if (Volatile.Read(ref _changes) != before)
        {
            _bySlug.TryRemove((tenant, text), out _);
        }

        return id;
    }

    public void ForgetStream(string stream)
    {
        Interlocked.Increment(ref _changes);
        if (_byStream.TryRemove(stream, out var known))
        {
            _bySlug.TryRemove(known, out _);
        }
    }
}
