using Microsoft.Extensions.DependencyInjection;

namespace PersonaActors.Silo.Hosting;

/// <summary>The hub speaks JSON, which the gateway brings. Built with MessagePack=true it speaks that as well (MessagePackProtocol.cs takes this file's place).</summary>
public static class HubProtocols
{
    public static void Add(IServiceCollection services)
    {
    }
}
