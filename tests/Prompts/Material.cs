using System.Collections.Immutable;
using System.Text;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Contracts.Users;
using PersonaActors.Grains.Catalogue;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Settings;

namespace PersonaActors.Tests.Prompts;

/// <summary>Entities with as little said as possible; a test says what it is about.</summary>
public static class Material
{
    private static readonly DateTimeOffset At = DateTimeOffset.UnixEpoch;

    public static readonly UserView User = new(Guid.CreateVersion7(), "ana", [], Guid.Empty, "UTC", false, true, 1, At, At, null, SettingsTier.Empty);

    public static PersonaView Persona(string name = "Ana", string content = "", string? preferred = null, string? pronouns = null) =>
        new(Guid.CreateVersion7(), User.Id, name, null, content, preferred, pronouns, 1, At, At);

    public static LlmConfigView Config(string? model = null, double? temperature = null, double? topP = null, Guid? owner = null) => new(
        Guid.CreateVersion7(), owner, "config", null, model, null, null, temperature, topP, null, null, null, null, null, null, null, null, null, null, null,
        null, null, null, null, false, false, 1, At, At);

    public static SystemPromptView SystemPrompt(string content) => new(Guid.CreateVersion7(), "prompt", null, content, false, 1, At, At);

    public static FocusModeView Mode(string prompt, string? model = null) =>
        new(Guid.CreateVersion7(), "code", "Code", null, null, prompt, model, JsonText.EmptyObject, true, true, 1, At, At);

    public static PersonalityView Personality(string info = "", string traits = "", string name = "Lila") => new(
        Guid.CreateVersion7(), name, "lila", name, null, null, null, info, traits, null, null, null, null, null, null, null, null, null, [], [],
        false, null, false, null, true, 20, SettingsTier.Empty, true, true, [], 1, At, At);

    public static UserPersonaView UserPersona(string prompt, Items<string> traits, Items<string> domains) =>
        new(Guid.CreateVersion7(), User.Id, "Helper", null, null, prompt, null, traits, domains, JsonText.EmptyObject, false, 0, 1, At, At);

    public static readonly Offer Catalogue = new(null, null, [], null, null);

    /// <summary>A catalogue by what matters of it to a prompt.</summary>
    public sealed record Offer(
        SystemPromptView? SystemPrompt, SystemPromptView? DefaultSystemPrompt, Items<LlmConfigView> LlmConfigs, LlmConfigView? DefaultLlmConfig, LlmConfigView? FreeDefaultLlmConfig)
    {
        public static implicit operator CatalogueState(Offer offer)
        {
            var prompts = new[] { offer.DefaultSystemPrompt is { } common ? common with { IsDefault = true } : null, offer.SystemPrompt }.OfType<SystemPromptView>();
            LlmConfigView?[] defaults =
            [
                offer.DefaultLlmConfig is { } usual ? usual with { IsDefault = true } : null,
                // It may be the same that is the default.
                offer.FreeDefaultLlmConfig is { } free ? free with { Id = Guid.CreateVersion7(), IsFreeDefault = true } : null,
            ];
            return CatalogueState.Of(new CatalogueView(
                prompts.DistinctBy(prompt => prompt.Id).ToImmutableDictionary(prompt => prompt.Id),
                offer.LlmConfigs.Concat(defaults.OfType<LlmConfigView>()).DistinctBy(config => config.Id).ToImmutableDictionary(config => config.Id),
                ImmutableDictionary<Guid, FocusModeView>.Empty));
        }
    }

    public static PromptMaterial Of(PersonalityView? personality = null) => new()
    {
        Me = Me(),
        DefaultPersona = Persona(),
        Personality = personality ?? Personality(),
        Catalogue = Catalogue,
    };

    public static UserSide Me(UserView? user = null, params LlmConfigView[] configs) => new(user ?? User, configs, ImmutableDictionary<Guid, OverrideView>.Empty);

    public static OverrideView Override(Guid? persona = null, Guid? config = null, SettingsTier? settings = null) =>
        new(Guid.Empty, persona, config, settings ?? SettingsTier.Empty, At, 1);

    public static Merge<LlmConfigView> Llm(this PromptMaterial material) => new PromptTerms(material).Llm;

    public static string Front(PromptMaterial material) => Front(ResolvedPrompt.Of(material));

    /// <summary>Without a state or a message there is nothing else in the plain text.</summary>
    public static string Front(ResolvedPrompt prompt) => Encoding.UTF8.GetString(PromptBody.Compose(prompt, PromptFormat.Text).Span);
}
