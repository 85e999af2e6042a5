using System.IO.Compression;

namespace PersonaActors.Grains;

/// <summary>Reads what somebody has packed: what an entry says of its length is not what it unpacks to.</summary>
public static class Unpacking
{
    /// <param name="left">How much may still be unpacked, of this and of what comes after it.</param>
    /// <returns>Not if it is more than that.</returns>
    public static bool To(this ZipArchiveEntry entry, Stream to, ref long left)
    {
        using var from = entry.Open();
        var buffer = new byte[64 * 1024];
        for (int read; (read = from.Read(buffer)) > 0;)
        {
            if ((left -= read) < 0)
            {
                return false;
            }

            to.Write(buffer, 0, read);
        }

        return true;
    }
}
