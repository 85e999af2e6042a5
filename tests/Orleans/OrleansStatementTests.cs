using Npgsql;

namespace PersonaActors.Tests.Orleans;

/// <summary>
/// What each statement of sql/0011 must answer, asked as Orleans' providers ask it: by its text in orleansquery, with their
/// parameters, as the app login. Of two writers the first holds its transaction open until the second waits for it.
/// </summary>
public sealed class OrleansStatementTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    private static readonly (string Name, object Value)[] Usual =
    [
        ("DeploymentId", "c"), ("Address", "127.0.0.1"), ("Port", 1), ("Generation", 1), ("SiloName", "s"), ("HostName", "h"), ("Status", 3),
        ("ProxyPort", 3000), ("Version", 0), ("StartTime", DateTime.UtcNow), ("IAmAliveTime", DateTime.UtcNow), ("SuspectTimes", DBNull.Value),
        ("ServiceId", "s"), ("GrainId", "g/1"), ("ReminderName", "wake"), ("GrainHash", 5), ("Period", 60_000L), ("BeginHash", 0), ("EndHash", 10),
        ("GrainIdHash", 1), ("GrainTypeHash", 2), ("GrainIdN0", 0L), ("GrainIdN1", 0L), ("GrainTypeString", "T"), ("GrainIdExtensionString", "k"),
        ("GrainStateVersion", DBNull.Value), ("PayloadBinary", new byte[] { 1 }),
    ];

    public async Task InitializeAsync() => _database = await TestDatabase.Create();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task A_silo_enters_and_changes_only_over_the_version_that_was_read()
    {
        Assert.True(await Truth("InsertMembershipVersionKey"));
        Assert.False(await Truth("InsertMembershipVersionKey"));
        var empty = Assert.Single(await Run("MembershipReadAllKey"));
        Assert.Equal((0, null), (empty["version"], empty["address"]));

        Assert.Equal((true, false), await Race("InsertMembershipKey", [], [("Port", 2)]));
        Assert.False(await Truth("InsertMembershipKey", ("Port", 3)));
        Assert.False(await Truth("InsertMembershipKey", ("Version", 1)));
        Assert.True(await Truth("InsertMembershipKey", ("Port", 2), ("Version", 1), ("ProxyPort", 0)));
        Assert.Equal((true, false), await Race("UpdateMembershipKey", [("Version", 2), ("Status", 4), ("SuspectTimes", "x")], [("Version", 2), ("Port", 2)]));
        Assert.False(await Truth("UpdateMembershipKey", ("Version", 3), ("Port", 9)));

        await Run("UpdateIAmAlivetimeKey", ("IAmAliveTime", DateTime.UtcNow.AddDays(-1)));
        var all = await Run("MembershipReadAllKey");
        Assert.Equal(2, all.Count);
        Assert.All(all, row => Assert.Equal(3, row["version"]));
        var dead = Assert.Single(await Run("MembershipReadRowKey"));
        Assert.Equal((4, "x", "s", "h"), (dead["status"], dead["suspecttimes"], dead["siloname"], dead["hostname"]));
        Assert.Null(Assert.Single(await Run("MembershipReadRowKey", ("Port", 9)))["address"]);

        // The one is dead, the other has no port for gateways.
        Assert.Empty(await Run("GatewaysQueryKey"));
        Assert.True(await Truth("InsertMembershipKey", ("Port", 3), ("Version", 3)));
        Assert.Equal(3000, Assert.Single(await Run("GatewaysQueryKey"))["proxyport"]);
        await Run("CleanupDefunctSiloEntriesKey", ("IAmAliveTime", DateTime.UtcNow.AddDays(1)));
        Assert.Equal(2, (await Run("MembershipReadAllKey")).Count);
        await Run("DeleteMembershipTableEntriesKey");
        Assert.Empty(await Run("MembershipReadAllKey"));
    }

    [Fact]
    public async Task A_reminder_is_found_by_its_grain_and_by_its_part_of_the_ring()
    {
        Assert.Equal(0, await Value("UpsertReminderRowKey"));
        Assert.Equal(1, await Value("UpsertReminderRowKey", ("Period", 3_000_000_000L)));
        Assert.Equal(0, await Value("UpsertReminderRowKey", ("GrainId", "g/2"), ("GrainHash", -7)));
        var row = Assert.Single(await Run("ReadReminderRowKey"));
        Assert.Equal(("g/1", "wake", 3_000_000_000L, 1), (row["grainid"], row["remindername"], row["period"], row["version"]));
        Assert.Single(await Run("ReadReminderRowsKey"));

        Assert.Equal(["g/1"], await Range("ReadRangeRows1Key", 0, 10));
        Assert.Empty(await Range("ReadRangeRows1Key", 5, 10));
        Assert.Equal(["g/1"], await Range("ReadRangeRows1Key", 0, 5));
        Assert.Equal(["g/2"], await Range("ReadRangeRows2Key", 10, -7));
        Assert.Equal(["g/1", "g/2"], await Range("ReadRangeRows2Key", 4, 4));

        Assert.False(await Truth("DeleteReminderRowKey"));
        Assert.True(await Truth("DeleteReminderRowKey", ("Version", 1)));
        await Run("DeleteReminderRowsKey");
        Assert.Empty(await Range("ReadRangeRows2Key", 4, 4));

        async Task<string[]> Range(string key, int begin, int end) =>
            [.. (await Run(key, ("BeginHash", begin), ("EndHash", end))).Select(found => (string)found["grainid"]!).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Of_two_who_store_over_the_same_version_the_second_gets_it_back_unchanged()
    {
        Assert.Equal((1, null), await Versions("WriteToStorageKey", null));
        Assert.Equal((2, 1), await Versions("WriteToStorageKey", 1));
        Assert.Equal((3, 2), await Versions("ClearStorageKey", 2));
        Assert.Null(Assert.Single(await Run("ReadFromStorageKey"))["payloadbinary"]);
        Assert.Equal(4, await Value("WriteToStorageKey", ("GrainStateVersion", 3)));
        Assert.Equal(new byte[] { 1 }, (byte[])Assert.Single(await Run("ReadFromStorageKey"))["payloadbinary"]!);
        Assert.Equal(5, await Value("DeleteStorageKey", ("GrainStateVersion", 4)));
        Assert.Equal(4, await Value("DeleteStorageKey", ("GrainStateVersion", 4)));
        Assert.Empty(await Run("ReadFromStorageKey"));

        // A key without an extension is one key too.
        Assert.Equal(1, await Value("WriteToStorageKey", ("GrainIdExtensionString", DBNull.Value)));
        Assert.Null(await Value("WriteToStorageKey", ("GrainIdExtensionString", DBNull.Value)));

        async Task<(object?, object?)> Versions(string key, int? version)
        {
            (string, object)[] parameters = [("GrainStateVersion", version is { } number ? number : DBNull.Value)];
            var (first, second) = await Both(key, parameters, parameters);
            return (first[0].Values.Single(), second[0].Values.Single());
        }
    }

    [Fact]
    public async Task Only_the_app_login_reaches_these_tables_and_it_changes_no_statement()
    {
        foreach (var table in (string[])["orleansquery", "orleans_membership", "orleans_membership_version", "orleans_reminders", "orleans_storage"])
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => Sql.Ask<long>(_database.Worker, $"SELECT count(*) FROM {table}"));
            Assert.Equal("42501", refused.SqlState);
        }

        Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => Sql.Run(_database.App, "UPDATE orleansquery SET querytext = ''"))).SqlState);
        Assert.Equal(0, await Sql.Ask<long>(
            _database.Superuser, "SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a WHERE c.relname LIKE 'orleans%' AND a.grantee = 0"));
    }

    private async Task<object?> Value(string key, params (string Name, object Value)[] parameters) => Assert.Single(await Run(key, parameters)).Values.Single();

    private async Task<bool> Truth(string key, params (string Name, object Value)[] parameters) => Convert.ToBoolean(await Value(key, parameters));

    private async Task<(bool, bool)> Race(string key, (string, object)[] one, (string, object)[] other)
    {
        var (first, second) = await Both(key, one, other);
        return (Convert.ToBoolean(first[0].Values.Single()), Convert.ToBoolean(second[0].Values.Single()));
    }

    private async Task<(List<Dictionary<string, object?>> First, List<Dictionary<string, object?>> Second)> Both(string key, (string, object)[] one, (string, object)[] other)
    {
        await using var connection = new NpgsqlConnection(_database.App);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var first = await Run(connection, key, one);
        var second = Run(key, other);
        await Eventually.True("the second writer waits for the first", async () =>
            await Sql.Ask<long>(_database.Superuser, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0);
        await transaction.CommitAsync();
        return (first, await second);
    }

    private async Task<List<Dictionary<string, object?>>> Run(string key, params (string Name, object Value)[] parameters)
    {
        await using var connection = new NpgsqlConnection(_database.App);
        await connection.OpenAsync();
        return await Run(connection, key, parameters);
    }

    /// <summary>The rows, each by the lower-case names of its columns.</summary>
    private static async Task<List<Dictionary<string, object?>>> Run(NpgsqlConnection connection, string key, (string Name, object Value)[] parameters)
    {
        await using var find = new NpgsqlCommand("SELECT querytext FROM orleansquery WHERE querykey = $1", connection) { Parameters = { new() { Value = key } } };
        var text = (string)(await find.ExecuteScalarAsync())!;
        await using var command = new NpgsqlCommand(text, connection);
        foreach (var (name, value) in Usual.Where(usual => text.Contains($"@{usual.Name}", StringComparison.Ordinal)))
        {
            command.Parameters.AddWithValue(name, Array.Find(parameters, given => given.Name == name) is (not null, { } given) ? given : value);
        }

        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<Dictionary<string, object?>>();
        while (await reader.ReadAsync())
        {
            rows.Add(Enumerable.Range(0, reader.FieldCount).ToDictionary(i => reader.GetName(i).ToLowerInvariant(), i => reader.IsDBNull(i) ? null : reader.GetValue(i)));
        }

        return rows;
    }
}
