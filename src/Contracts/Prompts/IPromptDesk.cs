using PersonaActors.Contracts.Conversations;

namespace PersonaActors.Contracts.Prompts;

/// <summary>Where prompts, and what they are made of, are asked for: in the process where the request came in, or, from one without grains, on a silo.</summary>
public interface IPromptDesk
{
    /// <param name="occasion">What a POST adds, or null.</param>
    /// <param name="knownVersions">What the caller has, as If-None-Match says it: a prompt that is among it is answered without a body.</param>
    ValueTask<Outcome<PromptAnswer>> Resolve(Guid tenant, Guid user, Actor actor, PromptRequest request, PromptOccasion? occasion, string? knownVersions);

    /// <summary>What that prompt is made of now, for whoever watches it.</summary>
    ValueTask<Outcome<PromptTrace>> Trace(Guid tenant, Guid user, Actor actor, PromptRequest request);

    /// <summary>What an agent has to know of a user.</summary>
    ValueTask<Outcome<PersonContext>> Context(Guid tenant, Guid user, ContextRequest request);

    /// <summary>A channel's newest messages, of one personality's conversation or of all; null where it isn't open to the caller.</summary>
    ValueTask<WindowAnswer?> Window(Guid tenant, string channel, Actor actor, Guid? personality, int last);
}

/// <summary>The desk of the silo that the call reaches. Its key means nothing.</summary>
[Alias("prompt-desk")]
public interface IPromptDeskGrain : IGrainWithIntegerKey
{
    [Alias("resolve"), AlwaysInterleave]
    ValueTask<Outcome<PromptAnswer>> Resolve(Guid tenant, Guid user, Actor actor, PromptRequest request, PromptOccasion? occasion, string? knownVersions);

    [Alias("trace"), AlwaysInterleave]
    ValueTask<Outcome<PromptTrace>> Trace(Guid tenant, Guid user, Actor actor, PromptRequest request);

    [Alias("context"), AlwaysInterleave]
    ValueTask<Outcome<PersonContext>> Context(Guid tenant, Guid user, ContextRequest request);

    [Alias("window"), AlwaysInterleave]
    ValueTask<WindowAnswer?> Window(Guid tenant, string channel, Actor actor, Guid? personality, int last);
}
