using System.Text.Json;
using System.Text.Json.Nodes;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Grains.Personalities;

namespace PersonaActors.Grains.Cards;

/// <summary>
/// A character card: what it says in the words of a personality, and itself again with what has changed of that. What has no
/// column here (lorebooks, greetings, extensions, what nobody knows yet) is not looked at, and so goes out as it came in.
/// </summary>
public sealed class Card
{
    public const int MaxSize = 4 * 1024 * 1024;

    /// <summary>Under a card's extensions: columns of ours that no card has.</summary>
    private const string Ours = "personactors";

    private const string V2 = "chara_card_v2";
    private const string V3 = "chara_card_v3";


    /// <summary>Where a kind of card has what. Pygmalion's was before the first version, and has other names.</summary>
    private sealed record Dialect(string? Part, string Name, string Description, string? Personality, string Scenario, string Examples)
    {
        public static readonly Dialect First = new(null, "name", "description", "personality", "scenario", "mes_example");
        public static readonly Dialect Pygmalion = new(null, "char_name", "char_persona", null, "world_scenario", "example_dialogue");
        public static readonly Dialect Later = First with { Part = "data" };
    }

    private static readonly (string Name, Func<PersonalityView, string?> Of)[] OurFields =
    [
        ("tone", p => p.Tone), ("age", p => p.Age), ("appearance", p => p.Appearance), ("likes", p => p.Likes), ("dislikes", p => p.Dislikes), ("errorMessage", p => p.ErrorMessage),
    ];

    private readonly JsonObject _root;
    private readonly Dialect _dialect;

    private Card(string text, JsonObject root, Dialect dialect)
    {
        Json = new JsonText(text);
        _root = root;
        _dialect = dialect;
    }

    /// <summary>As it was written.</summary>
    public JsonText Json { get; }

    public bool IsThird => (string?)_root["spec"] == V3;

    private JsonObject Data => _dialect.Part is { } part ? _root[part]!.AsObject() : _root;

    public static (Card? Card, Refusal? Refusal) Parse(string text)
    {
        try
        {
            var parsed = Read(text);
            parsed.Card?.ToDraft();
            return parsed;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, escaped, in something that is looked at.
            return (null, CardRefusals.Invalid("It has a character that is no text."));
        }
    }

    private static (Card? Card, Refusal? Refusal) Read(string text)
    {
        JsonObject root;
        try
        {
            if (JsonNode.Parse(text, documentOptions: Text.OneOfEachName) is not JsonObject parsed)
            {
                return (null, CardRefusals.Invalid("A card is a JSON object."));
            }

            root = parsed;
        }
        catch (JsonException e)
        {
            return (null, CardRefusals.Invalid($"It is no JSON, or has a name twice in one object (line {e.LineNumber + 1})."));
        }

        Dialect dialect;
        switch (root["spec"])
        {
            case JsonValue spec when spec.TryGetValue<string>(out var known) && known is V2 or V3:
                if (root["data"] is not JsonObject)
                {
                    return (null, CardRefusals.Invalid($"A card of the specification '{spec}' has its fields under 'data'.", "data"));
                }

                dialect = Dialect.Later;
                break;
            case null:
                dialect = root.ContainsKey("char_name") && !root.ContainsKey("name") ? Dialect.Pygmalion : Dialect.First;
                break;
            case var other:
                return (null, CardRefusals.Invalid($"Its specification, {Text.Shorten(other.ToJsonString())}, is none that is known: {V2}, {V3}, or none for the first version.", "spec"));
        }

        var card = new Card(text, root, dialect);
        return card.CheckFields() is { } refusal ? (null, refusal) : (card, null);
    }

    /// <summary>A card of the third version of a personality that wasn't made from one.</summary>
    public static Card Of(PersonalityView personality)
    {
        var root = new JsonObject
        {
            ["spec"] = V3,
            ["spec_version"] = "3.0",
            ["data"] = new JsonObject
            {
                ["name"] = "",
                ["description"] = "",
                ["personality"] = "",
                ["scenario"] = "",
                ["first_mes"] = "",
                ["mes_example"] = "",
                ["creator_notes"] = "",
                ["system_prompt"] = "",
                ["post_history_instructions"] = "",
                ["alternate_greetings"] = new JsonArray(),
                ["tags"] = new JsonArray(),
                ["creator"] = "",
                ["character_version"] = "",
                ["extensions"] = new JsonObject(),
                ["group_only_greetings"] = new JsonArray(),
            },
        };
        return new Card(root.ToJsonString(Wire.Json), root, Dialect.Later).With(personality);
    }

    /// <summary>What a personality is made of by it. It is private, and has yet to get its slug.</summary>
    public PersonalityDraft ToDraft()
    {
        var ours = OurExtension() ?? [];
        string? Own(string name) => (string?)ours[name];
        return new PersonalityDraft(
            Name, null, DisplayName, null, null, Said(_dialect.Description), Said(_dialect.Personality), Own("tone"), Own("age"), Own("appearance"), Own("likes"), Own("dislikes"),
            Said(_dialect.Scenario) is { Length: > 0 } scenario ? scenario : null, Said(_dialect.Examples) is { Length: > 0 } examples ? examples : null, Own("errorMessage"),
            null, Tags, null, null, null, null, null, null, false, null);
    }

