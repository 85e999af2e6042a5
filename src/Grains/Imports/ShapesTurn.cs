using System.Security.Cryptography;
using System.Text;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Grains.Jobs;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Conversations;
using PersonaActors.Storage.Personalities;
using PersonaActors.Storage.Personas;

namespace PersonaActors.Grains.Imports;

/// <summary>What a part of an import from shapes.inc does for its user: looks, and makes or changes what isn't as it should be.</summary>
internal sealed class ShapesTurn(
    IGrainFactory grains, LlmConfigStore configs, PersonaStore personas, PersonalityStore personalities, MemoryStore memories, Guid tenant, Guid user, bool dryRun, ShapesFile file, CancellationToken cancel)
{
    private const int PageSize = 200;

    private readonly Actor _person = new(ActorKind.Service, user);

    // What a user's character rests on belongs to the tenant.
    private readonly Actor _tenants = new(ActorKind.Service, null);

    /// <summary>A name that makes no slug gets the same one at every import.</summary>
    private Guid Seed => new(SHA256.HashData(Encoding.UTF8.GetBytes($"{user} {file.SlugWish}")).AsSpan(0, 16));

    private IUserGrain User => grains.Of<IUserGrain>(new TenantScopedKey(tenant, user));

    public async Task<ShapesImport.Made> SystemPrompt()
    {
        var catalogue = grains.Of<ICatalogueGrain>(new TenantKey(tenant));
        var all = (await catalogue.Get()).Value.SystemPrompts.Values;
        if (all.Where(prompt => prompt.Content == file.SystemPrompt).MinBy(prompt => prompt.Id) is { } known)
        {
            return new ShapesImport.Made(known.Id, "reused");
        }

        return dryRun ? new ShapesImport.Made(null, "created") : new ShapesImport.Made(Checked(await catalogue.CreateSystemPrompt(
            Command.Unasked(_tenants), new SystemPromptDraft(Fit($"{file.Name} System Prompt", SystemPromptRules.MaxName), null, file.SystemPrompt, false))).Id, "created");
    }

    public async Task<ShapesImport.Made?> LlmConfig()
    {
        if (file.Llm is not { } wanted)
        {
            return null;
        }

        var own = (await configs.LoadOwned(tenant, user)).OrderBy(config => config.Id).ToList();
        if (own.Find(config => Says(config, wanted)) is { } same)
        {
            return new ShapesImport.Made(same.Id, "reused");
        }

        var name = Fit(file.Name, LlmConfigRules.MaxName);
        if (own.Find(config => config.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } mine)
        {
            if (!dryRun)
            {
                Checked(await User.UpdateLlmConfig(Command.Unasked(_person), mine.Id, ChangeTo(wanted)));
            }

            return new ShapesImport.Made(mine.Id, "updated");
        }

        return dryRun ? new ShapesImport.Made(null, "created") : new ShapesImport.Made(Checked(await User.CreateLlmConfig(Command.Unasked(_person), wanted with { Name = name })).Id, "created");
    }

    public async Task<(ShapesImport.Made, string)> Personality(ShapesImport.Made systemPrompt)
    {
        var draft = file.Personality with { SystemPromptId = systemPrompt.Id };
        // Of all the slugs that it could have got at an earlier import, the one that is the user's.
        foreach (var slug in FreeSlugs.Of(file.SlugWish, Seed).Take(10))
        {
            if (await personalities.Find(tenant, user, slug, cancel) is not { } named
                || await Grain(named.Id).Get(_person) is not { Value: var known } || known.RoleOf(user) is not (PersonalityRole.Owner or PersonalityRole.Editor) || known.Name != file.Name)
            {
                continue;
            }

            if (draft.Over(known) == known)
            {
                return (new ShapesImport.Made(known.Id, "unchanged"), known.Slug);
            }

            if (!dryRun)
            {
                Checked(await Grain(known.Id).Import(Command.Unasked(_person), draft, null));
            }

            return (new ShapesImport.Made(known.Id, "updated"), known.Slug);
        }

        var id = Guid.CreateVersion7();
        if (!dryRun)
        {
            var made = Checked(await FreeSlugs.Take(file.SlugWish, Seed, slug => Grain(id).Import(Command.Unasked(_person), draft with { Slug = slug }, null)));
            return (new ShapesImport.Made(made.Id, "created"), made.Slug);
        }

        foreach (var slug in FreeSlugs.Of(file.SlugWish, Seed))
        {
            if (await personalities.Find(tenant, null, slug, cancel) is null)
            {
                return (new ShapesImport.Made(null, "created"), slug);
            }
        }

        throw new InvalidOperationException("There is always another slug.");
    }

    public async Task DefaultConfig(ShapesImport.Made personality, ShapesImport.Made? config)
    {
        if (config?.Id is not { } id || personality.Id is not { } of || (await Grain(of).Get(_person))?.Value is not { } view || view.DefaultLlmConfigId == id || dryRun)
        {
            return;
        }

        Checked(await Grain(of).SetDefaultLlmConfig(Command.Unasked(_person), id));
    }

    public async Task<ShapesImport.Made?> Persona()
    {
        if (file.Persona is not { } wanted)
        {
            return null;
        }

        var found = (await personas.List(tenant, user, Guid.Empty, wanted.Name, PageSize, cancel)).Find(persona => persona.Name.Equals(wanted.Name, StringComparison.OrdinalIgnoreCase));
        if (found is null)
        {
            return dryRun ? new ShapesImport.Made(null, "created") : new ShapesImport.Made(Checked(await User.CreatePersona(Command.Unasked(_person), wanted)).Id, "created");
        }

        if ((found.Content, found.PreferredName, found.Pronouns) == (wanted.Content, wanted.PreferredName, wanted.Pronouns))
        {
            return new ShapesImport.Made(found.Id, "unchanged");
        }

        if (!dryRun)
        {
            Checked(await grains.Of<IPersonaGrain>(new OwnedKey(tenant, user, found.Id)).Update(Command.Unasked(_person), new PersonaChange(
                default, default, Patch<string>.Set(wanted.Content), Patch<string>.Set(wanted.PreferredName), Patch<string>.Set(wanted.Pronouns))));
        }

        return new ShapesImport.Made(found.Id, "updated");
    }

    public async Task Override(ShapesImport.Made personality, ShapesImport.Made? persona)
    {
        if (persona?.Id is not { } id || personality.Id is not { } of || dryRun)
        {
            return;
        }

        var known = (await User.GetOverride(of))?.Value;
        if (known?.PersonaId == id)
        {
            return;
        }

        Checked(await User.SetOverride(Command.Unasked(_person), of, new OverrideSlots(id, known?.LlmConfigId)));
    }

    /// <summary>Notes of the user, for this personality.</summary>
    /// <returns>How many are new.</returns>
    public async Task<int> Memories(ShapesImport.Made personality, ShapesMemory[] some)
    {
        if (!dryRun)
        {
            return Checked(await User.AddMemories(
                Command.Unasked(_person), [.. some.Select(memory => new NewUserMemory(personality.Id, memory.Text, "shapes.inc", memory.At))])).New;
        }

        var known = personality.Id is not { } of ? []
            : (await memories.Known(tenant, user, [.. some.Select(memory => memory.Text)])).Where(memory => memory.PersonalityId == of).Select(memory => memory.Content).ToHashSet();
        return some.Count(memory => !known.Contains(memory.Text));
    }

    private IPersonalityGrain Grain(Guid id) => grains.Of<IPersonalityGrain>(new TenantScopedKey(tenant, id));

    private static T Checked<T>(Outcome<T> outcome)
        where T : class => outcome.Refusal is { } refusal ? throw new JobFailedException(refusal.Code, refusal.Detail) : outcome.Value!;

    private static string Fit(string name, int max) => name.Length <= max ? name : name[..max];

    private static bool Says(LlmConfigView config, LlmConfigDraft wanted) =>
        wanted.ToView(config.Id, config.OwnerId, config.CreatedAt) with { Name = config.Name, Description = config.Description, Version = config.Version, UpdatedAt = config.UpdatedAt } == config;

    private static LlmConfigChange ChangeTo(LlmConfigDraft wanted) => new(
        default, default, Patch<string>.Set(wanted.Model), default, default, Patch<double?>.Set(wanted.Temperature), Patch<double?>.Set(wanted.TopP), Patch<double?>.Set(wanted.MinP),
        Patch<double?>.Set(wanted.TopA), Patch<int?>.Set(wanted.TopK), Patch<double?>.Set(wanted.FrequencyPenalty), Patch<double?>.Set(wanted.PresencePenalty),
        Patch<double?>.Set(wanted.RepetitionPenalty), default, default, default, default, default, default, default,
        Patch<double?>.Set(wanted.MemoryScoreThreshold), Patch<int?>.Set(wanted.MemoryLimit), default, default, default);
}
