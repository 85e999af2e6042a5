using System.CommandLine;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Grains.Tenants;
using PersonaActors.Silo.Configuration;
using PersonaActors.Silo.Keys;
using PersonaActors.Storage;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Silo.CommandLine;

public static class KeysCommand
{
    private const int PageSize = 200;

    public static readonly Option<string> Name = new("--name") { Description = "What the key is for", Required = true };

    public static readonly Option<bool> Operator = new("--operator") { Description = "Of operators, who belong to no tenant" };

    public static readonly Option<string?> Tenant = new("--tenant") { Description = "Of this tenant", HelpName = "NAME-OR-ID" };

    public static readonly Option<string?> Kind = new("--kind") { Description = "A service acts for any user of its tenant" };

    public static readonly Option<Guid?> User = new("--user") { Description = "Whose, for a user's key", HelpName = "ID" };

    public static readonly Option<bool> Delegate = new("--delegate") { Description = "A tenant admin's key that acts for users, as a service's does unless this is false" };

    public static readonly Argument<Guid> Id = new("ID") { Description = "As 'keys list' shows it" };

    static KeysCommand() => Kind.AcceptOnlyFromAmong("user", "service", "tenant-admin");

    private sealed record ListedKey(
        Guid Id, Guid? Tenant, string? TenantName, ApiKeyKind Kind, string Name, string Prefix, Guid? UserId, bool MayDelegate, DateTimeOffset CreatedAt,
        DateTimeOffset? RevokedAt);

    public static async Task<int> Create(ParseResult given, CancellationToken cancel)
    {
        var (named, kindNamed, user) = (given.GetValue(Tenant), given.GetValue(Kind), given.GetValue(User));
        bool? delegates = given.GetResult(Delegate) is { Implicit: false } ? given.GetValue(Delegate) : null;
        if (given.GetValue(Operator) ? named is not null || kindNamed is not null || user is not null || delegates is not null : named is null || kindNamed is null)
        {
            throw new UsageException("A key is an operator's (--operator, without --tenant, --kind, --user and --delegate) or a tenant's (--tenant and --kind).");
        }

        var kind = kindNamed is null ? ApiKeyKind.Operator : ApiKeyStore.Kind(kindNamed);
        var mayDelegate = delegates ?? kind == ApiKeyKind.Service;
        var name = given.GetRequiredValue(Name);
        if (TenantRules.Check(new NewApiKey(Guid.Empty, kind, name, "", [], [], user, mayDelegate)) is { } refusal)
        {
            throw new UsageException(refusal.Detail);
        }

        await using var database = await OpenedDatabase.Open(Settings.Read(given.Configuration(), serves: false), cancel);
        var tenant = named is null ? null : (Guid?)(await Find(database, named, cancel)).Id;
        var key = await KeyWriter.Create(database, tenant, kind, name, user, mayDelegate, TimeProvider.System, cancel);
        given.Print(new { key, kind, tenant, name }, key);
        return 0;
    }

    public static async Task<int> List(ParseResult given, CancellationToken cancel)
    {
        var (named, operators) = (given.GetValue(Tenant), given.GetValue(Operator));
        if (named is not null && operators)
        {
            throw new UsageException("Operators' keys belong to no tenant: name --tenant or --operator, or neither for all keys.");
        }

        await using var database = await OpenedDatabase.Open(Settings.Read(given.Configuration(), serves: false), cancel);
        var store = new ApiKeyStore(database);
        var keys = new List<ListedKey>();
        // A tenant at a time: row-level security shows no more to anybody.
        foreach (var tenant in operators ? [null] : named is null ? [null, .. await Tenants(database, cancel)] : new TenantView?[] { await Find(database, named, cancel) })
        {
            await foreach (var key in store.All(tenant?.Id, cancel))
            {
                keys.Add(new ListedKey(
                    key.Id, tenant?.Id, tenant?.Name, key.Kind, key.Name, key.Prefix, key.UserId, key.MayDelegate, key.CreatedAt, key.RevokedAt));
            }
        }

        given.Print(new { keys }, keys.Count == 0 ? "No keys." : string.Join('\n', keys.Select(Line)));
        return 0;
    }

    public static async Task<int> Revoke(ParseResult given, CancellationToken cancel)
    {
        var id = given.GetValue(Id);
        await using var database = await OpenedDatabase.Open(Settings.Read(given.Configuration(), serves: false), cancel);
        if (await new ApiKeyStore(database).FindById(id, cancel) is not { } key)
        {
            await given.InvocationConfiguration.Error.WriteLineAsync($"There is no key {id}.");
            return 1;
        }

        if (key.RevokedAt is null)
        {
            await KeyWriter.Revoke(database, key, TimeProvider.System, cancel);
        }

        given.Print(new { revoked = id }, $"Revoked {id} ({key.Name}).");
        return 0;
    }

    private static async Task<TenantView> Find(Database database, string named, CancellationToken cancel)
    {
        var tenants = new TenantStore(database);
        return (Guid.TryParse(named, out var id) ? (await tenants.Load(id, new OwnerEpoch(StreamName.Tenant(id))))?.View : await tenants.FindByName(named, cancel))
            ?? throw new UsageException($"There is no tenant '{named}'.");
    }

    private static async Task<List<TenantView>> Tenants(Database database, CancellationToken cancel)
    {
        var all = new List<TenantView>();
        List<TenantView> page;
        do
        {
            page = await new TenantStore(database).List(all.LastOrDefault()?.Id ?? Guid.Empty, null, PageSize, cancel);
            all.AddRange(page);
        }
        while (page.Count == PageSize);

        return all;
    }

    private static string Line(ListedKey key) =>
        $"{key.Id}  {key.TenantName ?? "",-12}  {ApiKeyStore.KindName(key.Kind),-12}  {key.Prefix}…  {(key.RevokedAt is null ? "active " : "revoked")}  {key.Name}";
}
