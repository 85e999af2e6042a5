namespace PersonaActors.Silo.Configuration;

/// <summary>What ./run keeps: its database's logins, in a file that a shell can read, and the demo key.</summary>
public static class DataFolder
{
    private const string Name = ".data";
    private const string Logins = "database.env";

    /// <summary>That of the folder where one works, else that of the checkout the program was built in.</summary>
    public static string? Find(string work, string program)
    {
        var places = new List<string> { work };
        for (var place = new DirectoryInfo(program); place is not null; place = place.Parent)
        {
            places.Add(place.FullName);
        }

        return places.Select(place => Path.Combine(place, Name)).FirstOrDefault(folder => File.Exists(Path.Combine(folder, Logins)));
    }

    public static IEnumerable<KeyValuePair<string, string?>> Read(string folder)
    {
        folder = Path.GetFullPath(folder);
        var logins = Path.Combine(folder, Logins);
        if (!File.Exists(logins))
        {
            throw new SettingException($"There is no {logins}: `./run --data {folder}` makes it, with a database of its own.");
        }

        return File.ReadLines(logins)
            .Select(line => line.Split('=', 2))
            .Where(pair => pair.Length == 2)
            .Select(pair => KeyValuePair.Create(pair[0].Replace("__", ":", StringComparison.Ordinal), (string?)pair[1].Trim('\'')))
            .Append(KeyValuePair.Create("Persona:DemoKeyFile", (string?)Path.Combine(folder, "key")));
    }
}
