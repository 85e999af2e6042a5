using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using PersonaActors.Grains.Focus;

namespace PersonaActors.Tests.Focus;

/// <summary>A node with a clock of the test's, auth off as in the founding document, and its database.</summary>
public abstract class FocusFixture : IAsyncLifetime
{
    protected FakeTimeProvider Clock { get; set; } = FakeTime.Start();

    protected TestDatabase Database { get; private set; } = null!;

    protected Node Node { get; private set; } = null!;

    protected ApiClient Api { get; private set; } = null!;

    public virtual async Task InitializeAsync()
    {
        Database = await TestDatabase.Create();
        await StartNode();
    }

    public async Task DisposeAsync()
    {
        Api.Dispose();
        await Node.DisposeAsync();
        await Database.DisposeAsync();
    }

    protected async Task StartNode()
    {
        Node = await Node.Start(Database, Clock, auth: false);
        Api = Node.Client();
    }

    protected async Task RestartNode()
    {
        Api.Dispose();
        await Node.DisposeAsync();
        await StartNode();
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

    protected Task<List<T>> Query<T>(string sql, Func<NpgsqlDataReader, T> map) => Sql.Rows(Database.Superuser, sql, map);

    protected Task<long> Count(string sql) => Sql.Ask<long>(Database.Superuser, sql);
}
