using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using PersonaActors.Contracts.Events;

namespace PersonaActors.Tests.Harness;

/// <summary>
/// A tenant with callers of every kind, shared by the tests of a class; what one test makes is named by it alone. Its node and
/// database are the class's as long as it runs, and then the next one's, which has a tenant of its own there.
/// </summary>
public class Room : IAsyncLifetime
{
    private static readonly ConcurrentBag<House> Free = [];
    private House _house = null!;

    // The nodes end with the process; nothing that goes wrong then is a test's.
    static Room() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => Task.WhenAny(Task.WhenAll(Free.Select(house => house.Database.DisposeAsync().AsTask()))).Wait();

    public TestDatabase Database => _house.Database;

    public Node Node => _house.Node;

    /// <summary>What grains were called.</summary>
    public GrainCalls Calls => _house.Calls;

    public ApiClient Admin { get; private set; } = null!;

    public ApiClient Service { get; private set; } = null!;

    public ApiClient Operator { get; private set; } = null!;

    public Guid Tenant => Node.Demo;

    protected virtual bool IsHandedOn => true;

    private sealed record House(TestDatabase Database, Node Node, GrainCalls Calls)
    {
        public static async Task<House> Build()
        {
            var calls = new GrainCalls();
            var database = await TestDatabase.Create();
            return new House(database, await Node.Start(database, with: services => services.AddSingleton<IIncomingGrainCallFilter>(calls)), calls);
        }
    }

    public virtual async Task InitializeAsync()
    {
        var isNew = !IsHandedOn || !Free.TryTake(out _house!);
        if (isNew)
        {
            _house = await House.Build();
        }

        Operator = Node.Client(await Node.OperatorKey());
        if (!isNew)
        {
            Node.Demo = await MakeTenant();
        }

        Admin = Node.Client(await Node.AdminKey());
        Service = Node.Client(await Node.ServiceKey());
    }

    public async Task DisposeAsync()
    {
        Admin.Dispose();
        Service.Dispose();
        Operator.Dispose();
        if (IsHandedOn)
        {
            Node.ShouldHaveNoErrors();
            Free.Add(_house);
            return;
        }

        await Node.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>A new user with a key of its own.</summary>
    public async Task<Person> NewPerson(string name = "somebody")
    {
        var id = await Service.Register(name);
        return new Person(id, Node.Client(await Node.UserKey(id)));
    }

    /// <summary>Another tenant with its admin.</summary>
    public async Task<(Guid Id, ApiClient Admin)> NewTenant()
    {
        var id = await MakeTenant();
        return (id, Node.Client(await Node.AdminKey(id)));
    }

    private async Task<Guid> MakeTenant() =>
        (await Operator.Post("/v1/tenants", new { name = $"t{Guid.NewGuid():N}"[..20], displayName = "Another" })).Should(HttpStatusCode.Created).Id;

    /// <summary>The events of a stream after a number, as they were logged.</summary>
    public async Task<List<(long Seq, string Type, JsonObject Data)>> Events(string stream, long after = 0, Guid? tenant = null)
    {
        var log = new PersonaActors.Storage.Events.EventLog(Node.Database);
        var page = await log.After(tenant ?? Tenant, stream, after, CancellationToken.None);
        return [.. page.Events.Select(e => (e.Seq, e.Type, JsonNode.Parse(e.Data.Json)!.AsObject()))];
    }

    /// <summary>State as read, with the events after its cursor laid over it: what a client holds that only listened since.</summary>
    public async Task<JsonObject> Followed(ApiAnswer read, string stream)
    {
        var state = read.Json;
        foreach (var (_, _, data) in await Events(stream, (long)read.Json["cursor"]!["seq"]!))
        {
            Apply(state, data["changes"]!.AsObject());
        }

        state.Remove("cursor");
        return state;
    }

    /// <summary>RFC 7396.</summary>
    public static void Apply(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject inner)
            {
                if (target[name] is not JsonObject nested)
                {
                    target[name] = nested = [];
                }

                Apply(nested, inner);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }

    /// <summary>A member that is null says no more than one that isn't there.</summary>
    public static void AssertSame(JsonObject expected, JsonObject actual)
    {
        var (left, right) = (WithoutNulls(expected), WithoutNulls(actual));
        left.Remove("cursor");
        right.Remove("cursor");
        Assert.True(JsonNode.DeepEquals(left, right), $"expected {left}\nbut have {right}");
    }

    private static JsonObject WithoutNulls(JsonObject of)
    {
        var clean = new JsonObject();
        foreach (var (name, value) in of)
        {
            if (value is JsonObject inner)
            {
                clean[name] = WithoutNulls(inner);
            }
            else if (value is not null)
            {
                clean[name] = value.DeepClone();
            }
        }

        return clean;
    }

    /// <summary>SQL as the app role, with the settings of a transaction or without any.</summary>
    public async Task<T> AsApp<T>(Guid? tenant, Guid? user, string? scope, Func<NpgsqlConnection, Task<T>> run)
    {
        await using var connection = new NpgsqlConnection(Database.App);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var settings = new NpgsqlCommand(
            "SELECT set_config('app.current_tenant_id', $1, true), set_config('app.user_id', $2, true), set_config('app.scope', $3, true)", connection))
        {
            settings.Parameters.Add(new NpgsqlParameter { Value = tenant?.ToString() ?? "" });
            settings.Parameters.Add(new NpgsqlParameter { Value = user?.ToString() ?? "" });
            settings.Parameters.Add(new NpgsqlParameter { Value = scope ?? "" });
            await settings.ExecuteNonQueryAsync();
        }

        return await run(connection);
    }

    /// <summary>How many rows a statement of the app role touches or, for SELECT count(*), sees; -1 if row-level security refused it.</summary>
    public Task<long> RowsAsApp(Guid? tenant, Guid? user, string? scope, string sql) => AsApp(tenant, user, scope, async connection =>
    {
        await using var command = new NpgsqlCommand(sql, connection);
        try
        {
            return sql.StartsWith("SELECT", StringComparison.Ordinal) ? (long)(await command.ExecuteScalarAsync())! : await command.ExecuteNonQueryAsync();
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return -1L;
        }
    });

    public string CatalogueStream => StreamName.Catalogue(Tenant);
}

/// <summary>Where the node itself is tried, all that it does is counted, or something is made that is every tenant's.</summary>
public sealed class OwnRoom : Room
{
    protected override bool IsHandedOn => false;
}

public sealed record Person(Guid Id, ApiClient Client);
