using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Catalogue;
using PersonaActors.Gateway.Focus;
using PersonaActors.Gateway.Health;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Personalities;
using PersonaActors.Gateway.Personas;
using PersonaActors.Gateway.Prompts;
using PersonaActors.Gateway.Realtime;
using PersonaActors.Gateway.Tenants;
using PersonaActors.Gateway.UserPersonas;
using PersonaActors.Gateway.Users;
using PersonaActors.Storage;

namespace PersonaActors.Gateway;

/// <summary>What the gateway is made of, and the way of a request through it.</summary>
public static class GatewayComposition
{
    public static void AddGateway(this IServiceCollection services, GatewayOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<KeyRing>();
        services.AddHostedService(provider => provider.GetRequiredService<KeyRing>());
        services.AddSingleton<ConnectionTokens>();
        services.AddSingleton<IdentityIndex>();
        services.AddSingleton<ActingResolver>();
        services.AddSingleton<PersonalityIndex>();
        services.AddSingleton<UserGrains>();
        services.AddSingleton<Commands>();
        services.AddSingleton<FocusSessions>();
        services.AddSingleton(provider => HealthEndpoints.DatabaseCheck(provider.GetRequiredService<Database>()));
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.UnmappedMemberHandling = Wire.Strict.UnmappedMemberHandling;
            json.SerializerOptions.NumberHandling = Wire.Strict.NumberHandling;
            json.SerializerOptions.Encoder = Wire.Strict.Encoder;
            json.SerializerOptions.AllowDuplicateProperties = Wire.Strict.AllowDuplicateProperties;
            json.SerializerOptions.RespectNullableAnnotations = Wire.Strict.RespectNullableAnnotations;
            json.SerializerOptions.MaxDepth = Wire.Strict.MaxDepth;
            foreach (var converter in Wire.Strict.Converters)
            {
                json.SerializerOptions.Converters.Add(converter);
            }
        });
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.AddRateLimiter(limiter => RateLimits.Configure(limiter, options));
        services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .WithOrigins([.. options.AllowedOrigins]).AllowAnyHeader().AllowAnyMethod().AllowCredentials()
            .WithExposedHeaders(Answers.CursorHeader, "ETag", "Location", "Retry-After")));
        services.AddOpenApi("v1");
        services.AddRealtime();
        services.AddPromptStream();
    }

    public static void UseGateway(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<GatewayOptions>();
        app.UseMiddleware<Failures>();
        app.UseMiddleware<PromptLane>();
        app.UseRouting();
        // Requests that no page made don't pay for what is about pages.
        app.UseWhen(http => http.Request.Headers.Origin.Count > 0, paged => paged.UseCors());
        app.UseMiddleware<Authentication>();
        app.UseWhen(http => RateLimits.MayLimit(http, options), limited => limited.UseRateLimiter());
        app.UseMiddleware<HubGate>();
        // The framework puts it before everything else where nobody says its place; no route of ours asks it anything.
        app.UseAuthorization();
        app.MapHealth();
        app.MapOpenApi().WithMetadata(OpenToAll.Instance);
        app.MapTenants();
        app.MapTenantSettings();
        app.MapUsers();
        app.MapSystemPrompts();
        app.MapLlmConfigs();
        app.MapFocusModes();
        app.MapPersonalities();
        app.MapOverrides();
        app.MapPersonas();
        app.MapFocus();
        app.MapPeople();
        app.MapSeedFocus();
        app.MapPrompts();
        app.MapRealtime();
        app.MapUserPersonas();
    }
}
