namespace PersonaActors.Storage;

/// <summary>Nobody waits for an answer that may have to come from where this node is cut off: it is slow to be known whether that is gone.</summary>
public static class CutOff
{
    /// <summary>More than an answer takes that comes.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(0.5);

    /// <param name="call">It is given a moment in any case.</param>
    /// <param name="time">Not the domain's clock: this is about real nodes.</param>
    public static async Task Unless(this Task call, Func<bool> isCutOff, TimeProvider time)
    {
        for (var patience = Moment; !call.IsCompleted; patience = Moment / 5)
        {
            await call.WaitAsync(patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (!call.IsCompleted && isCutOff())
            {
                _ = call.ContinueWith(static late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                throw new Contracts.StorageUnavailableException("This node is cut off from where what was asked for may be.");
            }
        }

        await call;
    }
}
