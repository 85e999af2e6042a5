using System.Collections.Immutable;
using PersonaActors.Contracts.Catalogue;

namespace PersonaActors.Grains.Catalogue;

internal sealed class SystemPrompts(CatalogueWriter catalogue) : CatalogueKind<SystemPromptView>(catalogue, "system_prompt", "system prompts")
{
    protected override ImmutableDictionary<Guid, SystemPromptView> Known => Catalogue.State.SystemPrompts;

    public Task<Outcome<SystemPromptView>> Create(Command command, SystemPromptDraft draft) => Create(command, draft.ToView);

    public Task<Outcome<SystemPromptView>> Update(Command command, Guid id, SystemPromptChange change) => Update(command, id, change.Over);

    protected override long VersionOf(SystemPromptView known) => known.Version;

    protected override SystemPromptView Raised(SystemPromptView next, DateTimeOffset now) => next with { Version = next.Version + 1, UpdatedAt = now };

    protected override ValueTask<Refusal?> Check(SystemPromptView next, SystemPromptView? known) => new(SystemPromptRules.Check(next, known));

    protected override void Put(CatalogueChange change, SystemPromptView next) => change.Put(next);

    protected override void Remove(CatalogueChange change, SystemPromptView known) => change.Remove(known);
}
