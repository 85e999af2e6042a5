using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Grains.Outbox;
using PersonaActors.Storage;
using PersonaActors.Storage.Catalogue;

namespace PersonaActors.Grains.Catalogue;

/// <summary>
/// One command's changes of a catalogue: the statements, the events and the state after them, gathered side by side. The
/// events are merge patches of the whole catalogue, <c>{changes: {systemPrompts: {id: …}}}</c>, so one stream tells of all.
/// </summary>
public sealed class CatalogueChange
{
    private readonly ScopedBatch _batch;
    private readonly Guid? _tenant;
    private readonly string _stream;
    private readonly DateTimeOffset _now;

    public CatalogueChange(ScopedBatch batch, Guid? tenant, string stream, CatalogueState known, DateTimeOffset now)
    {
        _batch = batch;
        _tenant = tenant;
        _stream = stream;
        _now = now;
        Next = known;
        CatalogueStore.Raise(batch, tenant, known.Version + 1);
    }

    /// <summary>The state after the commit, but for version and position.</summary>
    public CatalogueState Next { get; private set; }

    /// <summary>At most one is the default: the old one stops being it in the same transaction.</summary>
    public void Put(SystemPromptView prompt)
    {
        if (prompt.IsDefault && Next.DefaultSystemPrompt is { } old && old.Id != prompt.Id)
        {
            Put(old with { IsDefault = false, Version = old.Version + 1, UpdatedAt = _now });
        }

        var known = Next.SystemPrompts.GetValueOrDefault(prompt.Id);
        if (known is null)
        {
            CatalogueStore.Insert(_batch, _tenant!.Value, prompt);
        }
        else
        {
            CatalogueStore.Update(_batch, _tenant!.Value, prompt);
        }

        Append("system-prompt", "systemPrompts", prompt.Id, known, prompt);
        Next = Next.With(prompt);
    }

    public void Remove(SystemPromptView prompt)
    {
        CatalogueStore.Delete(_batch, _tenant!.Value, prompt);
        Append<SystemPromptView>("system-prompt", "systemPrompts", prompt.Id, prompt, null);
        Next = Next.Without(prompt.Id);
    }

    /// <summary>As for prompts, for both kinds of default; they may be one config.</summary>
    public void Put(LlmConfigView config)
    {
        if (config.IsDefault && Next.DefaultLlmConfig is { } old && old.Id != config.Id)
        {
            Put(old with { IsDefault = false, Version = old.Version + 1, UpdatedAt = _now });
        }

        if (config.IsFreeDefault && Next.FreeDefaultLlmConfig is { } oldFree && oldFree.Id != config.Id)
        {
            Put(oldFree with { IsFreeDefault = false, Version = oldFree.Version + 1, UpdatedAt = _now });
        }

        var known = Next.LlmConfigs.GetValueOrDefault(config.Id);
        if (known is null)
        {
            LlmConfigStore.Insert(_batch, _tenant!.Value, config);
        }
        else
        {
            LlmConfigStore.Update(_batch, _tenant!.Value, config);
        }

        Append("llm-config", "llmConfigs", config.Id, known, config);
        Next = Next.With(config);
    }

    public void Remove(LlmConfigView config)
    {
        LlmConfigStore.Delete(_batch, _tenant!.Value, config);
        Append<LlmConfigView>("llm-config", "llmConfigs", config.Id, config, null);
        Next = Next.Without(config.Id);
    }

    /// <summary>It stays what it is, but as somebody's own: it isn't of the catalogue any more.</summary>
    public void Give(LlmConfigView config)
    {
        LlmConfigStore.Update(_batch, _tenant!.Value, config);
        _batch.Task(ReloadUser.Kind, JsonText.From(new ReloadUser.Payload(config.OwnerId!.Value)), _now);
        Append<LlmConfigView>("llm-config", "llmConfigs", config.Id, config, null);
        Next = Next.Without(config.Id);
    }

    public void Put(FocusModeView mode)
    {
        var known = Next.FocusModes.GetValueOrDefault(mode.Id);
        if (known is null)
        {
            CatalogueStore.Insert(_batch, _tenant, mode);
        }
        else
        {
            CatalogueStore.Update(_batch, _tenant, mode);
        }

        Append("focus-mode", "focusModes", mode.Id, known, mode);
        Next = Next.With(mode);
    }

    public void Remove(FocusModeView mode)
    {
        CatalogueStore.Delete(_batch, _tenant, mode);
        Append<FocusModeView>("focus-mode", "focusModes", mode.Id, mode, null);
        Next = Next.Without(mode.Id);
    }

    private void Append<T>(string what, string member, Guid id, T? before, T? after)
        where T : class
    {
        var (happened, patch) = (before, after) switch
        {
            (null, _) => ("created", Json(after!)),
            (_, null) => ("deleted", null),
            _ => ("updated", MergePatch.Difference(Json(before), Json(after))),
        };
        var data = new JsonObject { ["changes"] = new JsonObject { [member] = new JsonObject { [id.ToString()] = patch } } };
        _batch.Append(_stream, null, $"{what}.{happened}", _now, new JsonText(data.ToJsonString(Wire.Json)));
    }

    private static JsonObject Json<T>(T entity) => JsonSerializer.SerializeToNode(entity, Wire.Json)!.AsObject();
}
