namespace PersonaActors.Silo.Hosting;

/// <summary>
/// Of a node without grains: the answer to what it asked through a silo that is gone is lost with it, wherever the grain is, and
/// Orleans waits for it as long as a call may. What is asked when a connection to a silo is lost fails at once instead, as it does
/// where the grain's own silo is lost, and whoever asked asks again.
/// </summary>
public sealed class LostGateways : IOutgoingGrainCallFilter, IClusterConnectionStatusObserver
{
    private TaskCompletionSource _lost = New();

    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered)
    {
        if (currentNumberOfGateways < previousNumberOfGateways)
        {
            Interlocked.Exchange(ref _lost, New()).SetResult();
        }
    }

    public void NotifyClusterConnectionLost()
    {
        // It is counted as one less, too.
    }

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        var lost = Volatile.Read(ref _lost).Task;
        var call = context.Invoke();
        if (await Task.WhenAny(call, lost) == lost)
        {
            call.Ignore();
            throw new SiloUnavailableException("A silo through which this may have been asked is gone.");
        }

        await call;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
