using Microsoft.Extensions.Caching.Memory;
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
public sealed class PersonalityIndex(PersonalityStore store) : IDisposable
{
    private const int Capacity = 100_000;
    private const int MaxText = 100;

    private readonly MemoryCache _idBySlug = new(new MemoryCacheOptions { SizeLimit = Capacity });

    /// <summary>By the personality's stream, the slug that it is known by: another one of the same personality doesn't count any more.</summary>
    private readonly MemoryCache _slugs = new(new MemoryCacheOptions { SizeLimit = Capacity });
    private long _changes;

    private sealed record Slug(Guid Tenant, string Text);

    private sealed record Named(Guid Id, string Stream);

    /// <summary>Without asking anybody: an id, or a slug that is remembered.</summary>
    public Guid? Known(Guid tenant, ReadOnlySpan<char> text) => Guid.TryParse(text, out var id) ? id
        : text.Length <= MaxText && new Slug(tenant, text.ToString()) is var slug && _idBySlug.TryGetValue(slug, out Named? named)
            && _slugs.TryGetValue(named!.Stream, out Slug? current) && current == slug ? named.Id : null;

    public ValueTask<Guid?> Find(Guid tenant, Guid? user, string text, CancellationToken cancel) =>
        Known(tenant, text) is { } id ? ValueTask.FromResult<Guid?>(id) : Look(tenant, user, text, cancel);

    /// <summary>For who found that the personality has another slug than the one asked for, or is gone: the next look is a fresh one.</summary>
    /// <returns>Whether anything was remembered, so that it is worth looking again.</returns>
    public bool Forget(Guid tenant, string slug)
    {
        var known = Known(tenant, slug) is not null;
        _idBySlug.Remove(new Slug(tenant, slug));
        return known;
    }

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

        var (slug, named, entry) = (new Slug(tenant, text), new Named(id, StreamName.Personality(id)), new MemoryCacheEntryOptions { Size = 1 });
        _idBySlug.Set(slug, named, entry);
        _slugs.Set(named.Stream, slug, entry);
        if (Volatile.Read(ref _changes) != before)
        {
            _slugs.Remove(named.Stream);
        }

        return id;
    }

    public void ForgetStream(string stream)
    {
        Interlocked.Increment(ref _changes);
        _slugs.Remove(stream);
    }

    public void Dispose()
    {
        _idBySlug.Dispose();
        _slugs.Dispose();
    }
}
