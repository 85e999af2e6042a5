using System.Collections.Frozen;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>Words that say nothing of what a text is about.</summary>
public static class StopWords
{
    public static readonly FrozenSet<string> All = """
        about above after again against also always another anything around because been before being below between both came come could does doing done down
        during each either else enough even ever every everything feel feels felt find first from further gave gets getting give goes going good have having
        here hers herself himself into itself just keep knew know last least less like likes little made make makes many maybe mine more most much must myself
        need needs never next nothing often once only other ours ourselves over really said same says seem seems should since some something sometimes soon
        still such take takes than that that's their theirs them themselves then there these they they're thing things think this those though through today
        told took toward until upon used using usually very want wants well went were what when where whether which while whom whose will with within without
        would year yesterday your yours yourself i'm i've i'd don't doesn't didn't can't cannot couldn't won't wouldn't isn't aren't wasn't it's
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);
}
