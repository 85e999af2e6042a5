using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace PersonaActors.Bench;

/// <summary>Kestrel with nothing behind it: the same bytes for whoever asks.</summary>
internal static class BareKestrel
{
    internal static WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Logging.ClearProviders();
        return builder.Build();
    }

    internal static async Task<WebApplication> Serve(int status, byte[] body, string etag)
    {
        var app = Build();
        app.Run(async http =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers.ETag = etag;
            if (body.Length > 0)
            {
                http.Response.ContentType = "application/json; charset=utf-8";
                http.Response.ContentLength = body.Length;
                await http.Response.BodyWriter.WriteAsync(body);
            }
        });
        await app.StartAsync();
        return app;
    }

    internal static Uri Address(this WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
}
