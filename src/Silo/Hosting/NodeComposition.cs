using Microsoft.Extensions.DependencyInjection.Extensions;
using PersonaActors.Gateway;
using PersonaActors.Gateway.Realtime;
using PersonaActors.Grains.Embeddings;
using PersonaActors.Silo.Configuration;
using PersonaActors.Storage;

namespace PersonaActors.Silo.Hosting;

/// <summary>One node: storage, the silo with the grains, the gateway.</summary>
public static class NodeComposition
{
    private const long MaxBody = 1024 * 1024;

    public static WebApplication Build(Settings settings, IConfiguration configuration, Database database, Guid? authOffTenant, Action<IServiceCollection>? with = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddConfiguration(configuration);
        builder.WebHost.UseUrls(settings.Url.ToString());
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
        });
        builder.WebHost.UseSockets(sockets =>
        {
            // Nothing of ours blocks a thread that a socket's answer came on, so requests may run there and answers leave from there.
            sockets.UnsafePreferInlineScheduling = true;
            // A connection holds 4 KiB while it is silent, and its requests come in at once.
            sockets.WaitForDataBeforeAllocatingBuffer = false;
        });
        // What hasn't ended by then isn't waited for: all that was acknowledged is committed.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(8));
        builder.Logging.ClearProviders();
        if (settings.Logs == LogForm.Json)
        {
            builder.Logging.AddJsonConsole(console =>
            {
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "O";
            });
        }
        else
        {
            builder.Logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss ";
            });
        }

        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddConfiguration(configuration.GetSection("Logging"));
        builder.Logging.AddFilter("PersonaActors", LogLevel.Information);
        // While anybody logs in this category, each request gets a span and a scope of its own, traced or not. Of failures it
        // says nothing; spans are made all the same where somebody listens for them.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        // Orleans' watchdogs say that the machine is busy, and at start what every start has: nothing that anybody could mend.
        builder.Logging.AddFilter("Orleans.Runtime.MembershipService.LocalSiloHealthMonitor", LogLevel.None);
        builder.Logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.None);
        builder.Logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Error);
        builder.Logging.AddSampler<OutageSampler>();
        // What Orleans says of any grain service: that it starts, and over which part of the ring, which means nothing here.
        builder.Logging.AddFilter("PersonaActors.Grains.Replicas.ReplicaService", LogLevel.Warning);

        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton(new Clock(TimeProvider.System));
        builder.Services.AddSingleton(settings);
        builder.Services.AddStorage(database);
        builder.Services.AddEmbeddings(settings.Embeddings);
        SiloHosting.Add(builder, settings);
        builder.Services.AddGateway(new Gateway.GatewayOptions
        {
            AuthOffTenant = authOffTenant,
            AllowedOrigins = settings.AllowedOrigins,
            RequestsPerMinute = settings.RequestsPerMinute,
            ServiceRequestsPerMinute = settings.ServiceRequestsPerMinute,
        });
        HubProtocols.Add(builder.Services);
        builder.Services.TellWhyHubsClose();
        Telemetry.Add(builder.Services, settings);
        with?.Invoke(builder.Services);

        var app = builder.Build();
        app.UseGateway();
        return app;
    }
}
