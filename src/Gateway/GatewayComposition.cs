using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Events;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Catalogue;
using PersonaActors.Gateway.Conversations;
using PersonaActors.Gateway.Documents;
using PersonaActors.Gateway.Focus;
using PersonaActors.Gateway.Health;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Imports;
using PersonaActors.Gateway.Jobs;
using PersonaActors.Gateway.Mindscapes;
using PersonaActors.Gateway.PersonaKit;
using PersonaActors.Gateway.Personalities;
using PersonaActors.Gateway.Personas;
using PersonaActors.Gateway.Prompts;
using PersonaActors.Gateway.Realtime;
using PersonaActors.Gateway.Tenants;
using PersonaActors.Gateway.UserPersonas;
using PersonaActors.Gateway.Users;
using PersonaActors.Grains.Events;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Gateway;

/// <summary>What the gateway is made of, and the way of a request through it.</summary>
public static class GatewayComposition
{
    public static void AddGateway(this IServiceCollection services, GatewayOptions options)
    {
        services.AddSingleton(options);
        services.AddCallers();
        services.AddSingleton<PersonalityIndex>();
        services.AddSingleton<Commands>();
        services.AddSingleton<FocusSessions>();
        services.AddSingleton<FocusReports>();
        services.AddSingleton<MindscapeAccess>();
        services.AddSingleton<ChannelAccess>();
        services.AddSingleton<JobDesk>();
        Readiness.Add(services);
        services.AddSingleton<IProblemDetailsWriter, ProblemWriter>();
        services.AddProblemDetails();
        services.AddExceptionHandler<Failures>();
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
        services.AddSingleton<CallerLimits>();
        services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .WithOrigins([.. options.AllowedOrigins]).AllowAnyHeader().AllowAnyMethod().AllowCredentials()
            .WithExposedHeaders(Answers.CursorHeader, ContextEndpoint.TokensHeader, "ETag", "Location", "Retry-After")));
        services.AddDocument();
        services.AddRealtime();
        services.AddPromptStream();
        services.AddReactions();
    }

    /// <summary>What follows from an event, here at once and by a hint elsewhere.</summary>
    private static void AddReactions(this IServiceCollection services)
    {
        services.AddEventFeed();
        services.React<KeyRing>(EventTypes.KeyRevoked, static (keys, announced) => keys.OnRevoked(announced));
        services.React<KeyRing>(EventTypes.UserDeleted, static (keys, announced) => keys.EndOf(announced.Event.Stream));
        services.React<ConnectionRoster>(EventTypes.UserDeleted, static (roster, announced) => roster.OnUser(announced.Tenant, announced.Event.Stream));
        services.React<ConnectionRoster>(EventTypes.UserAccessChanged, static (roster, announced) => roster.OnUser(announced.Tenant, announced.Event.Stream));
        services.React<EventPump>(EventTypes.UserDeleted, static (pump, announced) => pump.OnUserDeleted(announced));
        services.React<EventPump>(EventTypes.PersonaDeleted, static (pump, announced) => pump.OnPersonaDeleted(announced));
        services.React<EventPump>(ChannelEvents.Typing, static (pump, announced) => pump.OnPassing(announced.Tenant, announced.Event));
        services.ReactToAll<EventPump>(static (pump, announced) => pump.OnAnnounced(announced));
        services.ReactToHints<KeyRing>(static (keys, hint) => keys.OnHint(hint));
        services.ReactToHints<ConnectionRoster>(static (roster, hint) => roster.OnUser(hint.Tenant, hint.Stream));
        services.ReactToHints<EventPump>(static (pump, hint) => pump.OnHint(hint));
        services.ReactToHints<PromptStream>(static (prompts, hint) => prompts.OnHint(hint));
        services.ReactToLoss<KeyRing>(static keys => keys.Recheck());
        services.ReactToLoss<EventPump>(static pump => pump.CheckSoon());
    }

    public static void UseGateway(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<GatewayOptions>();
        app.UseExceptionHandler();
        app.UseMiddleware<RepeatedReads>();
        app.UseMiddleware<Lane>();
        app.UseStatusCodePages();
        if (options.AuthOffTenant is not null)
        {
            app.UseMiddleware<LocalOnly>();
        }

        app.UseRouting();
        // Requests that no page made don't pay for what is about pages.
        app.UseWhen(http => http.Request.Headers.Origin.Count > 0, paged => paged.UseCors());
        app.UseAuthentication();
        app.Use(app.Services.GetRequiredService<CallerLimits>().Limit);
        app.UseAuthorization();
        app.UseMiddleware<HubGate>();
        Readiness.Map(app);
        app.MapDocument();
        app.MapRealtime();
        var api = app.MapGroup("").RequireAuthorization();
        // Whoever may GET may ask for the head of it.
        ((IEndpointConventionBuilder)api).Finally(static endpoint =>
        {
            if (endpoint.Metadata.OfType<IHttpMethodMetadata>().LastOrDefault() is { HttpMethods: ["GET"] })
            {
                endpoint.Metadata.Add(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
            }
        });
        api.MapTenants();
        api.MapTenantSettings();
        api.MapUsers();
        api.MapSystemPrompts();
        api.MapLlmConfigs();
        api.MapFocusModes();
        api.MapPersonalities();
        api.MapOverrides();
        api.MapPersonas();
        api.MapFocus();
        api.MapPeople();
        api.MapContext();
        api.MapSeedFocus();
        api.MapPrompts();
        api.MapUserPersonas();
        api.MapObservations();
        api.MapMindscapes();
        api.MapNarratives();
        api.MapMappers();
        api.MapGeneratedPersonas();
        api.MapChannels();
        api.MapMessages();
        api.MapMemories();
        api.MapPersonaKit();
        api.MapJobs();
        api.MapCards();
        api.MapImports();
    }
}
