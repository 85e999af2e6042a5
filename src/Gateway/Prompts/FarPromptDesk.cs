using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;

namespace PersonaActors.Gateway.Prompts;

/// <summary>For a gateway without grains: the desk of a silo.</summary>
public sealed class FarPromptDesk(IGrainFactory grains) : IPromptDesk
{
    private IPromptDeskGrain Desk => grains.GetGrain<IPromptDeskGrain>(0);

    public ValueTask<Outcome<PromptAnswer>> Resolve(Guid tenant, Guid user, Actor actor, PromptRequest request, PromptOccasion? occasion, string? knownVersions) =>
        Desk.Resolve(tenant, user, actor, request, occasion, knownVersions);

    public ValueTask<Outcome<PromptTrace>> Trace(Guid tenant, Guid user, Actor actor, PromptRequest request) => Desk.Trace(tenant, user, actor, request);

    public ValueTask<Outcome<PersonContext>> Context(Guid tenant, Guid user, ContextRequest request) => Desk.Context(tenant, user, request);

    public ValueTask<WindowAnswer?> Window(Guid tenant, string channel, Actor actor, Guid? personality, int last) => Desk.Window(tenant, channel, actor, personality, last);
}
