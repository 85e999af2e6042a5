using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using PersonaActors.Silo.Configuration;

namespace PersonaActors.Silo.Hosting;

/// <summary>Traces and metrics over OTLP, where an endpoint is configured; nothing listens otherwise, and nothing is paid.</summary>
public static class Telemetry
{
    public static void Add(IServiceCollection services, Settings settings)
    {
        if (settings.OtlpEndpoint is not { } endpoint)
        {
            return;
        }

        void Exporter(OtlpExporterOptions otlp) => otlp.Endpoint = endpoint;
        var resource = ResourceBuilder.CreateDefault().AddService("personactors");
        // Made when the container is, disposed with it: the last batch is sent at shutdown.
        services.AddSingleton(Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource("Microsoft.AspNetCore", "Npgsql", "PersonaActors.Gateway", "Microsoft.Orleans.Runtime", "Microsoft.Orleans.Application")
            .AddOtlpExporter(Exporter)
            .Build());
        services.AddSingleton(Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Npgsql", "System.Runtime", "PersonaActors.*", "Microsoft.Orleans")
            .AddOtlpExporter(Exporter)
            .Build());
    }
}
