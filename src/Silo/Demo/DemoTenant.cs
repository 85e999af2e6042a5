using Npgsql;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Gateway.Auth;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Silo.Keys;
using PersonaActors.Storage;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Silo.Demo;

/// <summary>
/// The tenant that a first look happens in, and whom everybody acts as with auth off. Made before the node serves, so no
/// grain is there to write it; the statements are those that the tenant's grain uses.
/// </summary>
public sealed class DemoTenant(Database database, TimeProvider time)
{
    public const string Name = "demo";
    private const string KeyName = "demo";

    /// <summary>So that the first prompt names a model: without one, no upstream takes it.</summary>
    public static readonly LlmConfigDraft FirstConfig = LlmConfigDraft.Empty with
    {
        Name = Name,
        Description = "What holds where nobody chose otherwise.",
        Model = "gpt-4o-mini",
        Temperature = 0.8,
        MaxTokens = 1024,
        IsDefault = true,
    };

    /// <param name="config">A default LLM config for the tenant, if it has to be made.</param>
    public async Task<Guid> Ensure(CancellationToken cancel, LlmConfigDraft? config = null)
    {
        var tenants = new TenantStore(database);
        if (await tenants.FindByName(Name, cancel) is { } known)
        {
            return known.Id;
        }

        var now = time.GetUtcNow();
        var tenant = new TenantView(Guid.CreateVersion7(now), Name, "Demo", 7, 1, now, now, SettingsTier.Empty, 7);
        var batch = database.Begin(RowScope.OfOperator(tenant.Id));
        TenantStore.Insert(batch, tenant);
        batch.Append(StreamName.Tenant(tenant.Id), null, "tenant.created", now, MergePatch.Created(tenant));
        try
        {
            await batch.Commit(static () => { }, cancel);
        }
        catch (PostgresException e) when (e.IsUnique(TenantStore.NameKey))
        {
            return (await tenants.FindByName(Name, cancel))!.Id;
        }

        if (config is not null)
        {
            var first = database.Begin(RowScope.OfTenant(tenant.Id));
            new CatalogueChange(first, tenant.Id, StreamName.Catalogue(tenant.Id), CatalogueState.Of(new CatalogueRows(0, 0, [], [], [])), now)
                .Put(config.ToView(Guid.CreateVersion7(now), null, now));
            await first.Commit(static () => { }, cancel);
        }

        return tenant.Id;
    }

    public ValueTask<bool> HasKey(Guid tenant, CancellationToken cancel) =>
        new ApiKeyStore(database).All(tenant, cancel).AnyAsync(key => key is { Kind: ApiKeyKind.TenantAdmin, Name: KeyName, RevokedAt: null }, cancel);

    /// <summary>The key in the file if it still opens the tenant, else a new one, written there readable for its owner only.</summary>
    public async Task<string> EnsureKey(Guid tenant, string? file, CancellationToken cancel)
    {
        if (file is not null && File.Exists(file))
        {
            var text = (await File.ReadAllTextAsync(file, cancel)).Trim();
            if (ApiKeyText.Hash(text) is { } hash
                && await new ApiKeyStore(database).FindByHash(hash, cancel) is { RevokedAt: null } known && known.Tenant == tenant)
            {
                return text;
            }
        }

        var fresh = await KeyWriter.Create(database, tenant, ApiKeyKind.TenantAdmin, KeyName, null, mayDelegate: true, time, cancel);
        if (file is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            await using var stream = new FileStream(file, options);
            await using var writer = new StreamWriter(stream);
            await writer.WriteLineAsync(fresh);
        }

        return fresh;
    }
}
