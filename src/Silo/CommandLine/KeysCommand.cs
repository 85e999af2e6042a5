using PersonaActors.Contracts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Auth;
using PersonaActors.Grains.Tenants;
using PersonaActors.Silo.Configuration;
using PersonaActors.Silo.Keys;
using PersonaActors.Storage;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Silo.CommandLine;

public static class KeysCommand
{
    private const string Help = """
        personactors keys create --operator --name NAME
        personactors keys create --tenant NAME-OR-ID --kind user|service|tenant-admin --name NAME [--user ID] [--delegate]
        personactors keys list [--tenant NAME-OR-ID] [--operator]
        personactors keys revoke KEY-ID
        A key is shown once, when it is made. A revocation reaches serving nodes within seconds.
        """;

    public static async Task<int> Run(CommandArguments arguments, CancellationToken cancel)
    {
        if (arguments.WantsHelp)
        {
            Console.WriteLine(Help);
            return 0;
        }

        arguments.Allow("operator", "tenant", "kind", "name", "user", "delegate");
        switch (arguments.Word(0))
        {
            case "create":
                return await Create(arguments, cancel);
            case "list":
                return await List(arguments, cancel);
            case "revoke":
                return await Revoke(arguments, cancel);
            default:
                throw new UsageException(Help);
        }
    }

    private static async Task<int> Create(CommandArguments arguments, CancellationToken cancel)
    {
        var name = arguments.Required("name", "what is the key for?");
        await using var database = await OpenedDatabase.Open(Settings.Read(arguments.Configuration(), serves: false), cancel);
        var tenant = await Tenant(arguments, database, cancel);
        var kind = tenant is null ? ApiKeyKind.Operator : arguments.Option("kind") switch
        {
            "user" => ApiKeyKind.User,
            "service" => ApiKeyKind.Service,
            "tenant-admin" => ApiKeyKind.TenantAdmin,
            var other => throw new UsageException($"--kind is user, service or tenant-admin, not '{other}'."),
        };
        Guid? user = arguments.Option("user") is { } text
            ? Guid.TryParse(text, out var id) ? id : throw new UsageException("--user is a user's id.")
            : null;
        if (TenantRules.Check(new NewApiKey(Guid.Empty, kind, name, "", [], [], user, false)) is { } refusal)
        {
            throw new UsageException(refusal.Detail);
        }

        var key = await KeyWriter.Create(database, tenant, kind, name, user, kind == ApiKeyKind.Service || arguments.Has("delegate"), TimeProvider.System, cancel);
        Output.Print(arguments, new { key, kind, tenant, name }, key);
        return 0;
    }

    private static async Task<int> List(CommandArguments arguments, CancellationToken cancel)
    {
        await using var database = await OpenedDatabase.Open(Settings.Read(arguments.Configuration(), serves: false), cancel);
        var tenant = await Tenant(arguments, database, cancel);
        var store = new ApiKeyStore(database);
        var keys = new List<ApiKeyView>();
        for (var after = Guid.Empty; ;)
        {
            var page = await store.List(tenant, after, 200, cancel);
            keys.AddRange(page.Select(row => row.ToView()));
            if (page.Count < 200)
            {
                break;
            }

            after = page[^1].Id;
        }

        Output.Print(arguments, new { keys }, keys.Count == 0 ? "No keys." : string.Join('\n', keys.Select(Line)));
        return 0;
    }

    private static async Task<int> Revoke(CommandArguments arguments, CancellationToken cancel)
    {
        if (!Guid.TryParse(arguments.Word(1), out var id))
        {
            throw new UsageException("keys revoke KEY-ID: the id is what 'keys list' shows.");
        }

        await using var database = await OpenedDatabase.Open(Settings.Read(arguments.Configuration(), serves: false), cancel);
        if (await new ApiKeyStore(database).FindById(id, cancel) is not { } key)
        {
            await Console.Error.WriteLineAsync($"There is no key {id}.");
            return 1;
        }

        if (key.RevokedAt is null)
        {
            await KeyWriter.Revoke(database, key, TimeProvider.System, cancel);
        }

        Output.Print(arguments, new { revoked = id }, $"Revoked {id} ({key.Name}).");
        return 0;
    }

    private static async Task<Guid?> Tenant(CommandArguments arguments, Database database, CancellationToken cancel)
    {
        if (arguments.Has("operator"))
        {
            return null;
        }

        var named = arguments.Required("tenant", "name the tenant, or say --operator.");
        var tenants = new TenantStore(database);
        if (Guid.TryParse(named, out var id))
        {
            return id;
        }

        return (await tenants.FindByName(named, cancel))?.Id ?? throw new UsageException($"There is no tenant '{named}'.");
    }

    private static string Line(ApiKeyView key) =>
        $"{key.Id}  {ApiKeyStore.KindName(key.Kind),-12}  {key.Prefix}…  {(key.RevokedAt is null ? "active " : "revoked")}  {key.Name}";
}
