using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>
/// What was made last for a speaker, to hang on it and die with it. There is room for each system focus mode and for none.
/// Read and written by many at once; one that is overwritten is made again.
/// </summary>
public sealed class Prepared
{
    private readonly Slot?[] _slots = new Slot?[16];
    private int _next;

    private sealed record Slot(object?[] Of, object Made);

    public SpeakerText Speaker(PromptMaterial material) => Get(material.SpeakerSources, material, static material => new SpeakerText(material));

    public PromptTerms Terms(PromptMaterial material) => Get(material.TermSources, material, static material => new PromptTerms(material));

    private T Get<T>(object?[] of, PromptMaterial material, Func<PromptMaterial, T> make)
        where T : class
    {
        foreach (var slot in _slots)
        {
            if (slot?.Made is T known && AreSame(slot.Of, of))
            {
                return known;
            }
        }

        var made = make(material);
        _slots[(uint)Interlocked.Increment(ref _next) % _slots.Length] = new Slot(of, made);
        return made;
    }

    /// <summary>Entities as the same objects, which a change replaces; what a tier of settings says may be the same of several.</summary>
    private static bool AreSame(object?[] one, object?[] other)
    {
        for (var i = 0; i < one.Length; i++)
        {
            if (!ReferenceEquals(one[i], other[i]) && !(one[i] is SettingsTier tier && tier.Equals(other[i] as SettingsTier)))
            {
                return false;
            }
        }

        return true;
    }
}
