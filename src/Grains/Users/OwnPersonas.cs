using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Outbox;
using PersonaActors.Grains.Personas;
using PersonaActors.Storage;
using PersonaActors.Storage.Personas;
using PersonaActors.Storage.Users;

namespace PersonaActors.Grains.Users;

/// <summary>
/// Which personas a user has, and which of them is the default. What is in them, their own grains change: a deletion
/// takes whatever version that has come to, and its grain is told to forget before the deletion is answered.
/// </summary>
internal sealed class OwnPersonas(UserWriter user, IGrainFactory grains)
{
    public async Task<Outcome<PersonaView>> Create(Command command, PersonaDraft draft)
    {
        if (user.Row is not { } known)
        {
            return Refusal.NotFound("user");
        }

        var now = user.Now();
        var persona = draft.ToView(Guid.CreateVersion7(now), user.Id, now);
        if (PersonaRules.Check(persona) is { } invalid)
        {
            return invalid;
        }

        var outcome = Outcome<PersonaView>.Created(persona);
        var batch = user.Begin();
        PersonaStore.Insert(batch, user.Tenant, persona);
        batch.Append(user.Stream, user.Id, "persona.created", now, MergePatch.Between(known.View, known.View, "persona", persona));
        batch.Answer(command, user.Id, outcome, now);
        try
        {
            return outcome.After(await user.Commit(batch, known));
        }
        catch (PostgresException e) when (e.IsUnique(PersonaStore.NameKey))
        {
            return PersonaRefusals.TakenName(persona.Name);
        }
    }

    public async Task<Outcome<Nothing>> Delete(Command command, Guid persona)
    {
        if (user.Row is not { } known || await Persona(persona).Get() is not { } there)
        {
            return Refusal.NotFound("persona");
        }

        if (command.Stale(there.Value.Version) is { } stale)
        {
            return stale;
        }

        if (known.View.DefaultPersonaId == persona)
        {
            return Refusal.Conflict(PersonaRefusals.Default, "This is the user's default persona: make another one the default first.");
        }

        var next = user.Next(known);
        next = next with { Overrides = OverrideRules.WithoutPersona(known.Overrides, persona, next.View) };
        var outcome = await user.ChangeOverrides(command, known, next, EventTypes.PersonaDeleted, "personaId", persona, Outcome<Nothing>.Deleted(),
            batch =>
            {
                PersonaStore.Delete(batch, user.Tenant, user.Id, persona, command.IfMatch);
                batch.Task(ForgetDeleted.Kind, JsonText.From(new ForgetDeleted.Payload(user.Id, false, [persona], [])), next.View.UpdatedAt);
            });
        await Persona(persona).Forget();
        return outcome;
    }

    public async Task<Outcome<UserView>> SetDefault(Command command, Guid persona)
    {
        if (user.CheckFound(command) is { } refusal)
        {
            return refusal;
        }

        var known = user.Row!;
        if (known.View.DefaultPersonaId == persona)
        {
            return await user.Unchanged(command, known);
        }

        try
        {
            return await user.Change(command, known, known.View with { DefaultPersonaId = persona }, known.IsPlaceholder,
                (batch, now) => UserStore.SetDefaultPersona(batch, user.Tenant, user.Id, persona, now));
        }
        catch (PostgresException e) when (e.IsForeignKey(UserStore.DefaultPersonaReference))
        {
            return Refusal.NotFound("persona");
        }
    }

    /// <summary>What the placeholder gave its default persona gives way to what the registration says; what somebody chose stays.</summary>
    public async Task RenameDefault(Command command, UserView placeholder, UserRegistration registration)
    {
        var persona = Persona(placeholder.DefaultPersonaId);
        if (await persona.Get() is not { Value: var known })
        {
            return;
        }

        var change = new PersonaChange(
            known.Name == UserRules.DefaultPersonaName(placeholder.Username) ? Patch<string>.Set(UserRules.DefaultPersonaName(registration.Username)) : Patch<string>.Keep,
            Patch<string>.Keep,
            known.Content.Length == 0 && registration.Bio is { } bio ? Patch<string>.Set(bio) : Patch<string>.Keep,
            known.PreferredName == placeholder.Username ? Patch<string>.Set(registration.DisplayName ?? registration.Username) : Patch<string>.Keep,
            Patch<string>.Keep);
        // Its id and answer are the registration's own; a second try finds nothing left to change.
        Command Part() => command with { Id = Guid.NewGuid().ToString("N"), IfMatch = null, IsNamed = false };
        if ((await persona.Update(Part(), change)).Refusal?.Code == PersonaRefusals.NameTaken)
        {
            await persona.Update(Part(), change with { Name = Patch<string>.Keep });
        }
    }

    private IPersonaGrain Persona(Guid id) => grains.Of<IPersonaGrain>(new OwnedKey(user.Tenant, user.Id, id));
}
