using System.Reflection;
using System.Text.RegularExpressions;
using Npgsql;
using PersonaActors.Storage;

namespace PersonaActors.Tests.Stores;

/// <summary>Every SQL constant of the stores is prepared against the real schema, by the login that will run it.</summary>
public sealed partial class StatementTests
{
    [Fact]
    public async Task Every_statement_of_the_stores_prepares()
    {
        await using var database = await TestDatabase.Create();
        var statements = (
            from type in typeof(Database).Assembly.GetTypes()
            from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            where field.IsLiteral && field.FieldType == typeof(string) && Statement().IsMatch((string)field.GetRawConstantValue()!)
            select (Name: $"{type.Name}.{field.Name}", Sql: (string)field.GetRawConstantValue()!)).ToList();
        Assert.True(statements.Count > 20, "the stores' statements were not found");

        var failures = new List<string>();
        foreach (var (name, sql) in statements)
        {
            // Prepared by name, so that the server infers the types of parameters itself. What only the worker or the migrator
            // may do is prepared as such.
            var errors = new List<string>();
            foreach (var login in (string[])[database.App, database.Worker, database.Migrator])
            {
                await using var connection = new NpgsqlConnection(login);
                await connection.OpenAsync();
                try
                {
                    await using var command = new NpgsqlCommand($"PREPARE tried AS {sql}", connection);
                    await command.ExecuteNonQueryAsync();
                    await using var forget = new NpgsqlCommand("DEALLOCATE tried", connection);
                    await forget.ExecuteNonQueryAsync();
                    errors.Clear();
                    break;
                }
                catch (PostgresException e)
                {
                    errors.Add(e.MessageText);
                }
            }

            failures.AddRange(errors.Take(1).Select(error => $"{name}: {error}"));
        }

        Assert.Empty(failures);
    }

    [GeneratedRegex(@"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s", RegexOptions.IgnoreCase)]
    private static partial Regex Statement();
}
