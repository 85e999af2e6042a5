using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using PersonaActors.Contracts.Events;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Contracts.Replicas;
using PersonaActors.Grains.Replicas;
using PersonaActors.Storage;
using PersonaActors.Storage.Mindscapes;

namespace PersonaActors.Grains.Mindscapes;

/// <summary>One mapper of a tenant. A version never changes; a change of the mapper is a new version, and at most one is active.</summary>
public sealed class MapperGrain(Database database, MapperStore store, FeedbackStore feedback, Owners owners, Clock time) : Grain, IMapperGrain
{
    private static readonly Refusal AdminOnly = Refusal.Forbidden(
        "admin_only", "Mappers are changed with an admin's or operator's key, or a service key that names no user.");

    private static readonly Refusal NotFound = new(RefusalKind.NotFound, "mapper_not_found", "Mapper configuration not found");

    private TenantScopedKey _key;
    private string _stream = "";
    private Owner _owner = null!;
    private State? _state;
    private long _seq;

    private sealed record State(MapperVersionView Newest, MapperVersionView? Active, ImmutableDictionary<string, RuleWeight> Weights)
    {
        public MapperView View => new(Newest.ConfigId, Newest.Version, Active, Weights);
    }

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = TenantScopedKey.Parse(this.GetPrimaryKeyString());
        _stream = StreamName.Mapper(_key.Id);
        _owner = owners.Of(new ReplicaKey(ReplicaKind.Mapper, _key), _stream, () => _seq, DeactivateOnIdle);
        _seq = await store.Claim(_key.Tenant, _owner.Epoch);
        var versions = await store.Load(_key.Tenant, _key.Id);
        if (versions.Count > 0)
        {
            var weights = await store.Weights(_key.Tenant, versions[0].ConfigId, cancellationToken);
            _state = new State(
                versions[0], versions.Find(version => version.Status == MapperStatus.Active),
                weights.ToImmutableDictionary(row => row.Rule, row => row.Weight, StringComparer.Ordinal));
        }
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _owner.Leave();

    public ValueTask<Granted<MapperView>> Grant(SiloAddress holder) => _owner.Grant(holder, () => _state?.View);

    public Task<Outcome<MapperVersionView>> Create(Command command, string configId, JsonText configuration, MapperStatus status) => _state is null
        ? Add(command, configId, configuration, status)
        : Task.FromResult<Outcome<MapperVersionView>>(Refusal.Conflict(MindscapeRefusals.MapperExists, $"Mapper '{configId}' already exists. Use PUT to update.", "configId"));

    public Task<Outcome<MapperVersionView>> Upload(Command command, string configId, JsonText configuration, MapperStatus status) =>
        Add(command, configId, configuration, status);

    public Task<Outcome<MapperVersionView>> Change(Command command, JsonText? configuration, MapperStatus? status) => _state is { Newest: var newest }
        ? Add(command, newest.ConfigId, configuration ?? newest.Configuration, status ?? newest.Status)
        : Task.FromResult<Outcome<MapperVersionView>>(NotFound);

    public async Task<Outcome<DeprecatedMapper>> Deprecate(Command command)
    {
        if (!command.Actor.ActsForTenant || _state is not { } known)
        {
            return command.Actor.ActsForTenant ? NotFound : AdminOnly;
        }

        var now = Now();
        var many = (await store.Versions(_key.Tenant, known.Newest.ConfigId)).Count(version => version.Status != MapperStatus.Deprecated);
        var outcome = Outcome<DeprecatedMapper>.Done(new DeprecatedMapper(known.Newest.ConfigId, many));
        var batch = Begin();
        MapperStore.Deprecate(batch, _key.Tenant, known.Newest.ConfigId, null, now);
        batch.Append(_stream, null, "mapper.deprecated", now, JsonText.From(new { known.Newest.ConfigId }));
        batch.Answer(command, null, outcome, now);
        return outcome.After(await Commit(batch, known with { Newest = known.Newest with { Status = MapperStatus.Deprecated, UpdatedAt = now }, Active = null }));
    }

