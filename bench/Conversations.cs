using System.Text;
using Npgsql;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Users;

namespace PersonaActors.Bench;

/// <summary>
/// Channels: what is said in fifty of them at once, against the same statements from a plain loop; their windows read over HTTP,
/// and prompts with a window of twenty messages, against Kestrel with the same bytes and nothing behind them.
/// </summary>
internal static class Conversations
{
    private const int Channels = 50;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(3);

    private static readonly string Words = string.Concat(Enumerable.Repeat("I went to sea again today. ", 6));

    internal static async Task<Result[]> RunAsync()
    {
        await using var node = await BenchNode.Start();
        var user = Guid.CreateVersion7();
        var actor = new Actor(ActorKind.Service, user);
        Command NewCommand() => new(Guid.NewGuid().ToString("N"), Guid.Empty, new string('0', 64), actor);
        await node.Grains.Of<IUserGrain>(new TenantScopedKey(node.Tenant, user)).Register(NewCommand(), new UserRegistration("Sam", null, "I sail.", [], false));
        var personality = Guid.CreateVersion7();
        await node.Grains.Of<IPersonalityGrain>(new TenantScopedKey(node.Tenant, personality)).Create(NewCommand(), new JsonText("""{"name":"Lila","characterInfo":"Keeps a lighthouse.","personalityTraits":"calm","isPublic":true}""").Read<PersonalityDraft>());
        var grains = Enumerable.Range(0, Channels).Select(i => node.Grains.Of<IChannelGrain>(new ChannelKey(node.Tenant, $"channel-{i}"))).ToArray();
        Task Append(int i) => grains[i].Append(NewCommand(), new NewMessage(MessageRole.User, Words, null, null, null, null));
        for (var i = 0; i < Channels; i++)
        {
            await Append(i);
        }

        await using var loop = new PlainLoop(node.On.App, node.Tenant, user);
        await loop.Make();
        await WriteLoad.PerSecond(Channels, WarmUp, Append);
        await WriteLoad.PerSecond(Channels, WarmUp, loop.Append);
        var (ours, theirs) = (new List<double>(), new List<double>());
        for (var round = 0; round < 3; round++)
        {
            theirs.Add(await WriteLoad.PerSecond(Channels, Measured, loop.Append));
            ours.Add(await WriteLoad.PerSecond(Channels, Measured, Append));
        }

        var appended = ours.Zip(theirs, (a, b) => a / b).Order().ElementAt(1);
        var key = await node.ServiceKey();
        byte[] Request(string path) => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n");
        var windows = Enumerable.Range(0, Channels).Select(i => Request($"/v1/channels/channel-{i}/messages?last=20")).ToArray();
        var prompts = Enumerable.Range(0, Channels).Select(i => Request($"/v1/personalities/{personality}/prompt?user={user}&channel=channel-{i}")).ToArray();
        return
        [
            new($"messages appended (channel, message, event, answer), {Channels} channels at once", Result.PerSecond(ours.Order().ElementAt(1)), Result.PerSecond(theirs.Order().ElementAt(1)), appended, 0.6),
            await AgainstBare.Read(node.Address, windows, "a window of 20 messages read over HTTP, against bare Kestrel", 0.5),
            await AgainstBare.Read(node.Address, prompts, "a prompt with a window of 20 messages resolved over HTTP, against bare Kestrel", 0.4),
        ];
    }

    /// <summary>What one would write by hand: the same transaction in one batch, and nothing else.</summary>
    private sealed class PlainLoop(string connectionString, Guid tenant, Guid user) : IAsyncDisposable
    {
        private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = Channels, MaxAutoPrepare = 20, AutoPrepareMinUsages = 2 }.ConnectionString);

        private readonly long[] _numbers = new long[Channels];

        private const string Scope = "SELECT set_config('app.current_tenant_id', $1, true), set_config('app.user_id', '', true), set_config('app.scope', 'tenant', true)";

        private const string Channel = """
            INSERT INTO channels (tenant_id, channel_id, last_number, version, row_version, created_at, updated_at) VALUES ($1, $2, 0, 0, 0, $3, $3)
            """;

        private const string Row = "UPDATE channels SET last_number = $3, row_version = $3 WHERE tenant_id = $1 AND channel_id = $2 AND row_version = $3 - 1";

        private const string Message = """
            INSERT INTO conversation_history (tenant_id, channel_id, number, client_id, role, content, tokens, user_id, speaker, created_at)
            VALUES ($1, $2, $3, $4, 'user', $5, 42, $6, 'Sam', $7)
            """;

        private const string Event = "SELECT append_event($1, $2, NULL, $3, 'message.appended', $4, $5::json, NULL)";

        private const string Answer = """
            INSERT INTO command_log (tenant_id, caller, id, owner_id, fingerprint, answer, at)
            VALUES ($1, '00000000-0000-0000-0000-000000000000', $2, $3, $4, $5::json, $6)
            """;

        public async Task Make()
        {
            for (var i = 0; i < Channels; i++)
            {
                await Run(WriteLoad.With(Channel, tenant, Name(i), TimeProvider.System.GetUtcNow().UtcDateTime));
            }
        }

        public Task Append(int i)
        {
            var number = ++_numbers[i];
            var now = TimeProvider.System.GetUtcNow().UtcDateTime;
            var id = Guid.CreateVersion7().ToString();
            var message = $$"""
                {"number":{{number}},"clientId":"{{id}}","role":"user","content":"{{Words}}","tokens":42,"personalityId":null,"userId":"{{user}}","personaId":"{{user}}","speaker":"Sam","replyTo":null,"createdAt":"{{now:O}}","editedAt":null}
                """;
            return Run(
                WriteLoad.With(Row, tenant, Name(i), number), WriteLoad.With(Message, tenant, Name(i), number, id, Words, user, now),
                WriteLoad.With(Event, tenant, $"channel:{Name(i)}", Guid.NewGuid(), now, $$"""{"message":{{message}},"changes":{"lastNumber":{{number}}} }"""),
                WriteLoad.With(Answer, tenant, Guid.NewGuid().ToString("N"), user, new string('0', 64), $$"""{"kind":"created","value":{{message}} }""", now));
        }

        public ValueTask DisposeAsync() => _source.DisposeAsync();

        private static string Name(int i) => $"plain-{i}";

        private async Task Run(params NpgsqlBatchCommand[] commands)
        {
            await using var connection = await _source.OpenConnectionAsync();
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(WriteLoad.With(Scope, tenant.ToString()));
            foreach (var command in commands)
            {
                batch.BatchCommands.Add(command);
            }

            await batch.ExecuteNonQueryAsync();
        }
    }
}
