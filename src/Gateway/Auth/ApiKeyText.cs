using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using PersonaActors.Contracts.Tenants;

namespace PersonaActors.Gateway.Auth;

/// <summary>How keys are made and recognised: <c>pa_</c> and 256 random bits. Only their SHA-256 is kept; slow hashing would protect nothing here.</summary>
public static class ApiKeyText
{
    public const string Prefix = "pa_";
    private const int TextLength = 3 + 43;

    public static (string Text, NewApiKey Key) Make(Guid id, ApiKeyKind kind, string name, Guid? user, bool mayDelegate)
    {
        var text = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        return (text, new NewApiKey(id, kind, name, text[..8], Hash(text)!, RandomNumberGenerator.GetBytes(32), user, mayDelegate));
    }

    /// <returns>Nothing if the text can't be a key.</returns>
    public static byte[]? Hash(ReadOnlySpan<char> text)
    {
        if (text.Length != TextLength || !text.StartsWith(Prefix))
        {
            return null;
        }

        Span<byte> utf8 = stackalloc byte[TextLength];
        return Encoding.ASCII.TryGetBytes(text, utf8, out var written) ? SHA256.HashData(utf8[..written]) : null;
    }
}
