using PersonaActors.Contracts;
using PersonaActors.Contracts.Users;

namespace PersonaActors.Bench;

internal static class RealtimeUsers
{
    internal static Command NewCommand() => new(Guid.NewGuid().ToString("N"), Guid.Empty, new string('0', 64), new Actor(ActorKind.Service, null));

    internal static async Task<Guid> Register(BenchNode node, string name)
    {
        var user = Guid.CreateVersion7();
        await node.Grains.Of<IUserGrain>(new TenantScopedKey(node.Tenant, user)).Register(NewCommand(), new UserRegistration(name, null, null, [], false));
        return user;
    }
}
