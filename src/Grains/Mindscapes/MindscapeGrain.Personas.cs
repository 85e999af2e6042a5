using System.Text.Json;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Focus;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>Personas for agents, made of the mindscape by a mapper.</summary>
public sealed partial class MindscapeGrain
{
    internal const int MaxContext = 32_768;
    private const int MaxTtlHours = 168;
    private const int FocusSamples = 200;

    /// <summary>What was said of the focus duration, as of a version.</summary>
    private (long Version, List<double> Minutes)? _focus;

    public async Task<Outcome<GeneratedPersonaView>> Generate(Command command, PersonaRequest request)
    {
        if ((CheckContext(request.Context) ?? Text.CheckRange("ttlHours", request.TtlHours, 1, MaxTtlHours)) is { } invalid)
        {
            return invalid;
        }

        await Fold();
        if (_state is not { Version: > 0 } known)
        {
            return NoMindscape();
        }

        var (mapper, zone, session) = await Around(request.Mapper);
        if (mapper is not { Config: { } config, View.Active: { } active })
        {
            return NoMapper(request.Mapper);
        }

        var now = Now();
        var facts = new TraitFacts(known.Traits, await FocusMinutes(known));
        if (PersonaRules.Missing(config, facts).ToList() is { Count: > 0 } missing)
        {
            return new Refusal(RefusalKind.Unprocessable, MindscapeRefusals.MissingTraits, $"Mindscape missing required traits: {string.Join(", ", missing)}", "mapper");
        }

        var input = new RuleInput(facts, JsonElement.Parse(request.Context.Json), zone, now) { Narratives = await search.Near(_key.Tenant, _key.Id, config.NarrativeChecks, CancellationToken.None) };
        var (rules, suggestions) = RuleEngine.Apply(config, mapper.WeightOf, input);
        var persona = new GeneratedPersonaView(
            Guid.CreateVersion7(now), _key.Id, active.Id, active.ConfigId, active.Version, known.Version, PersonaRules.Core(input.Traits, known.Version),
            PersonaRules.Overlay(input, suggestions, session), PersonaRules.Metadata(rules, suggestions, input.Context, now), now,
            now.AddHours(request.TtlHours ?? config.DefaultTtlHours), false);
        var outcome = Outcome<GeneratedPersonaView>.Created(persona);
        // The mapper's count of uses is the tenant's.
        var batch = database.Begin(RowScope.OfTenant(_key.Tenant), _owner.Epoch);
        GeneratedPersonaStore.Insert(batch, _key.Tenant, persona, command.Caller);
        foreach (var used in suggestions.SelectMany(suggestion => suggestion.Narratives).DistinctBy(narrative => narrative.Id))
        {
            NarrativeStore.Use(batch, _key.Tenant, _key.Id, persona.Id, used.Id, used.Similarity, now);
        }

        MapperStore.Use(batch, _key.Tenant, active.Id);
        batch.Append(_stream, _key.Id, "persona.generated", now, JsonText.From(new
        {
            persona = new { persona.Id, persona.MapperConfigId, persona.MapperVersion, persona.MindscapeVersion, persona.ExpiresAt },
            changes = new { },
        }));
        batch.Answer(command, _key.Id, outcome, now);
        return await Committed(batch, known) is { } events ? outcome.After(events) : NoMindscape();
    }

    public async Task<Outcome<JsonText>> Simulate(Actor actor, SimulationRequest request)
    {
        if ((CheckContext(request.Context) ?? Text.CheckJson("traits", request.Traits, null, JsonValueKind.Object, MaxTraitsJson)
            ?? ObservationRules.CheckTraits("traits", JsonElement.Parse(request.Traits.Json), TraitFold.MaxTraits)) is { } invalid)
        {
            return invalid;
        }

        if (await Person() is not { } known)
        {
            return Refusal.NotFound("user");
        }

        var (mapper, zone, _) = await Around(request.Mapper);
        var config = mapper?.Config;
        Func<string, double?> weightOf = mapper is null ? static _ => null : mapper.WeightOf;
        if (request.Configuration is { } given)
        {
            var (tried, mistakes) = MapperParser.Parse(JsonElement.Parse(given.Json));
            if (tried is null)
            {
                return MapperGrain.Invalid(mistakes);
            }

            (config, weightOf) = (tried, static _ => null);
        }

        if (config is null)
        {
            return NoMapper(request.Mapper);
        }

        var now = Now();
        var traits = TraitJson.Given(request.Traits, known.Traits, now).Aggregate(known.Traits, (all, trait) => all.SetItem(trait.Key, trait.Value));
        var input = new RuleInput(new TraitFacts(traits, await FocusMinutes(known)), JsonElement.Parse(request.Context.Json), zone, now)
        {
            Narratives = await search.Near(_key.Tenant, _key.Id, config.NarrativeChecks, CancellationToken.None),
        };
        var (rules, suggestions) = RuleEngine.Apply(config, weightOf, input);
        return Outcome<JsonText>.Done(PersonaRules.Simulation(rules, [.. PersonaRules.Missing(config, input.Traits)], suggestions, now));
    }

    private static Refusal? CheckContext(JsonText context) => Text.CheckJson("context", context, null, JsonValueKind.Object, MaxContext);

    private Refusal NoMindscape() => new(RefusalKind.NotFound, "mindscape_not_found", $"No mindscape found for person {_key.Id}");

    private static Refusal NoMapper(string name) => new(
        RefusalKind.Unprocessable, MindscapeRefusals.NoMapper, $"No active mapper configuration found for '{Text.Shorten(name)}'", "mapper");

    /// <summary>The mapper, where the person is, and whether they are focusing, from replicas that all held at once.</summary>
    private async Task<(PreparedMapper? Mapper, TimeZoneInfo Zone, FocusSessionView? Session)> Around(string name)
    {
        var (around, _) = await replicas.AtOnce((_key, Mapper: MapperKey.Of(_key.Tenant, name)), static (reading, of) => (
            Mapper: reading.Take(MindscapeReplicas.Mapper, new ReplicaKey(ReplicaKind.Mapper, of.Mapper)),
            User: reading.Take(PromptReplicas.User, new ReplicaKey(ReplicaKind.User, of._key)),
            Session: FocusReplicas.Begun(reading, of._key.Tenant, of._key.Id)));
        return (
            around.Mapper?.View is null ? null : around.Mapper.Made(PreparedMapper.Of), RhythmRules.Zone(around.User?.View?.User.TimeZone ?? "UTC"),
            around.Session is { State: not FocusState.Ended } ? around.Session : null);
    }

    private async Task<List<double>> FocusMinutes(MindscapeState known)
    {
        if (_focus is { } read && read.Version == known.Version)
        {
            return read.Minutes;
        }

        var history = await store.TraitHistory(_key.Tenant, _key.Id, TraitExtraction.FocusDuration, known.Version + 1, FocusSamples);
        var minutes = history.Select(version => JsonElement.Parse(version.Changes.Json))
            .Select(change => change.TryGetProperty("input", out var input) ? TraitFold.Number(input) : null)
            .OfType<double>().ToList();
        _focus = (known.Version, minutes);
        return minutes;
    }
}
