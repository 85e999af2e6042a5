using System.Security.Cryptography;
using System.Text.Json;
using PersonaActors.Gateway.Auth;
using PersonaActors.Grains;
using PersonaActors.Grains.Events;
using PersonaActors.Storage;

namespace PersonaActors.Gateway.Http;

/// <summary>
/// How a command reaches its grain exactly once. Its id (the client's Idempotency-Key, or one made here) is stored with its
/// answer in the command's own transaction. So a try whose fate is unknown may be repeated: if it had happened, the repeat
/// meets its id and the first answer is returned.
/// </summary>
public sealed class Commands(CommandLog log, EventFeed feed, Clock time)
{
    public const string Header = "Idempotency-Key";
    public const int MaxIdLength = 200;
    private const int Tries = 3;

    /// <summary>A body that lacks what it needs has a fingerprint too: what is wrong with it isn't said here.</summary>
    private static readonly JsonSerializerOptions AsItCame = new(Wire.Json) { RespectNullableAnnotations = false };

    /// <summary>How long a call is repeated while nodes come and go; a dead silo is voted out well within it.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly Refusal BadId = Refusal.Invalid(Header, $"An {Header} is 1–{MaxIdLength} printable ASCII characters.");

    private static readonly Refusal Reused = new(
        RefusalKind.Unprocessable, "idempotency_key_reused", $"This {Header} was used for another request.", Header);

    private static readonly Refusal BadIfMatch = Refusal.Invalid("If-Match", "If-Match is a version, a number in quotes or not, or *.");

    /// <param name="body">What the request asks for: with method and path it says whether a repeat is the same request.</param>
    /// <param name="part">Which part of the request it is, where each is a command of its own.</param>
    public async Task<Outcome<T>> Run<T>(HttpContext http, Acting acting, object? body, Func<Command, Task<Outcome<T>>> call, string? part = null)
        where T : class =>
        await Run(http, acting.Tenant, acting.Caller.KeyId, acting.Actor, body, call, part);

    /// <summary>
    /// On a user's thing that its id alone names. Whose it is, is looked for when it is carried out: a repeat of a deletion finds no
    /// row, but the first one's answer.
    /// </summary>
    /// <param name="user">For whom the request says that it acts.</param>
    /// <param name="owner">Whose it is, if the caller may act for them.</param>
    public async Task<Outcome<T>> RunOwned<T>(
        HttpContext http, string? user, object? body, ActingResolver who, Func<Acting, ValueTask<(Guid Owner, Refusal? Refusal)>> owner,
        Func<Acting, Guid, Command, Task<Outcome<T>>> call)
        where T : class
    {
        var (acting, refusal) = await who.Resolve(http, user);
        return refusal is not null
            ? refusal
            : await Run<T>(http, acting!, body, async command =>
            {
                var (of, no) = await owner(acting!);
                return no is not null ? no : await call(acting!, of, command);
            });
    }

    public async Task<Outcome<T>> Run<T>(HttpContext http, Guid? tenant, Guid caller, Actor actor, object? body, Func<Command, Task<Outcome<T>>> call, string? part = null)
        where T : class
    {
        var given = http.Request.Headers[Header];
        var named = given.Count > 0;
        var id = named ? given.ToString() : Guid.NewGuid().ToString("N");
        if (named && (id.Length is 0 or > MaxIdLength || id.Any(c => c is < ' ' or > '~')))
        {
            return BadId;
        }

        if (!TryIfMatch(http, out var ifMatch))
        {
            return BadIfMatch;
        }

        if (part is not null)
        {
            id = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{id}\n{part}")));
        }

        var command = new Command(id, caller, Fingerprint(http, actor, body), actor, ifMatch, named);
        if (named && await Repeated<T>(tenant, command, http.RequestAborted) is { } first)
        {
            return first;
        }

        var since = time.GetTimestamp();
        var lost = false;
        // Who did it in a try that was lost may never have heard that it is done: then nobody told those who listen.
        async Task<Outcome<T>?> First(Outcome<T>? now = null)
        {
            var first = await Repeated<T>(tenant, command, http.RequestAborted);
            if (lost && first is not null && first.At != now?.At)
            {
                feed.MayHaveLost();
            }

            return first;
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (lost && await First() is { } done)
                {
                    return done;
                }

                var outcome = await call(command);
                // A try that is a repeat may be refused because of what the first did, as late as that may have landed.
                return (lost || (named && outcome.Refusal is not null)) && await First(outcome) is { } before ? before : outcome;
            }
            catch (CommandRepeatedException)
            {
                return await First() ?? throw new StorageUnavailableException("The stored answer is gone.");
            }
            catch (ActivationOutdatedException) when (attempt < Tries)
            {
                // A fresh activation answers the next try; what is already done is met by its id.
                lost = true;
            }
            catch (Exception e) when (e.MetLeavingSilo() && time.GetElapsedTime(since) < Patience)
            {
                lost = true;
                await Task.Delay(Pause(attempt), time, http.RequestAborted);
            }
        }
    }

    internal static TimeSpan Pause(int attempt) => TimeSpan.FromMilliseconds(Math.Min(50 * attempt, 500));

    private async Task<Outcome<T>?> Repeated<T>(Guid? tenant, Command command, CancellationToken cancel)
        where T : class
    {
        if (await log.Find(tenant, command.Caller, command.Id, cancel) is not { } stored)
        {
            return null;
        }

        if (stored.Fingerprint != command.Fingerprint)
        {
            return Reused;
        }

        var first = stored.Outcome.Read<Outcome<T>>();
        return stored.At is { } at ? first with { At = at } : first;
    }

    private static string Fingerprint(HttpContext http, Actor actor, object? body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString} {actor.User}\n"));
        if (body is not null)
        {
            hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(body, body.GetType(), AsItCame));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static bool TryIfMatch(HttpContext http, out long? version)
    {
        version = null;
        var header = http.Request.Headers.IfMatch;
        if (header.Count == 0)
        {
            return true;
        }

        // Whatever version is there: what is not is not found anyway.
        if (header.ToString() == "*")
        {
            return true;
        }

        // Who compresses answers on the way makes their tags weak; it is the same version.
        var tag = header.ToString().AsSpan();
        tag = (tag.StartsWith("W/") ? tag[2..] : tag).Trim('"');
        var ok = long.TryParse(tag, System.Globalization.NumberStyles.None, null, out var number);
        version = number;
        return ok;
    }
}
