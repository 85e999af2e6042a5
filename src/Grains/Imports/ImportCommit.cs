using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Events;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Imports;

namespace PersonaActors.Grains.Imports;

/// <summary>
/// The end of an import's transaction. The rows that were here before are changed last, while the grains that own them yield:
/// for a moment, however long the import took.
/// </summary>
public sealed class ImportCommit(IGrainFactory grains, EventFeed feed)
{
    /// <param name="prompts">What is new in the catalogue.</param>
    /// <param name="touched">Users who were here and got something.</param>
    /// <param name="fresh">What wasn't here at all.</param>
    public async Task Commit(
        ImportTransaction transaction, Guid tenant, IReadOnlyCollection<SystemPromptView> prompts, IReadOnlyCollection<LlmConfigView> configs,
        IReadOnlyCollection<Guid> touched, IReadOnlyCollection<NewThing> fresh, DateTimeOffset now)
    {
        var owners = touched.Select(user => (IAddressable)grains.Of<IUserGrain>(new TenantScopedKey(tenant, user))).ToList();
        owners.AddRange(await ActiveOf(tenant, fresh));
        var changesCatalogue = prompts.Count + configs.Count > 0;
        if (changesCatalogue)
        {
            owners.Add(grains.Of<ICatalogueGrain>(new TenantKey(tenant)));
        }

        await using (var yielded = await Yielded.Take(owners))
        {
            var last = transaction.Batch();
            if (changesCatalogue)
            {
                CatalogueStore.Raise(last, tenant, await transaction.CatalogueVersion(tenant, CancellationToken.None) + 1);
                last.Append(StreamName.Catalogue(tenant), null, "catalogue.imported", now, JsonText.From(new
                {
                    changes = new { systemPrompts = prompts.ToDictionary(prompt => prompt.Id), llmConfigs = configs.ToDictionary(config => config.Id) },
                }));
            }

            foreach (var user in touched)
            {
                var version = await transaction.RaiseUser(tenant, user, now, CancellationToken.None);
                last.Append(StreamName.User(user), user, "user.imported", now, JsonText.From(new { changes = new { version, updatedAt = now } }));
            }

            await transaction.Run(last);
            yielded.ThrowIfLate();
            await transaction.Commit(CancellationToken.None);
        }

        feed.Announce(tenant, transaction.Events);
        // Whoever was asked for what wasn't there yet, while this committed, has to look again.
        await (await Yielded.Take(await ActiveOf(tenant, fresh))).DisposeAsync();
    }

    /// <summary>Of the new things, those that some silo has a grain for: it was asked for, and knows of nothing.</summary>
    private async Task<List<IAddressable>> ActiveOf(Guid tenant, IReadOnlyCollection<NewThing> fresh)
    {
        var management = grains.GetGrain<IManagementGrain>(0);
        var active = new List<IAddressable>();
        foreach (var of in fresh.SelectMany(thing => Of(tenant, thing)).GroupBy(grain => grain.GetGrainId().Type))
        {
            var known = (await management.GetActiveGrains(of.Key)).ToHashSet();
            active.AddRange(of.Where(grain => known.Contains(grain.GetGrainId())));
        }

        return active;
    }

    private IAddressable[] Of(Guid tenant, NewThing thing)
    {
        if (thing.Kind == "channel")
        {
            return [grains.Of<IChannelGrain>(new ChannelKey(tenant, thing.Id))];
        }

        var key = new TenantScopedKey(tenant, Guid.Parse(thing.Id));
        return thing.Kind switch
        {
            "user" => [grains.Of<IUserGrain>(key), grains.Of<IPersonSessionsGrain>(key), grains.Of<ICompanionGrain>(key), grains.Of<IMindscapeGrain>(key)],
            "persona" => [grains.Of<IPersonaGrain>(new OwnedKey(tenant, thing.Owner!.Value, key.Id))],
            "user-persona" => [grains.Of<IUserPersonaGrain>(key)],
            _ => [grains.Of<IPersonalityGrain>(key)],
        };
    }
}
