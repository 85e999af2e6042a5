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
public sealed partial class UserGrain
{
    public async Task<Outcome<PersonaView>> CreatePersona(Command command, PersonaDraft draft)
    {
        if (_user is not { } known)
        {
            return Refusal.NotFound("user");
        }

        var now = Now();
        var persona = draft.ToView(Guid.CreateVersion7(now), _key.Id, now);
        if (PersonaRules.Check(persona) is { } invalid)
        {
            return invalid;
        }

        var outcome = Outcome<PersonaView>.Created(persona);
        var batch = Begin();
        PersonaStore.Insert(batch, _key.Tenant, persona);
        batch.Append(_stream, _key.Id, "persona.created", now, MergePatch.Between(known.View, known.View, "persona", persona));
        batch.Answer(command, _key.Id, outcome, now);
        try
        {
            return outcome.After(await Commit(batch, known));
        }
        catch (PostgresException e) when (e.IsUnique(PersonaStore.NameKey))
        {
            return PersonaRefusals.TakenName(persona.Name);
        }
    }

    public async Task<Outcome<Nothing>> DeletePersona(Command command, Guid persona)
    {
        if (_user is not { } known || await Persona(persona).Get() is not { } there)
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

        var next = Next(known);
        next = next with { Overrides = OverrideRules.WithoutPersona(known.Overrides, persona, next.View) };
        var outcome = await ChangeOverrides(command, known, next, EventTypes.PersonaDeleted, "personaId", persona, Outcome<Nothing>.Deleted(),
            batch =>
            {
                PersonaStore.Delete(batch, _key.Tenant, _key.Id, persona, command.IfMatch);
                batch.Task(ForgetDeleted.Kind, JsonText.From(new ForgetDeleted.Payload(_key.Id, false, [persona], [])), next.View.UpdatedAt);
            });
        await Persona(persona).Forget();
        return outcome;
    }

    public async Task<Outcome<UserView>> SetDefaultPersona(Command command, Guid persona)
    {
        if (Found(command) is { Refusal: { } refusal })
        {
            return refusal;
        }

        var known = _user!;
        if (known.View.DefaultPersonaId == persona)
        {
            return await Unchanged(command, known);
        }

        try
        {
            return await Change(command, known, known.View with { DefaultPersonaId = persona }, known.IsPlaceholder);
        }
        catch (PostgresException e) when (e.IsForeignKey(UserStore.DefaultPersonaReference))
        {
            return Refusal.NotFound("persona");
        }
    }

    /// <summary>What the placeholder gave its default persona gives way to what the registration says; what somebody chose stays.</summary>
    private async Task RenameDefaultPersona(Command command, UserView placeholder, UserRegistration registration)
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

    private IPersonaGrain Persona(Guid id) => GrainFactory.Of<IPersonaGrain>(new OwnedKey(_key.Tenant, _key.Id, id));
}
