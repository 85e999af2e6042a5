using PersonaActors.Contracts.Replicas;

namespace PersonaActors.Contracts.Mindscapes;

/// <summary>
/// What is known of one person. Key: <see cref="TenantScopedKey"/>. The only writer of what was recorded of them, of the traits
/// that follow from it, and of the personas made from those. It asks mappers and reads replicas; of those nobody asks it.
/// </summary>
[Alias("mindscape")]
public interface IMindscapeGrain : IGrainWithStringKey
{
    /// <summary>The view for a silo that asks. Interleaves: it reads one reference to the last committed state, and nothing older beside it.</summary>
    [Alias("grant"), AlwaysInterleave]
    ValueTask<Granted<MindscapeSide>> Grant(SiloAddress holder);

    /// <summary>Null when there is no such person; version 0 when nothing is known of them yet.</summary>
    [Alias("get"), AlwaysInterleave]
    Task<Read<MindscapeView>?> Get();

    [Alias("record")]
    Task<Outcome<RecordedObservations>> Record(Command command, Items<NewObservation> observations);

    /// <summary>Takes into the traits whatever was recorded and isn't in them yet. Called again it finds nothing to do.</summary>
    [Alias("fold")]
    Task Fold();

    /// <summary>Takes an observation out of all that followed from it.</summary>
    [Alias("forget-observation")]
    Task<Outcome<Nothing>> ForgetObservation(Command command, Guid observation);

    /// <param name="vector">Of the text; without it, it is found by its words until it has one.</param>
    [Alias("add-narrative")]
    Task<Outcome<NarrativeView>> AddNarrative(Command command, NewNarrative given, TextVector? vector);

    /// <param name="vector">Of the new text, where that is changed.</param>
    [Alias("change-narrative")]
    Task<Outcome<NarrativeView>> ChangeNarrative(Command command, Guid id, NarrativeChange change, TextVector? vector);

    /// <summary>Takes a narrative out, and out of all that followed from it.</summary>
    [Alias("forget-narrative")]
    Task<Outcome<Nothing>> ForgetNarrative(Command command, Guid id);

    /// <summary>A narrative's vector has been made; of no use if it says something else by now.</summary>
    [Alias("embedded")]
    Task Embedded(Guid id, int version, TextVector vector);

    /// <param name="traits">What is to be known instead of what is.</param>
    /// <param name="version">Of the mindscape that is to be replaced.</param>
    [Alias("set-traits")]
    Task<Outcome<MindscapeView>> SetTraits(Command command, JsonText traits, long? version);

    [Alias("set-learning")]
    Task<Outcome<MindscapeView>> SetLearning(Command command, bool paused);

    [Alias("generate")]
    Task<Outcome<GeneratedPersonaView>> Generate(Command command, PersonaRequest request);

    [Alias("simulate"), AlwaysInterleave]
    Task<Outcome<JsonText>> Simulate(Actor actor, SimulationRequest request);

    [Alias("add-feedback")]
    Task<Outcome<FeedbackView>> AddFeedback(Command command, NewFeedback given);

    /// <summary>The person's feedback moved a rule's weight: told once, however often it is noted.</summary>
    [Alias("note-adjusted")]
    Task NoteAdjusted(RuleAdjustment adjustment);

    /// <summary>
    /// The person is gone. Interleaves, because the user's grain says so in its turn, and a command here may be waiting to have
    /// a person registered by that one. It ends the activation; what a command still commits misses its rows.
    /// </summary>
    [Alias("forget"), AlwaysInterleave]
    Task Forget();
}
