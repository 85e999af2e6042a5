using System.Text.Json;
using PersonaActors.Grains.Jobs;
using PersonaActors.Storage.Catalogue;
using PersonaActors.Storage.Conversations;
using PersonaActors.Storage.Personalities;
using PersonaActors.Storage.Personas;

namespace PersonaActors.Grains.Imports;

/// <summary>
/// Brings a character of shapes.inc to a user, thing by thing. Each is looked for first and only made or changed if it isn't
/// there as it should be, so a part that is done twice, and a second import, find everything in its place.
/// </summary>
public sealed class ShapesImport(
    IGrainFactory grains, LlmConfigStore configs, PersonaStore personas, PersonalityStore personalities, MemoryStore memories) : IJobKind
{
    public const string Kind = "import-shapes";

    private const int Chunk = 200;

    /// <param name="DryRun">Says what would happen, and does nothing.</param>
    public sealed record Input(JsonText Export, bool DryRun);

    public sealed record Made(Guid? Id, string Action);

    /// <param name="Known">Memories that were there already.</param>
    public sealed record Memories(int Read, int Created, int Known);

    public sealed record Report(
        bool DryRun, Made SystemPrompt, Made? LlmConfig, Made Personality, string Slug, Made? Persona, Memories Memories, IReadOnlyList<ImportNote> Notes);

    private sealed record Cursor(int At, Made? SystemPrompt = null, Made? LlmConfig = null, Made? Personality = null, string? Slug = null, Made? Persona = null, int Told = 0, int New = 0);

    private enum Phase
    {
        SystemPrompt,
        LlmConfig,
        Personality,
        DefaultConfig,
        Persona,
        Override,
        Memories,
    }

    public string Name => Kind;

    public async Task<JobStep> Step(JobWork work, CancellationToken cancel)
    {
        var (input, cursor) = (work.Input.Read<Input>(), work.Cursor.Read<Cursor>());
        var (file, refusal) = ShapesFile.Parse(JsonElement.Parse(input.Export.Json));
        if (file is null)
        {
            throw new JobFailedException(refusal!.Code, refusal.Detail);
        }

        var turn = new ShapesTurn(grains, configs, personas, personalities, memories, work.Tenant, work.User!.Value, input.DryRun, file, cancel);
        switch ((Phase)cursor.At)
        {
            case Phase.SystemPrompt:
                cursor = cursor with { SystemPrompt = await turn.SystemPrompt() };
                break;
            case Phase.LlmConfig:
                cursor = cursor with { LlmConfig = await turn.LlmConfig() };
                break;
            case Phase.Personality:
                var (personality, slug) = await turn.Personality(cursor.SystemPrompt!);
                cursor = cursor with { Personality = personality, Slug = slug };
                break;
            case Phase.DefaultConfig:
                await turn.DefaultConfig(cursor.Personality!, cursor.LlmConfig);
                break;
            case Phase.Persona:
                cursor = cursor with { Persona = await turn.Persona() };
                break;
            case Phase.Override:
                await turn.Override(cursor.Personality!, cursor.Persona);
                break;
        }

        if ((Phase)cursor.At == Phase.Memories)
        {
            var some = file.Memories.AsSpan()[cursor.Told..Math.Min(file.Memories.Length, cursor.Told + Chunk)].ToArray();
            var made = some.Length == 0 ? 0 : await turn.Memories(cursor.Personality!, some);
            cursor = cursor with { Told = cursor.Told + some.Length, New = cursor.New + made };
        }

        var isDone = (Phase)cursor.At == Phase.Memories && cursor.Told == file.Memories.Length;
        var done = cursor.At + cursor.Told + (isDone ? 1 : 0);
        cursor = (Phase)cursor.At == Phase.Memories ? cursor : cursor with { At = cursor.At + 1 };
        return new JobStep(JsonText.From(cursor), "importing", done, (int)Phase.Memories + 1 + file.Memories.Length, isDone ? JsonText.From(new Report(
            input.DryRun, cursor.SystemPrompt!, cursor.LlmConfig, cursor.Personality!, cursor.Slug!, cursor.Persona,
            new Memories(file.Memories.Length, cursor.New, file.Memories.Length - cursor.New), file.Notes)) : null);
    }

    public Task<string> Abandon(JobWork work)
    {
        var cursor = work.Cursor.Read<Cursor>();
        string[] made = [.. new[] { ("the system prompt", cursor.SystemPrompt), ("the LLM config", cursor.LlmConfig), ("the personality", cursor.Personality), ("the persona", cursor.Persona) }
            .Where(one => one.Item2 is { Action: "created" or "updated" }).Select(one => one.Item1)];
        return Task.FromResult(made.Length == 0 ? "Nothing." : $"What was imported by then: {string.Join(", ", made)}.");
    }
}
