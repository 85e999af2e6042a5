using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Auth;
using PersonaActors.Storage;
using PersonaActors.Storage.Events;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Silo.Keys;

/// <summary>Keys written while no grain runs: the command line's, the demo's. A serving node learns of them from the log, as of any other.</summary>
public static class KeyWriter
{
    public static async Task<string> Create(
        Database database, Guid? tenant, ApiKeyKind kind, string name, Guid? user, bool mayDelegate, TimeProvider time, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var (text, key) = ApiKeyText.Make(Guid.CreateVersion7(now), kind, name, user, mayDelegate);
        var view = new ApiKeyView(key.Id, kind, name, key.Prefix, user, mayDelegate, now, null);
        var batch = database.Begin(Scope(tenant));
        ApiKeyStore.Insert(batch, tenant, key, now);
        batch.Append(Stream(tenant), null, "key.created", now, JsonText.From(new { key = view }));
        await EventHints.Send(database, tenant, await batch.Commit(static () => { }, cancel), cancel);
        return text;
    }

    public static async Task Revoke(Database database, ApiKeyRow key, TimeProvider time, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var batch = database.Begin(Scope(key.Tenant));
        ApiKeyStore.Revoke(batch, key.Id, now);
        batch.Append(Stream(key.Tenant), null, EventTypes.KeyRevoked, now, JsonText.From(new { key = key.ToView() with { RevokedAt = now } }));
        await EventHints.Send(database, key.Tenant, await batch.Commit(static () => { }, cancel), cancel);
    }

    private static RowScope Scope(Guid? tenant) => tenant is { } id ? RowScope.OfTenant(id) : RowScope.OfOperator();

    private static string Stream(Guid? tenant) => tenant is { } id ? StreamName.Tenant(id) : StreamName.System;
}
