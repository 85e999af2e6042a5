using PersonaActors.Contracts;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Prompts;
using PersonaActors.Storage.Users;

namespace PersonaActors.Grains.Users;

/// <summary>The reading side of a user: the prompts that are made from its state and others'.</summary>
public sealed partial class UserGrain : IPromptUser
{
    private PromptResolver? _resolver;
    private UserRow? _sideOf;
    private UserSide? _side;

    public ValueTask<Outcome<PromptAnswer>> Resolve(Actor actor, PromptRequest request, PromptOccasion? occasion, string? knownVersions) =>
        Resolver.Resolve(actor, request, occasion, knownVersions);

    public ValueTask<Outcome<PromptTrace>> TracePrompt(Actor actor, PromptRequest request) => Resolver.Trace(actor, request);

    private PromptResolver Resolver => _resolver ??= new PromptResolver(shared, _key, prompts, time, this);

    /// <summary>Another object after each commit, and the same one until then.</summary>
    UserSide? IPromptUser.Side
    {
        get
        {
            if (!ReferenceEquals(_sideOf, _user))
            {
                _sideOf = _user;
                _side = _user is { } user ? new UserSide(user.View, user.LlmConfigs, user.Overrides) : null;
            }

            return _side;
        }
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _resolver?.Forget();
        return Task.CompletedTask;
    }
}
