namespace PersonaActors.Contracts.Personas;

[GenerateSerializer, Immutable, Alias("persona-draft")]
public sealed record PersonaDraft(
    [property: Id(0)] string? Name,
    [property: Id(1)] string? Description,
    [property: Id(2)] string? Content,
    [property: Id(3)] string? PreferredName,
    [property: Id(4)] string? Pronouns)
{
    public PersonaView ToView(Guid id, Guid owner, DateTimeOffset at) =>
        new(id, owner, Name ?? "", Description, Content ?? "", PreferredName, Pronouns, 1, at, at);
}

[GenerateSerializer, Immutable, Alias("persona-change")]
public sealed record PersonaChange(
    [property: Id(0)] Patch<string> Name,
    [property: Id(1)] Patch<string> Description,
    [property: Id(2)] Patch<string> Content,
    [property: Id(3)] Patch<string> PreferredName,
    [property: Id(4)] Patch<string> Pronouns)
{
    public PersonaView Over(PersonaView known) => known with
    {
        Name = Name.Over(known.Name) ?? "",
        Description = Description.Over(known.Description),
        Content = Content.Over(known.Content) ?? "",
        PreferredName = PreferredName.Over(known.PreferredName),
        Pronouns = Pronouns.Over(known.Pronouns),
    };
}

public static class PersonaRefusals
{
    public const string Default = "default_persona";
    public const string NameTaken = "persona_name_taken";

    public static Refusal TakenName(string name) => Refusal.Conflict(NameTaken, $"This user already has a persona named '{name}'.", "name");
}
