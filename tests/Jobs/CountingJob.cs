using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Jobs;
using PersonaActors.Grains.Jobs;

namespace PersonaActors.Tests.Jobs;

/// <summary>A job that counts, and shows how often which part of it was done.</summary>
internal sealed class CountingJob : IJobKind
{
    /// <param name="To">How far.</param>
    /// <param name="WaitsAt">There it takes until it is cancelled.</param>
    /// <param name="FailsAt">There a part fails, each time it is tried.</param>
    /// <param name="RefusesAt">There it says that it can't be done.</param>
    public sealed record Input(int To, int? WaitsAt = null, int? FailsAt = null, int? RefusesAt = null);

    private sealed record Cursor(int At);

    public string Name => "counting";

    /// <summary>The parts of a job, in the order in which they were begun.</summary>
    public ConcurrentDictionary<Guid, ConcurrentQueue<int>> Parts { get; } = [];

    public async Task<JobStep> Step(JobWork work, CancellationToken cancel)
    {
        var (input, at) = (work.Input.Read<Input>(), work.Cursor.Read<Cursor>().At);
        Parts.GetOrAdd(work.Id, _ => []).Enqueue(at);
        if (at == input.WaitsAt)
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }

        if (at == input.FailsAt)
        {
            throw new InvalidOperationException("a bug");
        }

        return at == input.RefusesAt ? throw new JobFailedException("source_empty", "There is nothing.")
            : new JobStep(JsonText.From(new Cursor(at + 1)), "counting", at + 1, input.To, at + 1 == input.To ? JsonText.From(new { counted = at + 1 }) : null);
    }

    public Task<string> Abandon(JobWork work) => Task.FromResult($"What was counted up to {work.Cursor.Read<Cursor>().At}.");

    /// <summary>Begun as a route would.</summary>
    public static async Task<Guid> Start(Node node, Guid tenant, Guid? user, Input input)
    {
        var id = Guid.CreateVersion7();
        var command = new Command(Guid.NewGuid().ToString("N"), Guid.Empty, new string('0', 64), new Actor(ActorKind.Service, user));
        var outcome = await node.Services.GetRequiredService<IGrainFactory>().Of<IJobGrain>(new TenantScopedKey(tenant, id)).Start(command, new JobOrder("counting", user, JsonText.From(input)));
        Assert.Equal(OutcomeKind.Created, outcome.Kind);
        return id;
    }
}
