namespace PersonaActors.Engine;

/// <summary>
/// The calls that somebody waits for. They stand in a few lists that a tick walks through, so that a deadline costs a
/// call two short locks and no timer.
/// </summary>
internal sealed class PendingCalls
{
    private readonly Shard[] _shards = [.. Enumerable.Range(0, 8).Select(_ => new Shard())];

    internal void Add(Answer answer)
    {
        answer.Shard = Environment.CurrentManagedThreadId % _shards.Length;
        var shard = _shards[answer.Shard];
        lock (shard.Gate)
        {
            answer.Listed = true;
            answer.After = shard.First;
            if (shard.First is { } first) first.Before = answer;
            shard.First = answer;
        }
    }

    internal void Remove(Answer answer)
    {
        var shard = _shards[answer.Shard];
        lock (shard.Gate)
        {
            if (answer.Listed) shard.Unlink(answer);
        }
    }

    /// <summary>Ends whatever should have been answered by <paramref name="now"/>.</summary>
    internal void Expire(long now)
    {
        List<Answer>? late = null;
        foreach (var shard in _shards)
        {
            lock (shard.Gate)
            {
                for (var answer = shard.First; answer is not null;)
                {
                    var next = answer.After;
                    if (answer.Deadline <= now)
                    {
                        shard.Unlink(answer);
                        (late ??= []).Add(answer);
                    }
                    answer = next;
                }
            }
        }
        if (late is null) return;
        foreach (var answer in late)
        {
            var method = answer.Call.Method;
            answer.Fail(new TimeoutException($"{method} did not answer within {method.Timeout}."));
        }
    }

    internal void FailAll(Func<Exception> reason)
    {
        foreach (var shard in _shards)
        {
            while (true)
            {
                Answer? answer;
                lock (shard.Gate)
                {
                    answer = shard.First;
                    if (answer is null) break;
                    shard.Unlink(answer);
                }
                answer.Fail(reason());
            }
        }
    }

    private sealed class Shard
    {
        internal readonly Lock Gate = new();
        internal Answer? First;

        internal void Unlink(Answer answer)
        {
            if (answer.Before is { } before) before.After = answer.After;
            else First = answer.After;
            if (answer.After is { } after) after.Before = answer.Before;
            answer.Before = answer.After = null;
            answer.Listed = false;
        }
    }
}
