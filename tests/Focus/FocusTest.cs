using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Tests.Focus;

/// <summary>A node with a clock that tests move, auth off as in the founding document, and its database. Each test has a person of its own.</summary>
public class FocusRoom : ClockedRoom
{
    protected override bool HasAuth => false;
}

/// <summary>What tests of focus sessions do and look at.</summary>
public abstract class FocusTest(FocusRoom room) : IDisposable
{
    private ApiClient? _api;

    protected FakeTimeProvider Clock => room.Clock;

    protected Node Node => room.Node;

    protected ApiClient Api => _api ??= Node.Client();

    public void Dispose()
    {
        _api?.Dispose();
        GC.SuppressFinalize(this);
    }

    protected async Task RestartNode()
    {
        _api?.Dispose();
        _api = null;
        await room.RestartNode();
    }

    /// <summary>Moves the clock and has done what is due by then.</summary>
    protected async Task Pass(TimeSpan time)
    {
        Clock.Advance(time);
        await Node.Services.GetRequiredService<FocusSweep>().WakeDue(CancellationToken.None);
    }

    protected Task Pass(double minutes) => Pass(TimeSpan.FromMinutes(minutes));

    protected async Task<Guid> StartSession(Guid person, object? more = null)
    {
        var body = more is null ? [] : JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(more))!.AsObject();
        body["user"] = person;
        return (await Api.Post("/v1/focus/sessions", body.ToJsonString())).Should(System.Net.HttpStatusCode.Created).Id;
    }

    protected Task<ApiAnswer> Do(Guid session, string what, object? body = null) => Api.Post($"/v1/focus/sessions/{session}/{what}", body);

    protected async Task<JsonObject> Session(Guid session) => (await Api.Get($"/v1/focus/sessions/{session}")).Should(System.Net.HttpStatusCode.OK).Json;

    protected Task<List<T>> Query<T>(string sql, Func<NpgsqlDataReader, T> map) => Sql.Rows(room.Database.Superuser, sql, map);

    protected Task<long> Count(string sql) => Sql.Ask<long>(room.Database.Superuser, sql);
}
