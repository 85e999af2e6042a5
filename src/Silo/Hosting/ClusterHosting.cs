using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Orleans.Hosting;
using Orleans.Runtime.Messaging;
using PersonaActors.Grains;
using PersonaActors.Silo.Configuration;
using PersonaActors.Storage;
using PersonaActors.Storage.Events;

namespace PersonaActors.Silo.Hosting;

/// <summary>The cluster edition: Microsoft Orleans, its membership, reminders and grain storage on the same PostgreSQL.</summary>
public static class EngineHosting
{
    private const string Invariant = "Npgsql";
    private const string ClusterId = "personactors";

    public const bool SharesDatabase = true;

    public static void Add(WebApplicationBuilder builder, Settings settings, Database database)
    {
        // Orleans looks its ADO.NET provider up by name.
        System.Data.Common.DbProviderFactories.RegisterFactory(Invariant, NpgsqlFactory.Instance);
        if (settings.Role == NodeRole.Gateway)
        {
            builder.UseOrleansClient(client => client
                .Configure<ClusterOptions>(Name)
                .UseAdoNetClustering(o => { o.Invariant = Invariant; o.ConnectionString = settings.AppDatabase; }));
            return;
        }

        builder.UseOrleans(silo => silo
            .Configure<ClusterOptions>(Name)
            .Configure<ClusterMembershipOptions>(membership =>
            {
                // A silo that died is noticed in seconds, and one that was voted dead while it was away learns it as soon as it is back.
                membership.ProbeTimeout = TimeSpan.FromSeconds(1);
                membership.NumVotesForDeathDeclaration = 1;
                membership.TableRefreshTimeout = TimeSpan.FromSeconds(5);
            })
            .UseAdoNetClustering(o => { o.Invariant = Invariant; o.ConnectionString = settings.AppDatabase; })
            .UseAdoNetReminderService(o => { o.Invariant = Invariant; o.ConnectionString = settings.AppDatabase; })
            .AddAdoNetGrainStorage("store", o => { o.Invariant = Invariant; o.ConnectionString = settings.AppDatabase; })
            .ConfigureEndpoints(advertisedIP: Address(settings), siloPort: settings.SiloPort, gatewayPort: settings.SiloGatewayPort, listenOnAnyHostAddress: true));
        builder.Services.AddGrainWork(alone: false);
        builder.Services.AddHostedService<NotifySender>();
    }

    private static readonly string[] Scripts = ["PostgreSQL-Main.sql", "PostgreSQL-Clustering.sql", "PostgreSQL-Persistence.sql", "PostgreSQL-Reminders.sql"];

    private const string HasTablesSql = "SELECT to_regclass('orleansquery') IS NOT NULL";

    private const string GrantSql = """
        GRANT SELECT, INSERT, UPDATE, DELETE ON orleansquery, orleansmembershipversiontable, orleansmembershiptable, orleansstorage, orleansreminderstable
        TO personactors_app
        """;

    /// <summary>Orleans brings its tables as four scripts, to be run once, in this order.</summary>
    public static async Task PrepareDatabase(string migrator, string? scripts, CancellationToken cancel)
    {
        await using var source = NpgsqlDataSource.Create(migrator);
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using (var has = new NpgsqlCommand(HasTablesSql, connection))
        {
            if (await has.ExecuteScalarAsync(cancel) is true)
            {
                return;
            }
        }

        if (scripts is null || Array.Find(Scripts, script => !File.Exists(Path.Combine(scripts, script))) is { })
        {
            throw new SettingException(
                $"The database lacks Orleans' tables. Put {string.Join(", ", Scripts)} of the Orleans release in a folder and name it in Persona:Cluster:OrleansSql, or run them in this order as the migrator.");
        }

        await using var transaction = await connection.BeginTransactionAsync(cancel);
        foreach (var script in Scripts)
        {
            await using var run = new NpgsqlCommand(await File.ReadAllTextAsync(Path.Combine(scripts, script), cancel), connection);
            await run.ExecuteNonQueryAsync(cancel);
        }

        await using var grant = new NpgsqlCommand(GrantSql, connection);
        await grant.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>The call met a silo that went away; the next one lands on a living one.</summary>
    public static bool IsTransient(Exception e) =>
        e is SiloUnavailableException or OrleansMessageRejectionException or ConnectionFailedException or GatewayTooBusyException;

    /// <summary>A cluster refuses no node.</summary>
    public static bool IsRefusal(Exception e) => false;

    private static void Name(ClusterOptions cluster)
    {
        cluster.ClusterId = ClusterId;
        cluster.ServiceId = ClusterId;
    }

    private static IPAddress Address(Settings settings) =>
        settings.Url.IsLoopback ? IPAddress.Loopback : Array.Find(Dns.GetHostAddresses(Dns.GetHostName()), a => a.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) ?? IPAddress.Loopback;
}
