using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Grains.Prompts;

/// <summary>For gateways without grains: the desk of a silo next to them.</summary>
[StatelessWorker]
public sealed class PromptDeskGrain(PromptDesk desk) : Grain, IPromptDeskGrain
{
    public ValueTask<Outcome<PromptAnswer>> Resolve(Guid tenant, Guid user, Actor actor, PromptRequest request, PromptOccasion? occasion, string? knownVersions) =>
        desk.Resolve(tenant, user, actor, request, occasion, knownVersions);

    public ValueTask<Outcome<PromptTrace>> Trace(Guid tenant, Guid user, Actor actor, PromptRequest request) => desk.Trace(tenant, user, actor, request);

    public ValueTask<Outcome<PersonContext>> Context(Guid tenant, Guid user, ContextRequest request) => desk.Context(tenant, user, request);

    public ValueTask<WindowAnswer?> Window(Guid tenant, string channel, Actor actor, Guid? personality, int last) => desk.Window(tenant, channel, actor, personality, last);
}
