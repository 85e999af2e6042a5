using Npgsql;
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
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("personactors"))
            .WithTracing(traces => traces
                .AddAspNetCoreInstrumentation()
                .AddNpgsql()
                .AddSource("PersonaActors.*", "Microsoft.Orleans.Runtime", "Microsoft.Orleans.Application")
                .AddOtlpExporter(Exporter))
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter("Npgsql", "PersonaActors.*", "Microsoft.Orleans")
                .AddOtlpExporter(Exporter));
    }
}