    public async Task<Outcome<MapperView>> LockRule(Command command, string rule, bool locked)
    {
        if (!command.Actor.ActsForTenant)
        {
            return AdminOnly;
        }

        if (_state is not { Active: not null } known || PreparedMapper.Of(known.View).Config is not { } config || config.Rules.FirstOrDefault(its => its.Id == rule) is not { } found)
        {
            return Refusal.NotFound("rule");
        }

        var now = Now();
        var weight = (WeightRules.Current(known.View, config, rule) ?? WeightRules.Fresh(found.Weight)) with { IsLocked = locked };
        var next = known with { Weights = known.Weights.SetItem(rule, weight) };
        var outcome = Outcome<MapperView>.Done(next.View);
        var batch = Begin();
        MapperStore.SaveWeight(batch, _key.Tenant, known.Newest.ConfigId, rule, weight);
        batch.Append(_stream, null, locked ? "rule.locked" : "rule.unlocked", now, JsonText.From(new { known.Newest.ConfigId, rule }));
        batch.Answer(command, null, outcome, now);
        return outcome.After(await Commit(batch, next));
    }

    public async Task<Outcome<MapperVersionView>> PublishWeights(Command command)
    {
        if (_state is not { Active: { } active } known || PreparedMapper.Of(known.View) is not { Config: { } config } prepared)
        {
            return NotFound;
        }

        var configuration = WithWeights(active.Configuration, rule => prepared.WeightOf(rule));
        var kept = known.Weights.Where(weight => weight.Value.IsLocked && WeightRules.Current(known.View, config, weight.Key) is not null)
            .ToImmutableDictionary(weight => weight.Key, weight => WeightRules.Fresh(weight.Value.Weight) with { IsLocked = true }, StringComparer.Ordinal);
        return await Add(command, active.ConfigId, configuration, MapperStatus.Active, kept);
    }

    public async Task<Items<RuleAdjustment>> Learn()
    {
        if (_state is not { } known)
        {
            return [];
        }

        var now = Now();
        var config = PreparedMapper.Of(known.View).Config;
        var settings = config?.Feedback ?? FeedbackSettings.Default;
        var said = await feedback.OfMapper(_key.Tenant, known.Newest.ConfigId, now - settings.Window - TimeSpan.FromDays(1));
        var learnt = said.Where(answer => !answer.IsApplied).ToList();
        if (learnt.Count == 0)
        {
            return [];
        }

        var weights = known.Weights;
        var heard = said.Where(answer => answer.IsApplied).ToList();
        var adjustments = new List<RuleAdjustment>();
        foreach (var answer in learnt)
        {
            heard.Add(answer);
            if (config?.Rules.FirstOrDefault(rule => rule.Id == answer.Rule) is not { } rule)
            {
                continue;
            }

            var weight = WeightRules.Current(known.View with { Weights = weights }, config, rule.Id) ?? WeightRules.Fresh(rule.Weight);
            if (WeightRules.After(weight, answer, heard.Where(other => other.Rule == rule.Id), settings) is { } adjusted)
            {
                weights = weights.SetItem(rule.Id, adjusted);
                adjustments.Add(new RuleAdjustment(answer.Id, answer.Person, known.Newest.ConfigId, rule.Id, weight.Weight, adjusted.Weight, adjusted.AdjustmentReason!));
            }
        }

        var batch = Begin();
        FeedbackStore.Applied(batch, _key.Tenant, [.. learnt.Select(answer => answer.Id)]);
        foreach (var rule in adjustments.Select(adjustment => adjustment.Rule).Distinct(StringComparer.Ordinal))
        {
            MapperStore.SaveWeight(batch, _key.Tenant, known.Newest.ConfigId, rule, weights[rule]);
        }

        foreach (var adjustment in adjustments)
        {
            batch.Append(_stream, null, "mapper.adjusted", now, JsonText.From(new { adjustment.Rule, adjustment.Before, adjustment.After, adjustment.Reason }));
            batch.Task(TellAdjusted.Kind, JsonText.From(adjustment), now);
        }

        await Commit(batch, known with { Weights = weights });
        return adjustments;
    }

