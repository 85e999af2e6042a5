using PersonaActors.Contracts.Jobs;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.Jobs;

namespace PersonaActors.Gateway.Jobs;

/// <summary>Where routes begin jobs, and who sees them: who acts for a job's user, the key that asked for one of the tenant's, and admins.</summary>
public sealed class JobDesk(ActingResolver who, Commands commands, JobStore jobs, IGrainFactory grains, Clock time)
{
    public static readonly Refusal NotFound = Refusal.NotFound("job");

    /// <summary>Begins a job; answers at once, and where it is to be seen.</summary>
    /// <param name="user">For whom; none for the tenant.</param>
    /// <param name="body">What the request asked for, as it says whether a repeat is the same.</param>
    public async Task<IResult> Start(HttpContext http, Acting acting, string kind, Guid? user, JsonText input, object? body, byte[]? file = null)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        return (await commands.Run<JobView>(http, acting, body, command => Of(acting, id).Start(command, new JobOrder(kind, user, input, file)))).ToResult(job => $"/v1/jobs/{job.Id}");
    }

    /// <summary>A job that the caller sees. Whose it is, is the table's to say: its grain may outlive it for a while.</summary>
    public async ValueTask<IJobGrain?> Find(Acting acting, Guid id, CancellationToken cancel) =>
        await jobs.FindOwner(acting.Tenant, id, cancel) is { } owner && await Sees(acting, owner) ? Of(acting, id) : null;

    public static JobSight Sight(Acting acting) => new(
        acting.User, acting.Caller.KeyId, OfUsers: acting.MayActForAnybody, All: acting.Actor.IsAdmin);

    private async ValueTask<bool> Sees(Acting acting, JobOwner owner) => acting.Actor.IsAdmin || (owner.User is { } user
        ? await who.MayActFor(acting, user)
        : acting.User is null && owner.CreatedBy == acting.Caller.KeyId);

    private IJobGrain Of(Acting acting, Guid id) => grains.Of<IJobGrain>(new TenantScopedKey(acting.Tenant, id));
}
