using System.Collections.Immutable;

namespace PersonaActors.Contracts.Catalogue;

/// <summary>A catalogue as GET answers it. By id, so that the events of its stream are merge patches of it: null for what went.</summary>
[GenerateSerializer, Immutable, Alias("catalogue-view")]
public sealed record CatalogueView(
    [property: Id(0)] ImmutableDictionary<Guid, SystemPromptView> SystemPrompts,
    [property: Id(1)] ImmutableDictionary<Guid, LlmConfigView> LlmConfigs,
    [property: Id(2)] ImmutableDictionary<Guid, FocusModeView> FocusModes);