    /// <summary>The card with what the personality has become since; if that is nothing, it stays as it was written.</summary>
    public Card With(PersonalityView personality)
    {
        var root = _root.DeepClone().AsObject();
        var data = _dialect.Part is { } part ? root[part]!.AsObject() : root;
        var changed = false;
        void Set(string? field, string? now, string? before)
        {
            if (field is not null && (now ?? "") != (before ?? ""))
            {
                data[field] = now ?? "";
                changed = true;
            }
        }

        Set(_dialect.Name, personality.Name, Name);
        Set(_dialect.Description, personality.CharacterInfo, Said(_dialect.Description));
        Set(_dialect.Personality, personality.PersonalityTraits, Said(_dialect.Personality));
        Set(_dialect.Scenario, personality.ConversationalGoals, Said(_dialect.Scenario));
        Set(_dialect.Examples, personality.ConversationalExamples, Said(_dialect.Examples));
        if (personality.DisplayName != (DisplayName ?? personality.Name))
        {
            data["nickname"] = personality.DisplayName;
            changed = true;
        }

        if (!personality.Tags.SequenceEqual(Tags, StringComparer.Ordinal))
        {
            data["tags"] = new JsonArray([.. personality.Tags.Select(tag => JsonValue.Create(tag))]);
            changed = true;
        }

        var ours = new JsonObject(OurFields.Where(field => field.Of(personality) is not null).Select(field => KeyValuePair.Create<string, JsonNode?>(field.Name, field.Of(personality))));
        if (!JsonNode.DeepEquals(ours, OurExtension() ?? []))
        {
            if (data["extensions"] is not JsonObject extensions)
            {
                data["extensions"] = extensions = [];
            }

            extensions[Ours] = ours;
            changed = true;
        }

        return changed ? new Card(root.ToJsonString(Wire.Json), root, _dialect) : this;
    }

    /// <summary>The same as a card of the second or the third version, which differ in what readers make of them.</summary>
    public Card As(bool third)
    {
        var spec = third ? V3 : V2;
        if ((string?)_root["spec"] == spec)
        {
            return this;
        }

        var data = Data.DeepClone().AsObject();
        if (_dialect == Dialect.Pygmalion)
        {
            foreach (var (old, name) in ((string, string)[])[("char_name", "name"), ("char_persona", "description"), ("world_scenario", "scenario"), ("char_greeting", "first_mes"), ("example_dialogue", "mes_example")])
            {
                data[name] = data[old]?.DeepClone() ?? "";
                data.Remove(old);
            }

            data["personality"] ??= "";
        }

        if (third && data["group_only_greetings"] is null)
        {
            data["group_only_greetings"] = new JsonArray();
        }

        var root = new JsonObject { ["spec"] = spec, ["spec_version"] = third ? "3.0" : "2.0", ["data"] = data };
        return new Card(root.ToJsonString(Wire.Json), root, Dialect.Later);
    }

    private string Name => Said(_dialect.Name);

    private string? DisplayName => Data["nickname"] is JsonValue value && value.TryGetValue<string>(out var name) && !string.IsNullOrWhiteSpace(name) && name.Length <= PersonalityRules.MaxName ? name : null;

    /// <summary>Those of its tags that are tags here.</summary>
    private Items<string> Tags =>
    [
        .. (Data["tags"] as JsonArray ?? []).OfType<JsonValue>().Select(tag => tag.TryGetValue<string>(out var text) ? PersonalityRules.SlugFrom(text) : "")
            .Where(tag => PersonalityRules.CheckTags([tag]) is null).Distinct(StringComparer.Ordinal).Take(PersonalityRules.MaxTags),
    ];

    private JsonObject? OurExtension() => Data["extensions"] is JsonObject extensions && extensions[Ours] is JsonObject ours
        && ours.All(field => Array.Exists(OurFields, known => known.Name == field.Key) && field.Value is JsonValue value && value.TryGetValue<string>(out _)) ? ours : null;

    private string Said(string? field) => field is not null && Data[field] is JsonValue value ? (string)value! : "";

    private Refusal? CheckFields()
    {
        foreach (var field in (string?[])[_dialect.Name, _dialect.Description, _dialect.Personality, _dialect.Scenario, _dialect.Examples])
        {
            if (field is null || Data[field] is not { } node)
            {
                continue;
            }

            if (node is not JsonValue value || value.GetValueKind() != JsonValueKind.String)
            {
                return CardRefusals.Invalid($"'{field}' is a text.", field);
            }

            if (Text.CheckOptional(field, (string)value!, MaxSize) is { } refusal)
            {
                return CardRefusals.Invalid(refusal.Detail, field);
            }
        }

        return string.IsNullOrWhiteSpace(Name) ? CardRefusals.Invalid($"A card has a name, in '{_dialect.Name}'.", _dialect.Name)
            : Name.Length > PersonalityRules.MaxName ? CardRefusals.Invalid($"'{_dialect.Name}' has at most {PersonalityRules.MaxName} characters.", _dialect.Name)
            : null;
    }
}
