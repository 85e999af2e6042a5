using PersonaActors.Contracts;
using PersonaActors.Contracts.Mindscapes;
using PersonaActors.Grains.Mindscapes;

namespace PersonaActors.Tests.Mindscapes;

public sealed class NarrativeRulesTests
{
    private static NewNarrative Curation(string text, string original, string? value = null) => new(
        NarrativeType.Curation, text, null, JsonText.EmptyObject, null, null, null, "work.x", CurationAction.Correct, Said.Json(original), value is null ? null : Said.Json(value));

    private static NewNarrative Saying(string traits, string? source = null) => new(
        NarrativeType.SelfObservation, "text", null, JsonText.EmptyObject, source, null, Said.Json(traits), null, null, null, null);

    [Theory]
    [InlineData("My morning coding is best; morning light helps coding", "morning,coding,best,light,helps")]
    [InlineData("I think that it is what I would like", "")]
    [InlineData("Noise-cancelling headphones", "noise-cancelling,headphones")]
    public void Tags_are_the_words_a_text_has_most_often(string text, string tags) => Assert.Equal(tags, string.Join(',', NarrativeRules.TagsOf(text)));

    [Theory]
    [InlineData("it's 45 minutes", "60", null, "45")]
    [InlineData("between 45 and 60", "60", null, "\"between 45 and 60\"")]
    [InlineData("No", "true", null, "false")]
    [InlineData("rather not", "true", null, "\"rather not\"")]
    [InlineData("06:00-08:00", "[\"09:00-10:00\"]", null, "[\"06:00-08:00\"]")]
    [InlineData("low", "\"high\"", null, "\"low\"")]
    [InlineData("I said so", "60", "30", "30")]
    public void A_correction_is_read_as_the_kind_of_value_that_it_replaces(string text, string original, string? value, string corrected) =>
        Assert.Equal(corrected, NarrativeRules.CorrectedValue(Curation(text, original, value)).Json);

    [Theory]
    [InlineData("I like tea", " i  LIKE\n tea ", true)]
    [InlineData("I like tea", "I like tea.", false)]
    public void Neither_case_nor_space_makes_another_text(string one, string other, bool isSame) =>
        Assert.Equal(isSame, NarrativeRules.Said(one).SequenceEqual(NarrativeRules.Said(other)));

    [Theory]
    [InlineData(null, "agent", true)]
    [InlineData("person", "calendar", true)]
    [InlineData("calendar", "agent", true)]
    [InlineData("agent", "agent", true)]
    [InlineData("agent", "calendar", false)]
    [InlineData("agent", null, false)]
    [InlineData(null, null, false)]
    public void What_a_lesser_source_says_again_is_an_echo_and_a_person_may_say_it_again(string? before, string? now, bool isEcho)
    {
        var earlier = new NarrativeView(
            Guid.NewGuid(), Guid.NewGuid(), NarrativeType.SelfObservation, "text", null, [], null, null, null, JsonText.EmptyObject, before, null, true, [], 1, default, default);
        Assert.Equal(isEcho ? earlier : null, NarrativeRules.Echoed([earlier], now));
    }

    [Fact]
    public void A_correction_is_folded_in_its_place_and_weighs_as_much_as_what_it_corrects()
    {
        var correction = NarrativeRules.Entry(Guid.NewGuid(), 3, Curation("30", "90"), null, Said.Start)! with { Content = JsonText.From(new Correction("a", Said.Json("30"))) };
        var (traits, changes) = TraitFold.Fold(TraitFold.Nothing, [Said.Trait(1, "a", "60", .5), Said.Trait(2, "a", "120", .5), correction, Said.Trait(4, "a", "60", .5)]);
        Assert.Equal(("40", 3), (traits["a"].Value.Json, traits["a"].SampleSize));
        Assert.Equal((1, "30"), (changes[2].Changes[0].After!.Confidence, changes[2].Changes[0].After!.Value.Json));
        var why = TraitOrigin.Of("a", [Said.Trait(1, "a", "60", .5), Said.Trait(2, "a", "120", .5), correction, Said.Trait(4, "a", "60", .5)]);
        Assert.Equal(["curation", "observation"], why.Select(share => share.Kind));
        Assert.Equal(40, why.Sum(share => share.Share!.Value * double.Parse(share.Input!.Json, System.Globalization.CultureInfo.InvariantCulture)), 6);
    }

    [Theory]
    [InlineData("""{"new":"x"}""", "new:ExtractedFrom")]
    [InlineData("""{"word":"tea"}""", "word:ExtractedFrom word:Supports")]
    [InlineData("""{"word":{"value":"rum","confidence":0.9}}""", "word:ExtractedFrom word:Contradicts")]
    [InlineData("""{"word":{"value":"rum","confidence":0.1}}""", "word:ExtractedFrom word:Contradicts")]
    [InlineData("""{"number":61}""", "number:ExtractedFrom number:Supports")]
    [InlineData("""{"number":90}""", "number:ExtractedFrom number:Contradicts")]
    public void What_is_said_of_traits_is_linked_to_them(string traits, string links)
    {
        var (known, _) = TraitFold.Fold(TraitFold.Nothing, [Said.Trait(1, "word", "\"tea\"", .5), Said.Trait(2, "number", "60", .5)]);
        var given = Saying(traits);
        var (_, changes) = TraitFold.Fold(known, [NarrativeRules.Entry(Guid.NewGuid(), 3, given, null, Said.Start)!]);
        Assert.Equal(links, string.Join(' ', NarrativeRules.Links(given, changes).Select(link => $"{link.TraitPath}:{link.Type}")));
    }

    [Theory]
    [InlineData("text", "", "work.x", CurationAction.Correct, "1")]
    [InlineData("action", "text", "work.x", null, "1")]
    [InlineData("traitPath", "text", null, CurationAction.Correct, "1")]
    [InlineData("originalValue", "text", "work.x", CurationAction.Correct, null)]
    public void What_a_curation_lacks_is_named(string field, string text, string? path, CurationAction? action, string? original) =>
        Assert.Equal(field, NarrativeRules.Check(new NewNarrative(
            NarrativeType.Curation, text, null, JsonText.EmptyObject, null, null, null, path, action, original is null ? null : Said.Json(original), null))!.Field);
}
