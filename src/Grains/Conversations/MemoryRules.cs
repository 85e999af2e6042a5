using PersonaActors.Contracts.Conversations;

namespace PersonaActors.Grains.Conversations;

/// <summary>What a note may be.</summary>
public static class MemoryRules
{
    public const int MaxContent = 4000;
    public const int MaxSource = 50;
    public const int MaxMemories = 10_000;

    public static Refusal? Check(NewUserMemory memory) =>
        Text.CheckRequired("content", memory.Content, MaxContent) ?? Text.CheckOptional("source", memory.Source, MaxSource);
}
