using System.Data.Common;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Orleans.Serialization;
using Orleans.Storage;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Prompts;
using PersonaActors.Grains;
using PersonaActors.Grains.Jobs;
using PersonaActors.Grains.Replicas;
using PersonaActors.Silo.Configuration;

namespace PersonaActors.Silo.Hosting;

/// <summary>Orleans, with its membership, its reminders and the progress of jobs in the service's own PostgreSQL (sql/0011): one silo on a laptop, any number elsewhere.</summary>
public static class SiloHosting
{
    private const string Invariant = "Npgsql";

    public static void Add(WebApplicationBuilder builder, Settings settings)
    {
        // Orleans looks its ADO.NET provider up by name.
        DbProviderFactories.RegisterFactory(Invariant, NpgsqlFactory.Instance);
        void Name(ClusterOptions cluster) => cluster.ClusterId = cluster.ServiceId = settings.ClusterId;

        if (settings.Role == NodeRole.Gateway)
        {
            var lost = new LostGateways();
            builder.UseOrleansClient(client => client
                .Configure<ClusterOptions>(Name)
                // Until it knows of a silo it isn't told of its end either, and waits for an answer that won't come.
                .Configure<Orleans.Configuration.GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = TimeSpan.FromSeconds(2))
                .AddActivityPropagation()
                .AddClusterConnectionStatusObserver(lost)
                .AddOutgoingGrainCallFilter(lost)
                .UseAdoNetClustering(o => { o.Invariant = Invariant; o.ConnectionString = settings.AppDatabase; }));
            builder.Services.AddSingleton<IPromptDesk, FarPromptDesk>();
            return;
        }

        builder.UseOrleans(silo => silo
            .Configure<ClusterOptions>(Name)
            .Configure<ClusterMembershipOptions>(membership =>
            {
                // A silo that died is noticed in seconds, and one that was voted dead while it was away learns it as soon as it is back.
                membership.ProbeTimeout = TimeSpan.FromSeconds(1);
                membership.NumVotesForDeathDeclaration = settings.DeathVotes;
                membership.TableRefreshTimeout = TimeSpan.FromSeconds(5);
                // A silo can't join while an entry that can't be reached isn't stale, and stale is three times this.
                membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(1);
            })
            .UseAdoNetClustering(o => { o.Invariant = Invariant; o.ConnectionString = settings.AppDatabase; })
            .UseAdoNetReminderService(o => { o.Invariant = Invariant; o.ConnectionString = settings.AppDatabase; })
            .AddAdoNetGrainStorage(JobProgress.Storage, storage => storage.Configure<Serializer>((o, serializer) =>
            {
                o.Invariant = Invariant;
                o.ConnectionString = settings.AppDatabase;
                // As grains speak to each other: members may come and go between versions.
                o.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
            }))
            .AddActivityPropagation()
            .AddIncomingGrainCallFilter<OutageFilter>()
            .AddOutgoingGrainCallFilter<CutOffFilter>()
            .AddGrainExtension<IYielding, Yielding>()
            .ConfigureEndpoints(
                settings.IsCluster ? HostAddress() : IPAddress.Loopback,
                settings.SiloPort ?? FreePort(),
                settings.SiloGatewayPort ?? FreePort(),
                listenOnAnyHostAddress: settings.IsCluster));
        builder.Services.AddSingleton(new GrainOptions { ServesWhenCutOff = settings.WhenCutOff == WhenCutOff.Serve });
        builder.Services.AddGrainWork();
    }

    private static IPAddress HostAddress() =>
        Array.Find(Dns.GetHostAddresses(Dns.GetHostName()), address => address.AddressFamily == AddressFamily.InterNetwork) ?? IPAddress.Loopback;

    /// <summary>Two services on one machine must not meet at a port, so one that names none takes what is free, below what the kernel gives to outgoing connections.</summary>
    private static int FreePort()
    {
        while (true)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(12_000, 20_000));
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another one then.
            }
        }
    }
}
