using PersonaActors.Contracts.Jobs;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Storage.Jobs;

namespace PersonaActors.Gateway.Jobs;

/// <summary>What became of long work: how far it is, what it did, and its end before that.</summary>
public static class JobEndpoints
{
    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup("/v1/jobs").WithTags("Jobs");
        jobs.MapGet("", List).WithSummary("Lists jobs, the newest first").Produces<Page<JobView>>();
        jobs.MapGet("{id:guid}", Get).WithSummary("A job: how far it is, or what became of it").Produces<JobView>().ProducesProblem(404);
        jobs.MapPost("{id:guid}/cancel", Cancel).WithSummary("Ends a job before it is done; 'stays' says what is left of it").Produces<JobView>().ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<IResult> List(HttpContext http, ActingResolver who, JobStore store)
    {
        var (page, invalid) = PageQuery.Read(http);
        var (acting, refusal) = await who.Resolve(http);
        return (refusal ?? invalid) is { } no
            ? no.ToResult()
            : Answers.Page(await store.List(acting!.Tenant, JobDesk.Sight(acting), page.After, page.Limit + 1, http.RequestAborted), page.Limit, job => job.Id.ToString());
    }

    private static async Task<IResult> Get(HttpContext http, Guid id, ActingResolver who, JobDesk jobs)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is null && await jobs.Find(acting!, id, http.RequestAborted) is { } job && await job.Get() is { } read
            ? read.ToResult()
            : (refusal ?? JobDesk.NotFound).ToResult();
    }

    private static async Task<IResult> Cancel(HttpContext http, Guid id, ActingResolver who, JobDesk jobs, Commands commands)
    {
        var (acting, refusal) = await who.Resolve(http);
        return refusal is not null
            ? refusal.ToResult()
            : (await commands.Run<JobView>(http, acting!, null, async command =>
                await jobs.Find(acting!, id, http.RequestAborted) is { } job ? await job.Cancel(command) : JobDesk.NotFound)).ToResult();
    }
}
