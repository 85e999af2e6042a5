using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Grains.Outbox;
using PersonaActors.Grains.Replicas;
using PersonaActors.Grains.Settings;
using PersonaActors.Storage;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Personalities;

namespace PersonaActors.Grains.Personalities;

/// <summary>
/// One AI character. Reads interleave: they see the last committed state, whole, because it is one reference. Every change,
/// of owners, aliases and the default config too, raises the one version. To who may not use it, it isn't there.
/// </summary>
public sealed class PersonalityGrain(Database database, PersonalityStore store, LlmConfigStore configs, Owners owners, Clock time)
    : Grain, IPersonalityGrain
{
    public const int MaxOwners = 200;

    private static readonly Refusal NotFound = Refusal.NotFound("personality");

    private TenantScopedKey _key;
    private string _stream = "";
    private Owner _owner = null!;
    private PersonalityRow? _state;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantScopedKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.Personality(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Personality, _key), _stream, () => _state?.View.Version ?? 0, DeactivateOnIdle);
        _state = await store.Load(_key.Tenant, _key.Id, _owner.Epoch);
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<PersonalityView>> Grant(SiloAddress holder) => _owner.Grant(holder, () => _state?.View);

    public Task<Read<PersonalityView>?> Get(Actor actor) => Task.FromResult(
        _state is not { } row || !row.View.MayUse(actor) ? null
        : row.View.MaySeeDefinition(actor) ? new Read<PersonalityView>(row.View, database.Epoch, row.Seq)
        : new Read<PersonalityView>(row.View.WithoutDefinition(), database.Epoch + PersonalityView.CardMark, row.Seq));

    public Task<Outcome<PersonalityView>> Create(Command command, PersonalityDraft draft) => _state is null
        ? Make(command, draft, null, static next => PersonalityRules.Check(next))
        // Ids are made for each command; only a repeat can meet its own, and the log has the first answer.
        : throw new CommandRepeatedException("The personality was made by this command before.");

    public async Task<Outcome<PersonalityView>> Import(Command command, PersonalityDraft draft, ImportedCard? card)
    {
        if (_state is null)
        {
            return await Make(command, draft, card, PersonalityRules.CheckImported);
        }

        if (Check(command, PersonalityRole.Editor) is { } no)
        {
            return no;
        }

        var known = _state.View;
        var next = draft.Over(known);
        return PersonalityRules.CheckImported(next) is { } refusal
            ? refusal
            : await Change(command, PersonalityEvents.Updated, next, card is null ? null : (batch, now) => CardStore.Save(batch, _key.Tenant, _key.Id, card, now));
    }

    private async Task<Outcome<PersonalityView>> Make(Command command, PersonalityDraft draft, ImportedCard? card, Func<PersonalityView, Refusal?> check)
    {
        if (command.Actor is { User: null, IsAdmin: false })
        {
            return new Refusal(RefusalKind.Invalid, "user_required", "Name the user who is to own the personality.", "user");
        }

        var now = Now();
        Items<PersonalityOwner> owners = command.Actor.User is { } user ? [new PersonalityOwner(user, PersonalityRole.Owner)] : [];
        var next = PersonalityRules.New(draft, _key.Id, owners, now);
        if (check(next) is { } refusal)
        {
            return refusal;
        }

        var outcome = Outcome<PersonalityView>.Created(next);
        var batch = Begin();
        PersonalityStore.Insert(batch, _key.Tenant, next);
        foreach (var owner in owners)
        {
            PersonalityStore.SetOwner(batch, _key.Tenant, _key.Id, owner, now);
        }

        if (card is not null)
        {
            CardStore.Save(batch, _key.Tenant, _key.Id, card, now);
        }

        batch.Append(_stream, null, PersonalityEvents.Created, now, MergePatch.Created(next));
        batch.Answer(command, command.Actor.User, outcome, now);
        outcome = await Commit(batch, next, outcome);
        if (outcome.Refusal is not null)
        {
            // This activation is about a personality that never was.
            DeactivateOnIdle();
        }

        return outcome;
    }

    public async Task<Outcome<PersonalityView>> Update(Command command, PersonalityChange change)
    {
        if (Check(command, PersonalityRole.Editor) is { } no)
        {
            return no;
        }

        var known = _state!.View;
        var next = change.Over(known, SettingField.PersonalityWindow);
        var shares = next.IsPublic != known.IsPublic || next.DefinitionPublic != known.DefinitionPublic;
        return ((shares ? CheckRole(command, PersonalityRole.Owner) : null) ?? PersonalityRules.Check(next, known)) is { } refusal
            ? refusal
            : await Change(command, shares ? PersonalityEvents.AccessChanged : PersonalityEvents.Updated, next);
    }

    public async Task<Outcome<PersonalityView>> ChangeSettings(Command command, SettingsChange change)
    {
        if (Check(command, PersonalityRole.Editor) is { } no)
        {
            return no;
        }

        var next = _state!.View with { Settings = change.Over(_state.View.Settings) };
        return PersonalityRules.Check(next, _state.View) is { } refusal ? refusal : await Change(command, PersonalityEvents.Updated, next);
    }

    public async Task<Outcome<PersonalityView>> SetDefaultLlmConfig(Command command, Guid? llmConfig)
    {
        if (Check(command, PersonalityRole.Editor) is { } no)
        {
            return no;
        }

        // Somebody else's config is not found, like one that isn't there.
        if (llmConfig is { } id)
        {
            var (exists, owner) = await configs.FindOwner(_key.Tenant, id, CancellationToken.None);
            if (!exists || (owner is not null && owner != command.Actor.User))
            {
                return Refusal.NotFound("llm_config");
            }
        }

        var next = _state!.View with { DefaultLlmConfigId = llmConfig };
        return await Change(command, PersonalityEvents.Updated, next, (batch, now) => PersonalityStore.SetDefaultConfig(batch, _key.Tenant, _key.Id, llmConfig, now));
    }

    public async Task<Outcome<PersonalityOwner>> SetOwner(Command command, Guid user, PersonalityRole role)
    {
        if (Check(command, PersonalityRole.Owner) is { } no)
        {
            return no;
        }

        var known = _state!.View;
        var owner = new PersonalityOwner(user, role);
        var outcome = Outcome<PersonalityOwner>.Done(owner);
        if (known.RoleOf(user) is not { } had)
        {
            return known.Owners.Count >= MaxOwners
                ? Refusal.Conflict("too_many_owners", $"A personality is lent to at most {MaxOwners} users by name; make it public for more.")
                : await Change(command, PersonalityEvents.AccessChanged, known with { Owners = [.. known.Owners, owner] }, outcome,
                    (batch, now) => PersonalityStore.SetOwner(batch, _key.Tenant, _key.Id, owner, now));
        }

        if (had == role)
        {
            return await Unchanged(command, owner);
        }

        return had == PersonalityRole.Owner && IsLastOwner(known, user)
            ? LastOwner
            : await Change(command, PersonalityEvents.AccessChanged, known with { Owners = [.. known.Owners.Select(o => o.UserId == user ? owner : o)] }, outcome,
                (batch, now) => PersonalityStore.SetOwner(batch, _key.Tenant, _key.Id, owner, now));
    }

    public async Task<Outcome<Nothing>> RemoveOwner(Command command, Guid user)
    {
        // Anybody may leave; to send somebody else away takes an owner.
        if (Check(command, user == command.Actor.User ? PersonalityRole.Viewer : PersonalityRole.Owner) is { } no)
        {
            return no;
        }

        var known = _state!.View;
        if (known.RoleOf(user) is not { } had)
        {
            return Refusal.NotFound("owner");
        }

        return had == PersonalityRole.Owner && IsLastOwner(known, user)
            ? LastOwner
            : await Change(command, PersonalityEvents.AccessChanged, known with { Owners = [.. known.Owners.Where(o => o.UserId != user)] }, Outcome<Nothing>.Deleted(),
                (batch, now) => PersonalityStore.RemoveOwner(batch, _key.Tenant, _key.Id, user));
    }

    public async Task<Outcome<PersonalityAlias>> SetAlias(Command command, string alias, bool personal)
    {
        if ((Check(command, personal ? PersonalityRole.Viewer : PersonalityRole.Owner) ?? PersonalityRules.CheckAlias(alias)) is { } no)
        {
            return no;
        }

        return personal ? await SetPersonalAlias(command, alias) : await SetTenantAlias(command, alias);
    }

    private async Task<Outcome<PersonalityAlias>> SetTenantAlias(Command command, string alias)
    {
        var known = _state!.View;
        if (known.Aliases.FirstOrDefault(a => Same(a.Alias, alias)) is { } had)
        {
            return await Unchanged(command, had);
        }

        var added = new PersonalityAlias(alias, null);
        var next = known with { Aliases = [.. known.Aliases, added] };
        return PersonalityRules.Check(next, known) is { } refusal
            ? refusal
            : await Change(command, PersonalityEvents.Updated, next, Outcome<PersonalityAlias>.Done(added),
                (batch, now) => PersonalityStore.InsertAlias(batch, _key.Tenant, _key.Id, added, now));
    }

    /// <summary>A user's own word is told to nobody else: it is no part of what the personality's stream tells, and moves no version.</summary>
    private async Task<Outcome<PersonalityAlias>> SetPersonalAlias(Command command, string alias)
    {
        if (command.Actor.User is not { } user)
        {
            return new Refusal(RefusalKind.Invalid, "user_required", "Name the user whose alias it is.", "user");
        }

        var own = await store.PersonalAliases(_key.Tenant, _key.Id, user);
        if (own.Find(a => Same(a.Alias, alias)) is { } had)
        {
            return await _owner.Unchanged(Begin(), command, user, Outcome<PersonalityAlias>.Done(had), Now());
        }

        if (own.Count >= PersonalityRules.MaxAliases)
        {
            return Refusal.Invalid("alias", $"A user has at most {PersonalityRules.MaxAliases} aliases for a personality.");
        }

        var now = Now();
        var added = new PersonalityAlias(alias, user);
        var outcome = Outcome<PersonalityAlias>.Done(added);
        var batch = Begin();
        PersonalityStore.InsertAlias(batch, _key.Tenant, _key.Id, added, now);
        batch.Answer(command, user, outcome, now);
        try
        {
            await _owner.Commit(batch, static _ => { });
            return outcome;
        }
        catch (PostgresException e) when (Expected(e) is { } refusal)
        {
            return refusal;
        }
    }

    public async Task<Outcome<Nothing>> RemoveAlias(Command command, string alias, bool personal)
    {
        if (Check(command, personal ? PersonalityRole.Viewer : PersonalityRole.Owner) is { } no)
        {
            return no;
        }

        var known = _state!.View;
        if (!personal)
        {
            return known.Aliases.FirstOrDefault(a => Same(a.Alias, alias)) is { } had
                ? await Change(command, PersonalityEvents.Updated, known with { Aliases = [.. known.Aliases.Where(a => a != had)] }, Outcome<Nothing>.Deleted(),
                    (batch, now) => PersonalityStore.RemoveAlias(batch, _key.Tenant, _key.Id, had))
                : Refusal.NotFound("alias");
        }

        if (command.Actor.User is not { } user || (await store.PersonalAliases(_key.Tenant, _key.Id, user)).Find(a => Same(a.Alias, alias)) is not { } own)
        {
            return Refusal.NotFound("alias");
        }

        var outcome = Outcome<Nothing>.Deleted();
        var batch = Begin();
        PersonalityStore.RemoveAlias(batch, _key.Tenant, _key.Id, own);
        batch.Answer(command, user, outcome, Now());
        await _owner.Commit(batch, static _ => { });
        return outcome;
    }

    public async Task<Outcome<Nothing>> Delete(Command command)
    {
        if (Check(command, PersonalityRole.Owner) is { } no)
        {
            return no;
        }

        var now = Now();
        var outcome = Outcome<Nothing>.Deleted();
        var batch = Begin();
        PersonalityStore.Delete(batch, _key.Tenant, _state!.View);
        batch.Append(_stream, null, PersonalityEvents.Deleted, now, JsonText.EmptyObject);
        batch.Answer(command, command.Actor.User, outcome, now);
        outcome = outcome.After(await _owner.Commit(batch, _ => _state = null));
        DeactivateOnIdle();
        return outcome;
    }

    public async Task Forget(PersonalityOwner gone, bool mayKnow)
    {
        if (_state is not { } row || await store.Load(_key.Tenant, _key.Id, _owner.Epoch) is not { } fresh)
        {
            return;
        }

        var now = Now();
        var batch = Begin();
        if (gone.Role == PersonalityRole.Owner && !fresh.View.Owners.Any(owner => owner.Role >= PersonalityRole.Editor))
        {
            PersonalityStore.Delete(batch, _key.Tenant, row.View);
            batch.Append(_stream, null, PersonalityEvents.Deleted, now, JsonText.EmptyObject);
            batch.Task(EraseStream.Kind, JsonText.From(new EraseStream.Payload(_stream)), now + EraseStream.After);
            await _owner.Commit(batch, _ => _state = null);
            DeactivateOnIdle();
            return;
        }

        if (mayKnow && !row.View.Owners.Any(owner => owner.UserId == gone.UserId))
        {
            return;
        }

        // This activation may have loaded the row after the cascade; those who follow the stream still hold what went by it.
        var told = row.View with { Owners = [.. row.View.Owners.Where(owner => owner.UserId != gone.UserId), gone], DefaultLlmConfigId = row.View.DefaultLlmConfigId ?? Guid.Empty };
        var next = row.View with
        {
            Owners = fresh.View.Owners,
            DefaultLlmConfigId = fresh.View.DefaultLlmConfigId,
            Version = row.View.Version + 1,
            UpdatedAt = now,
        };
        PersonalityStore.Update(batch, _key.Tenant, next);
        batch.Append(_stream, null, PersonalityEvents.AccessChanged, now, MergePatch.Between(told, next));
        await Commit(batch, next, Outcome<Nothing>.Done(Nothing.Value));
    }

    private Task<Outcome<PersonalityView>> Change(Command command, string type, PersonalityView next, Action<ScopedBatch, DateTimeOffset>? also = null)
    {
        if (next == _state!.View)
        {
            return Unchanged(command, next);
        }

        next = next with { Version = _state.View.Version + 1, UpdatedAt = Now() };
        return Change(command, type, next, Outcome<PersonalityView>.Done(next), also);
    }

    private async Task<Outcome<T>> Change<T>(Command command, string type, PersonalityView next, Outcome<T> outcome, Action<ScopedBatch, DateTimeOffset>? also)
        where T : class
    {
        var known = _state!.View;
        var now = next.Version > known.Version ? next.UpdatedAt : Now();
        next = next with { Version = known.Version + 1, UpdatedAt = now };
        var batch = Begin();
        PersonalityStore.Update(batch, _key.Tenant, next);
        also?.Invoke(batch, now);
        batch.Append(_stream, null, type, now, MergePatch.Between(known, next));
        batch.Answer(command, command.Actor.User, outcome, now);
        return await Commit(batch, next, outcome);
    }

    private async Task<Outcome<T>> Commit<T>(ScopedBatch batch, PersonalityView next, Outcome<T> outcome)
        where T : class
    {
        try
        {
            return outcome.After(await _owner.Commit(batch, events => _state = new PersonalityRow(next, events[^1].Seq)));
        }
        catch (PostgresException e) when (e.IsForeignKey(PersonalityStore.SystemPromptKey) && next.SystemPromptId is { } prompt && prompt == _state?.View.SystemPromptId)
        {
            // The prompt went and the row forgot it; so must this activation.
            DeactivateOnIdle();
            throw new ActivationOutdatedException("The system prompt of the personality was deleted.", e);
        }
        catch (PostgresException e) when (e.IsUnique(PersonalityStore.NameKey) && next.Slug != _state?.View.Slug)
        {
            return SlugTaken;
        }
        catch (PostgresException e) when (Expected(e) is { } refusal)
        {
            return refusal;
        }
    }

    private Task<Outcome<T>> Unchanged<T>(Command command, T known)
        where T : class => _owner.Unchanged(Begin(), command, command.Actor.User, Outcome<T>.Done(known).Since(database.Epoch, _state!.Seq), Now());

    private static readonly Refusal SlugTaken = Refusal.Conflict(PersonalityRules.SlugTaken, "A personality has this slug, or it as an alias.", "slug");

    private static Refusal? Expected(PostgresException e) => e switch
    {
        _ when e.IsUnique(PersonalityStore.SlugKey) => SlugTaken,
        _ when e.IsUnique(PersonalityStore.AliasKey) || e.IsUnique(PersonalityStore.NameKey) =>
            Refusal.Conflict("alias_taken", "The alias means a personality already, as its alias or its slug.", "alias"),
        _ when e.IsForeignKey(PersonalityStore.SystemPromptKey) => Refusal.NotFound("system_prompt"),
        _ when e.IsForeignKey(PersonalityStore.DefaultConfigKey) => Refusal.NotFound("llm_config"),
        _ when e.IsForeignKey(PersonalityStore.OwnerKey) || e.IsForeignKey(PersonalityStore.AliasUserKey) => Refusal.NotFound("user"),
        _ when e.IsForeignKey(PersonalityStore.TenantKey) => Refusal.NotFound("tenant"),
        _ => null,
    };

    /// <summary>What every command on an existing personality checks first.</summary>
    private Refusal? Check(Command command, PersonalityRole needed)
    {
        if (_state is not { } row || !row.View.MayUse(command.Actor))
        {
            return NotFound;
        }

        return needed > PersonalityRole.Viewer && CheckRole(command, needed) is { } refusal ? refusal
            : command.Stale(row.View.Version);
    }

    private Refusal? CheckRole(Command command, PersonalityRole needed) =>
        command.Actor.IsAdmin || _state!.View.RoleOf(command.Actor.User) >= needed
            ? null
            : Refusal.Forbidden("role_required", $"This takes the role {(needed == PersonalityRole.Owner ? "owner" : "editor")} of the personality.");

    private static readonly Refusal LastOwner = Refusal.Conflict("last_owner", "A personality has an owner: make somebody else one first, or delete it.");

    private static bool IsLastOwner(PersonalityView view, Guid user) => !view.Owners.Any(o => o.Role == PersonalityRole.Owner && o.UserId != user);

    private static bool Same(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    private ScopedBatch Begin() => database.Begin(RowScope.OfTenant(_key.Tenant), _owner.Epoch);

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
