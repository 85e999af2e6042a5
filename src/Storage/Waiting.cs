using Microsoft.Extensions.Logging;

namespace PersonaActors.Storage;

/// <summary>
/// A failure of what is done over and over is said once, not each time, and so is that it is over; that the database is away is
/// a warning, anything else an error.
/// </summary>
public sealed class Waiting(string what, ILogger log)
{
    private Type? _said;

    public void GoesOn()
    {
        if (_said is not null)
        {
            _said = null;
            log.LogInformation("{What} goes on", what);
        }
    }

    public void Failed(Exception e)
    {
        var away = e.MeansOutage();
        var kind = away ? typeof(Database) : e.GetType();
        if (_said == kind)
        {
            return;
        }

        _said = kind;
        if (away)
        {
            log.LogWarning("{What} waits for the database: {Reason}", what, e.Message);
        }
        else
        {
            log.LogError(e, "{What} failed and will be tried again", what);
        }
    }
}
