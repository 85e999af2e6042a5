using System.Collections.Concurrent;

namespace PersonaActors.Grains;

/// <summary>The version of one grain's state, as the grain holds it at this moment. The grain writes it, anybody reads it.</summary>
public sealed class LiveVersion
{
    /// <summary>The grain has left memory: whoever wants to know asks it.</summary>
    public const long Gone = -1;

    private long _value;

    public long Value
    {
        get => Volatile.Read(ref _value);
        set => Volatile.Write(ref _value, value);
    }
}

/// <summary>
/// The versions that the grains of this process hold, for those who remember what a grain said and only want to know whether
/// it still holds: reading a number says the same as asking the grain, and a prompt asks five. It is the same only where no
/// other process has grains; where one may, nothing is found here, and everybody asks.
/// </summary>
/// <param name="alone">All grains are in this process.</param>
public sealed class LiveVersions(bool alone)
{
    /// <summary>By the grain itself: whoever asks by the id of something that is another's has a grain of their own, in which nothing is.</summary>
    private readonly ConcurrentDictionary<(Type Grain, string Key), LiveVersion> _byGrain = new();

    public bool IsAlone => alone;

    /// <summary>The last thing a grain does when it becomes active; it ends with <see cref="End{TGrain}"/>.</summary>
    public LiveVersion Begin<TGrain>(string key, long version)
        where TGrain : IGrain
    {
        var begun = new LiveVersion { Value = version };
        if (alone)
        {
            _byGrain[(typeof(TGrain), key)] = begun;
        }

        return begun;
    }

    /// <summary>What a grain does when it leaves.</summary>
    public void End<TGrain>(string key, LiveVersion? ended)
        where TGrain : IGrain
    {
        if (ended is not null)
        {
            ended.Value = LiveVersion.Gone;
            _byGrain.TryRemove(KeyValuePair.Create((typeof(TGrain), key), ended));
        }
    }

    public LiveVersion? Find<TGrain>(string key)
        where TGrain : IGrain => _byGrain.GetValueOrDefault((typeof(TGrain), key));
}
