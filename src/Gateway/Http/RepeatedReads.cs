using PersonaActors.Grains;

namespace PersonaActors.Gateway.Http;

/// <summary>A read that met a node on its way out is simply read again; commands see to that themselves, by their ids.</summary>
public sealed class RepeatedReads(RequestDelegate next, Clock time)
{
    public async Task Invoke(HttpContext http)
    {
        long? since = null;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await next(http);
                return;
            }
            catch (Exception e) when ((HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method)) && !http.Response.HasStarted && (e is ActivationOutdatedException || e.MetLeavingSilo())
                && time.GetElapsedTime(since ??= time.GetTimestamp()) < Commands.Patience)
            {
                http.Response.Clear();
                // Routing leaves alone what has one, also if it was the lane that said so.
                http.SetEndpoint(null);
                await Task.Delay(Commands.Pause(attempt), time, http.RequestAborted);
            }
        }
    }
}
