using PersonaActors.Contracts.Personalities;
using PersonaActors.Grains.Personalities;

namespace PersonaActors.Grains.Imports;

/// <summary>Slugs for what is imported: of its name if that makes one, and another as long as they are taken.</summary>
public static class FreeSlugs
{
    private const int Numbered = 9;

    public static IEnumerable<string> Of(string? name, Guid id)
    {
        var slug = PersonalityRules.SlugFrom(name);
        if (PersonalityRules.IsSlug(slug))
        {
            if (PersonalityRules.CheckSlug(slug) is null)
            {
                yield return slug;
            }

            for (var i = 2; i <= Numbered; i++)
            {
                yield return Shortened(slug, $"-{i}");
            }
        }
        else
        {
            slug = "character";
        }

        // The end of an id is chance.
        yield return Shortened(slug, $"-{id.ToString("N")[^12..]}");
        while (true)
        {
            yield return Shortened(slug, $"-{Guid.NewGuid().ToString("N")[^12..]}");
        }
    }

    /// <summary>What a card would become, if nobody has the first of its slugs; and why it can't.</summary>
    public static (PersonalityDraft Draft, Refusal? Refusal) WouldBe(PersonalityDraft draft, Guid id, DateTimeOffset now)
    {
        var named = draft with { Slug = Of(draft.Name, id).First() };
        return (named, PersonalityRules.CheckImported(PersonalityRules.New(named, id, [], now)));
    }

    /// <summary>Makes a personality of a card.</summary>
    public static Task<Outcome<PersonalityView>> Import(IPersonalityGrain personality, Command command, PersonalityDraft draft, Guid id, ImportedCard? card) =>
        Take(draft.Name, id, slug => personality.Import(command, draft with { Slug = slug }, card));

    /// <summary>Makes it under the first of them that nobody has.</summary>
    public static async Task<Outcome<PersonalityView>> Take(string? name, Guid id, Func<string, Task<Outcome<PersonalityView>>> make)
    {
        foreach (var slug in Of(name, id))
        {
            var outcome = await make(slug);
            if (outcome.Refusal?.Code != PersonalityRules.SlugTaken)
            {
                return outcome;
            }
        }

        throw new InvalidOperationException("There is always another slug.");
    }

    private static string Shortened(string slug, string end) => slug[..Math.Min(slug.Length, 50 - end.Length)].TrimEnd('-') + end;
}