    /// <summary>A configuration with other weights at its rules, where there are any.</summary>
    public static JsonText WithWeights(JsonText configuration, Func<string, double?> weightOf)
    {
        var json = JsonNode.Parse(configuration.Json)!;
        foreach (var rule in json["rules"]?.AsArray() ?? [])
        {
            if (rule?["id"] is JsonValue id && id.TryGetValue<string>(out var name) && weightOf(name) is { } weight)
            {
                rule["weight"] = weight;
            }
        }

        return new JsonText(json.ToJsonString(Wire.Json));
    }

    public static Refusal Invalid(IReadOnlyList<string> mistakes) => new(
        RefusalKind.Invalid, MindscapeRefusals.InvalidMapper, $"Invalid configuration: {string.Join("; ", mistakes)}", "configuration", JsonText.From(new { errors = mistakes }));

    internal static Refusal? Check(string configId, JsonText configuration) =>
        Text.CheckRequired("configId", configId, MapperKey.MaxName)
        ?? Text.CheckJson("configuration", configuration, null, JsonValueKind.Object, MapperFile.MaxSize)
        ?? (MapperParser.Parse(JsonElement.Parse(configuration.Json)).Mistakes is { Count: > 0 } mistakes ? Invalid(mistakes) : null);

    private async Task<Outcome<MapperVersionView>> Add(
        Command command, string configId, JsonText configuration, MapperStatus status, ImmutableDictionary<string, RuleWeight>? weights = null)
    {
        if (!command.Actor.ActsForTenant)
        {
            return AdminOnly;
        }

        if (Check(configId, configuration) is { } invalid)
        {
            return invalid;
        }

        var now = Now();
        var version = new MapperVersionView(
            Guid.CreateVersion7(now), configId, (_state?.Newest.Version ?? 0) + 1, configuration, status, 0, now, now, command.Caller == Guid.Empty ? null : command.Caller);
        var outcome = Outcome<MapperVersionView>.Created(version);
        var batch = Begin();
        if (status == MapperStatus.Active)
        {
            MapperStore.Deprecate(batch, _key.Tenant, configId, MapperStatus.Active, now);
        }

        MapperStore.Insert(batch, _key.Tenant, version);
        if (weights is not null)
        {
            MapperStore.DeleteWeights(batch, _key.Tenant, configId);
            foreach (var (rule, weight) in weights)
            {
                MapperStore.SaveWeight(batch, _key.Tenant, configId, rule, weight);
            }
        }

        batch.Append(_stream, null, version.Version == 1 ? "mapper.created" : "mapper.updated", now, JsonText.From(new { version.ConfigId, version.Version, version.Status }));
        batch.Answer(command, null, outcome, now);
        try
        {
            return outcome.After(await Commit(batch, new State(version, status == MapperStatus.Active ? version : _state?.Active, weights ?? _state?.Weights ?? ImmutableDictionary.Create<string, RuleWeight>(StringComparer.Ordinal))));
        }
        catch (PostgresException e) when (e.IsUnique(MapperStore.VersionKey))
        {
            // It was given to the tenant in the meantime; a fresh activation knows of it.
            DeactivateOnIdle();
            throw new ActivationOutdatedException("The mapper has another version by now.", e);
        }
    }

    private ScopedBatch Begin() => database.Begin(RowScope.OfTenant(_key.Tenant), _owner.Epoch);

    private Task<IReadOnlyList<StreamEvent>> Commit(ScopedBatch batch, State next) => _owner.Commit(batch, events => (_state, _seq) = (next, events.Count > 0 ? events[^1].Seq : _seq));

    private DateTimeOffset Now() => time.GetUtcNow().ToMicroseconds();
}
