using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>What the person says of personas made for agents. With a rule named its mapper learns from it, else the traits behind the suggestion do.</summary>
public sealed partial class MindscapeGrain
{
    private const int MaxFeedbackADay = 10;
    private const int NegativesToLower = 5;
    private const double Up = 1.1;
    private const double Down = .8;

    private static readonly TimeSpan NegativesWithin = TimeSpan.FromDays(7);

    public async Task<Outcome<FeedbackView>> AddFeedback(Command command, NewFeedback given)
    {
        if ((Text.CheckJson("context", given.Context, null, JsonValueKind.Object, MaxContext) ?? Text.CheckRange("rating", given.Rating, 1, 5)
            ?? Text.CheckOptional("ruleId", given.RuleId, MapperKey.MaxName) ?? ObservationRules.CheckClientId(given.ClientId)) is { } invalid)
        {
            return invalid;
        }

        await Fold();
        if (_state is not { } known || await personas.Find(RowScope.OfUser(_key.Tenant, _key.Id), given.PersonaId) is not { } persona)
        {
            return new Refusal(RefusalKind.NotFound, "persona_not_found", $"Persona {given.PersonaId} not found");
        }

        if (given.ClientId is { } id && await feedback.ByClientId(_key.Tenant, _key.Id, id) is { } before)
        {
            return Outcome<FeedbackView>.Done(before);
        }

        if (known.IsPaused)
        {
            return Paused;
        }

        var now = Now();
        if (await feedback.Since(_key.Tenant, _key.Id, now.AddDays(-1)) >= MaxFeedbackADay)
        {
            return new Refusal(RefusalKind.TooMany, MindscapeRefusals.RateLimited, $"Rate limit exceeded. Maximum {MaxFeedbackADay} feedback per day.");
        }

        var (context, type) = Around(given, persona, now);
        var helpful = given.Helpful ?? (given.Rating is >= 4 ? true : given.Rating is <= 2 ? false : null);
        var isForRule = given.RuleId is not null;
        var (traits, factor) = isForRule || type is null || helpful is null ? ([], 1) : await Weighing(persona, type, helpful.Value, now);
        var made = new FeedbackView(Guid.CreateVersion7(now), _key.Id, given.PersonaId, given.Rating, given.Helpful, context, given.RuleId, persona.MapperVersion, now);
        var outcome = Outcome<FeedbackView>.Created(made);
        var entry = Entry(known, "feedback", JsonText.From(new TraitWeighing(traits, factor)), now) with { Id = made.Id };
        var (next, changes) = TraitFold.Fold(known.Traits, [entry]);

        var batch = Begin();
        MindscapeStore.Insert(batch, _key.Tenant, _key.Id, [entry], command.Caller);
        FeedbackStore.Insert(batch, _key.Tenant, made, type, persona.MapperConfigId, given.ClientId, isApplied: !isForRule, hasLowered: factor < 1, command.Caller);
        var state = await Changed(
            batch, known, known with { Traits = next, LastNumber = entry.Number, Applied = entry.Number, RowVersion = known.RowVersion + 1 }, changes, now);
        batch.Append(_stream, _key.Id, "feedback.added", now, JsonText.From(new { feedback = new { made.Id, made.PersonaId, made.RuleId }, changes = new { } }));
        if (isForRule)
        {
            batch.Task(LearnFromFeedback.Kind, JsonText.From(new LearnFromFeedback.Payload(_key.Id, persona.MapperConfigId)), now);
        }

        batch.Answer(command, _key.Id, outcome, now);
        if (await Committed(batch, state) is not { } events)
        {
            return Refusal.NotFound("user");
        }

        if (isForRule)
        {
            await LearnSoon(persona.MapperConfigId);
        }

        return outcome.After(events);
    }

    public async Task NoteAdjusted(RuleAdjustment adjustment)
    {
        // The note's own id among the answered commands is what makes a second one harmless, also when the first was another activation's.
        var note = Command.OfService($"feedback:{adjustment.Feedback}:adjusted", _key.Id);
        if (await log.Find(_key.Tenant, note.Caller, note.Id, CancellationToken.None) is not null || await Person() is not { } known)
        {
            return;
        }

        var now = Now();
        var batch = Begin()
            .Append(_stream, _key.Id, "mapper.adjusted", now, JsonText.From(new
            {
                mapper = adjustment.Mapper,
                rule = adjustment.Rule,
                before = adjustment.Before,
                after = adjustment.After,
                reason = adjustment.Reason,
                feedback = adjustment.Feedback,
                changes = new { },
            }))
            .Answer(note, _key.Id, Outcome<Nothing>.Done(Nothing.Value), now);
        await Committed(batch, known);
    }

    /// <summary>What was committed also asks for this by the outbox: if it fails here, it happens a moment later.</summary>
    private async Task LearnSoon(string mapper)
    {
        try
        {
            foreach (var adjustment in await GrainFactory.Of<IMapperGrain>(MapperKey.Of(_key.Tenant, mapper)).Learn())
            {
                if (adjustment.Person == _key.Id)
                {
                    await NoteAdjusted(adjustment);
                }
            }
        }
        catch (Exception e) when (e.MayPass())
        {
        }
    }

    /// <summary>The traits that a type of suggestion is about, and by what their weight is multiplied.</summary>
    private async Task<(IReadOnlyList<string> Traits, double Factor)> Weighing(GeneratedPersonaView persona, string type, bool helpful, DateTimeOffset now)
    {
        if (await mappers.Find(_key.Tenant, persona.MapperId) is not { } version || MapperParser.Parse(JsonElement.Parse(version.Configuration.Json)).Mapper is not { } mapper)
        {
            return ([], 1);
        }

        var factor = helpful ? Up : await feedback.Negatives(_key.Tenant, _key.Id, type, now - NegativesWithin) + 1 >= NegativesToLower ? Down : 1;
        return (factor == 1 ? [] : mapper.TraitsOf(type), factor);
    }

    /// <summary>The context with what is known of the persona and the suggestion, and the suggestion's type.</summary>
    private static (JsonText Context, string? Type) Around(NewFeedback given, GeneratedPersonaView persona, DateTimeOffset now)
    {
        var context = JsonNode.Parse(given.Context.Json)!.AsObject();
        var suggestions = JsonNode.Parse(persona.Overlay.Json)?["suggestions"]?.AsArray() ?? [];
        var about = suggestions.FirstOrDefault(suggestion => Said(suggestion, "id") is { } id && id == Said(context, "suggestion_id"))
            ?? suggestions.FirstOrDefault(suggestion => given.RuleId is { } rule && Said(suggestion, "rule_id") == rule);
        context["persona_mapper"] = persona.MapperConfigId;
        context["persona_created_at"] = persona.CreatedAt;
        context["submission_time"] = now;
        context["submission_hour"] = now.Hour;
        if (about is not null)
        {
            context["suggestion_type"] = Said(about, "type");
            context["suggestion_title"] = Said(about, "title");
        }

        var type = Said(context, "suggestion_type");
        return (new JsonText(context.ToJsonString(Wire.Json)), type is { Length: > 0 and <= 100 } ? type : null);
    }

    private static string? Said(JsonNode? of, string name) => of?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
