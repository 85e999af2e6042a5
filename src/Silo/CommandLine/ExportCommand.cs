using System.CommandLine;

namespace PersonaActors.Silo.CommandLine;

/// <summary>Taking along.</summary>
public static class ExportCommand
{
    public static readonly Argument<string> Personality = new("PERSONALITY") { Description = "Slug or id" };

    public static readonly Argument<string> User = new("USER") { Description = "A user's id, or provider:subject" };

    public static readonly Option<string> Format = new("--format") { Description = "As what", DefaultValueFactory = _ => "png" };

    public static readonly Option<FileInfo?> Out = new("--out") { Description = "Where to (else a file of that name here)", HelpName = "FILE" };

    static ExportCommand() => Format.AcceptOnlyFromAmong("json", "png", "charx");

    public static async Task<int> Card(ParseResult given, CancellationToken cancel)
    {
        using var service = new ServiceClient(given);
        var (personality, format) = (given.GetRequiredValue(Personality), given.GetRequiredValue(Format));
        return await Save(given, await service.Get($"/v1/personalities/{Uri.EscapeDataString(personality)}/card?format={format}", cancel), $"{personality}.{format}", cancel);
    }

    public static async Task<int> OfUser(ParseResult given, CancellationToken cancel)
    {
        using var service = new ServiceClient(given);
        var user = given.GetRequiredValue(User);
        var job = await service.Run($"/v1/users/{Uri.EscapeDataString(user)}/export", null, cancel);
        return await Save(given, await service.Get($"/v1/jobs/{job["id"]}/file", cancel), $"{job["userId"]}.zip", cancel);
    }

    private static async Task<int> Save(ParseResult given, byte[] content, string name, CancellationToken cancel)
    {
        var file = given.GetValue(Out)?.FullName ?? Path.GetFullPath(Path.GetFileName(name));
        await File.WriteAllBytesAsync(file, content, cancel);
        given.Print(new { file, bytes = content.Length }, $"{file}: {content.Length:N0} bytes");
        return 0;
    }
}
