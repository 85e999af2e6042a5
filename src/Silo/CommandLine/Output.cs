using System.Text.Json;
using PersonaActors.Contracts;

namespace PersonaActors.Silo.CommandLine;

public static class Output
{
    public static void Print(CommandArguments arguments, object machine, string people) =>
        Console.WriteLine(arguments.Json ? JsonSerializer.Serialize(machine, machine.GetType(), Wire.Json) : people);
}
