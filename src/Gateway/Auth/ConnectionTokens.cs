using System.Buffers.Binary;
using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Storage.Tenants;

namespace PersonaActors.Gateway.Auth;

/// <summary>
/// Short-lived tokens for browsers: <c>pt_</c> and, in base64url, key id, user, audience, expiry and an HMAC-SHA-256 over them
/// under the secret of the key. So a token needs no table, is bound to all of these, and dies with its key.
/// </summary>
public sealed class ConnectionTokens(KeyRing keys, Clock time)
{
    public const string Prefix = "pt_";
    public const int MaxMinutes = 60;
    public const int DefaultMinutes = 10;
    private const int SignedLength = 16 + 16 + 1 + 8;
    private const int Length = SignedLength + 32;
    private static readonly int TextLength = Prefix.Length + Base64Url.GetEncodedLength(Length);

    public static string Make(ApiKeyRow key, Guid user, TokenAudience audience, DateTimeOffset expires)
    {
        Span<byte> token = stackalloc byte[Length];
        key.Id.TryWriteBytes(token);
        user.TryWriteBytes(token[16..]);
        token[32] = (byte)audience;
        BinaryPrimitives.WriteInt64LittleEndian(token[33..], expires.ToUnixTimeSeconds());
        HMACSHA256.HashData(key.TokenSecret, token[..SignedLength], token[SignedLength..]);
        return Prefix + Base64Url.EncodeToString(token);
    }

    /// <returns>Nothing for a token that is guessed, altered, expired, or whose key has ended.</returns>
    public async ValueTask<Caller?> Open(string text, CancellationToken cancel, IPAddress? from = null)
    {
        if (text.Length != TextLength || !text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        var token = new byte[Length];
        if (Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length), token, out _, out var written) != System.Buffers.OperationStatus.Done || written != Length)
        {
            return null;
        }

        var expires = BinaryPrimitives.ReadInt64LittleEndian(token.AsSpan(33));
        if (expires <= time.GetUtcNow().ToUnixTimeSeconds() || await keys.FindById(new Guid(token.AsSpan(0, 16)), cancel, from) is not { } key)
        {
            return null;
        }

        Span<byte> signature = stackalloc byte[32];
        HMACSHA256.HashData(key.TokenSecret, token.AsSpan(0, SignedLength), signature);
        return CryptographicOperations.FixedTimeEquals(signature, token.AsSpan(SignedLength))
            ? new Caller(key.Id, ApiKeyKind.User, key.Tenant, new Guid(token.AsSpan(16, 16)), false)
            {
                ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(expires),
                Audience = (TokenAudience)token[32],
            }
            : null;
    }
}
