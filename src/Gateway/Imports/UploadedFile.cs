using PersonaActors.Grains.Cards;

namespace PersonaActors.Gateway.Imports;

/// <summary>A file that is sent: as the body itself, or as the first file of a form.</summary>
public static class UploadedFile
{
    public const int MaxSize = CardFile.MaxSize;

    /// <summary>Of what holds many.</summary>
    public const int MaxArchive = 128 * 1024 * 1024;

    /// <summary>What a file may be sent as. What it is, its own first bytes say.</summary>
    public static readonly string[] Types = ["image/png", "application/zip", "application/octet-stream", "multipart/form-data"];

    public static async Task<(byte[] File, Refusal? Refusal)> Read(HttpContext http)
    {
        if (!http.Request.HasFormContentType)
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            return body.Length == 0 ? ([], Refusal.Invalid("file", "The body is the file, and it is empty.")) : (body.ToArray(), null);
        }

        try
        {
            var form = await http.Request.ReadFormAsync(http.RequestAborted);
            if (form.Files.Count == 0 || form.Files[0].Length == 0)
            {
                return ([], Refusal.Invalid("file", "The form has no file, or an empty one."));
            }

            using var file = new MemoryStream();
            await form.Files[0].CopyToAsync(file, http.RequestAborted);
            return (file.ToArray(), null);
        }
        catch (InvalidDataException)
        {
            return ([], Refusal.Invalid("file", "The form can't be read."));
        }
    }
}
