using PersonaActors.Contracts.Users;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Replicas;

namespace PersonaActors.Gateway.Auth;

public enum Standing
{
    /// <summary>Never registered, or deleted.</summary>
    Unknown,
    Active,
    Inactive,
}

/// <summary>Whether a user is there and active, from the replica of the user where this silo holds it. What meets a node on its way out is asked again.</summary>
/// <param name="replicas">None in a gateway without grains, which asks the grain.</param>
public sealed class UserStandings(IGrainFactory grains, Clock time, Replicas? replicas = null)
{
    public async ValueTask<Standing> Of(Guid tenant, Guid user)
    {
        var key = new TenantScopedKey(tenant, user);
        long? since = null;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var view = replicas is null ? (await grains.Of<IUserGrain>(key).Get())?.Value : (await replicas.Read(PromptReplicas.User, new ReplicaKey(ReplicaKind.User, key)))?.User;
                return view is null ? Standing.Unknown : view.IsActive ? Standing.Active : Standing.Inactive;
            }
            catch (Exception e) when ((e is ActivationOutdatedException || e.MetLeavingSilo()) && time.GetElapsedTime(since ??= time.GetTimestamp()) < Commands.Patience)
            {
                await Task.Delay(Commands.Pause(attempt), time);
            }
        }
    }
}
