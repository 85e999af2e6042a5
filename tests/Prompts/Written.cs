namespace PersonaActors.Tests.Prompts;

/// <summary>The states that one writer's commands make, in order; read by others up to what was begun.</summary>
internal sealed class Written<T>(T first)
{
    private readonly List<(T State, int OthersAnswered)> _states = [(first, 0)];
    private int _answered;
    private int _seen;

    /// <summary>How many commands of the other writer were answered by now.</summary>
    public Func<int> Others { get; set; } = () => 0;

    public T Last => _states[^1].State;

    public int Answered => Volatile.Read(ref _answered);

    /// <summary>Whoever asks now sees this state or a later one.</summary>
    public int Oldest => Math.Max(Answered, Volatile.Read(ref _seen));

    public async Task Write(T next, Func<Task<ApiAnswer>> command)
    {
        lock (_states)
        {
            _states.Add((next, Others()));
        }

        var answer = await command();
        Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent, answer.Text);
        Interlocked.Increment(ref _answered);
    }

    /// <summary>The earliest state from a number on, up to what was begun, that looks like this; -1 if none does.</summary>
    public int Find(int from, Func<T, bool> looks)
    {
        lock (_states)
        {
            return _states.FindIndex(from, state => looks(state.State));
        }
    }

    public int OthersAnsweredBefore(int state)
    {
        lock (_states)
        {
            return _states[state].OthersAnswered;
        }
    }

    public void See(int state)
    {
        for (var seen = Volatile.Read(ref _seen); seen < state;)
        {
            seen = Interlocked.CompareExchange(ref _seen, state, seen);
        }
    }

    public override string ToString()
    {
        lock (_states)
        {
            return string.Join(" | ", _states.TakeLast(8));
        }
    }
}
