using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Grains.Cards;

namespace PersonaActors.Tests.Cards;

/// <summary>Cards as files, without a service.</summary>
public sealed class CardFileTests
{
    private const string Third = """
        {"spec":"chara_card_v3","spec_version":"3.0","data":{"name":"Lila","nickname":"Li","description":"Keeps a lighthouse.","personality":"dry","scenario":"A storm.",
        "first_mes":"@@depth 4\nHello","mes_example":"<START>","creator_notes":"é \u00e9 \ud83d\ude00","system_prompt":"","post_history_instructions":"","alternate_greetings":["a"],
        "character_book":{"entries":[{"keys":["k"],"content":"@@activate\nc","extensions":{"x":1.50},"enabled":true,"insertion_order":1e2,"use_regex":false}],"extensions":{}},
        "tags":["Sea Side","OC","!"],"creator":"me","character_version":"1","extensions":{"depth_prompt":{"prompt":"p","depth":4}},"group_only_greetings":[],"assets":[],
        "source":["s"],"creation_date":1700000000,"future":{"unknown":[null,true,12345678901234567890]}}}
        """;

    private const string First = """{"name":"Lila","description":"d","personality":"p","scenario":"s","first_mes":"f","mes_example":"m","fav":true}""";

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static Card Read(byte[] file, out ImportedCard imported)
    {
        var (card, found, refusal) = CardFile.Read(file);
        Assert.True(card is not null, refusal?.Detail);
        imported = found!;
        return card;
    }

    private static PersonalityView Made(Card card) => (card.ToDraft() with { Slug = "lila" }).ToView(Guid.NewGuid(), "lila", 20, [], DateTimeOffset.UnixEpoch);

    [Theory]
    [InlineData(CardFormat.Json)]
    [InlineData(CardFormat.Png)]
    [InlineData(CardFormat.Charx)]
    public void A_card_that_went_in_comes_out_as_it_was_written(CardFormat format)
    {
        foreach (var text in (string[])[Third, Third.Replace("chara_card_v3", "chara_card_v2"), First])
        {
            var first = CardFile.Write(Read(Utf8(text), out var plain), plain, format);
            var card = Read(first, out var imported);
            var again = CardFile.Write(card.With(Made(card)), imported, format);
            // A CHARX is of the third version.
            var expected = format == CardFormat.Charx ? Read(Utf8(text), out _).As(third: true).Json.Json : text;
            Assert.Equal(expected, card.Json.Json);
            Assert.Equal(expected, Read(again, out _).Json.Json);
            Assert.Equal(format, imported.Format);
        }
    }

    [Fact]
    public void A_card_says_what_a_personality_is()
    {
        var made = Made(Read(Utf8(Third), out _));
        Assert.Equal(("Lila", "Li", "Keeps a lighthouse.", "dry", "A storm.", "<START>"),
            (made.Name, made.DisplayName, made.CharacterInfo, made.PersonalityTraits, made.ConversationalGoals, made.ConversationalExamples));
        Assert.Equal(["sea-side", "oc"], made.Tags);
        Assert.False(made.IsPublic);
        var pygmalion = Made(Read(Utf8("""{"char_name":"Pyg","char_persona":"p","world_scenario":"w","char_greeting":"g","example_dialogue":"e"}"""), out _));
        Assert.Equal(("Pyg", "p", "w", "e"), (pygmalion.Name, pygmalion.CharacterInfo, pygmalion.ConversationalGoals, pygmalion.ConversationalExamples));
    }

    [Fact]
    public void What_changed_since_is_in_the_card_and_the_rest_is_as_it_was()
    {
        var card = Read(Utf8(Third), out var imported);
        var changed = Made(card) with { CharacterInfo = "Left the lighthouse.", Tone = "warm", Tags = ["sea"] };
        var out1 = JsonNode.Parse(CardFile.Write(card.With(changed), imported, CardFormat.Json))!;
        var expected = JsonNode.Parse(Third)!;
        expected["data"]!["description"] = "Left the lighthouse.";
        expected["data"]!["tags"] = new JsonArray("sea");
        expected["data"]!["extensions"]!["personactors"] = new JsonObject { ["tone"] = "warm" };
        Assert.True(JsonNode.DeepEquals(expected, out1), out1.ToJsonString());
        var back = Made(Read(Utf8(out1.ToJsonString()), out _));
        Assert.Equal((changed.CharacterInfo, changed.Tone, changed.DisplayName), (back.CharacterInfo, back.Tone, back.DisplayName));
    }

    [Fact]
    public void A_picture_keeps_its_other_chunks_and_carries_the_card_for_old_readers_too()
    {
        var picture = PngChunks.Plain(3, 2, 7).With("Comment", "mine").With("Chara", Convert.ToBase64String(Utf8(First))).With("ccv3", Convert.ToBase64String(Utf8(Third)));
        var card = Read(picture.ToBytes(), out var imported);
        Assert.True(card.IsThird);
        var written = PngChunks.Read(CardFile.Write(card, imported, CardFormat.Png), out _)!;
        Assert.Equal("mine", written.Text("Comment"));
        Assert.Equal(Third, Encoding.UTF8.GetString(Convert.FromBase64String(written.Text("ccv3")!)));
        Assert.Equal("chara_card_v2", (string)JsonNode.Parse(Convert.FromBase64String(written.Text("chara")!))!["spec"]!);
        Assert.Equal(PngChunks.Plain(3, 2, 7).With("Comment", "mine").ToBytes(), imported.File);
    }

    [Fact]
    public void An_archive_keeps_its_other_files()
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in ((string, string)[])[("assets/icon/main.txt", "icon"), ("card.json", Third)])
            {
                using var to = zip.CreateEntry(name).Open();
                to.Write(Utf8(content));
            }
        }

        var card = Read(file.ToArray(), out var imported);
        using var written = new ZipArchive(new MemoryStream(CardFile.Write(card, imported, CardFormat.Charx)));
        Assert.Equal(["card.json", "assets/icon/main.txt"], written.Entries.Select(entry => entry.FullName));
        using var icon = new StreamReader(written.GetEntry("assets/icon/main.txt")!.Open());
        Assert.Equal("icon", icon.ReadToEnd());
    }

    public static TheoryData<string, byte[]> Refused
    {
        get
        {
            var png = PngChunks.Plain(4, 4, 0).With("chara", Convert.ToBase64String(Utf8(First))).ToBytes();
            byte[] Changed(int at, byte to) => [.. png[..at], to, .. png[(at + 1)..]];
            static byte[] Zip(string name, long size)
            {
                using var file = new MemoryStream();
                using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
                {
                    using var to = zip.CreateEntry(name, CompressionLevel.SmallestSize).Open();
                    var zeros = new byte[1024 * 1024];
                    for (; size > 0; size -= zeros.Length)
                    {
                        to.Write(zeros, 0, (int)Math.Min(size, zeros.Length));
                    }
                }

                return file.ToArray();
            }

            var charx = Zip("card.json", 10);
            return new()
            {
                { "png_broken", png[..^1] },
                { "png_broken", png[..20] },
                { "png_broken", Changed(40, 0xFF) },
                { "png_broken", Changed(8, 0x7F) },
                { "png_broken", Changed(9, 0xFF) },
                { "png_broken", Changed(12, 0) },
                { "png_without_card", PngChunks.Plain(4, 4, 0).ToBytes() },
                { "png_without_card", PngChunks.Plain(4, 4, 0).With("chara", "*").ToBytes() },
                { "invalid_card", PngChunks.Plain(4, 4, 0).With("chara", Convert.ToBase64String("nothing"u8)).ToBytes() },
                { "card_not_utf8", [0x7B, 0xFF, 0x7D] },
                { "card_not_utf8", Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(First)).ToArray() },
                { "card_too_large", Utf8($$"""{"name":"x","description":"{{new string('a', Card.MaxSize)}}"}""") },
                { "card_too_large", Zip("card.json", Card.MaxSize + 1) },
                { "zip_bomb", Zip("assets/a", CharxFile.MaxUnpacked + 1) },
                { "charx_without_card", Zip("other.json", 10) },
                { "zip_broken", charx[..^10] },
                { "invalid_card", charx },
                { "invalid_card", Utf8("[]") },
                { "invalid_card", Utf8("{") },
                { "invalid_card", Utf8("{}") },
                { "invalid_card", Utf8("""{"name":" "}""") },
                { "invalid_card", Utf8("""{"name":"a","name":"b"}""") },
                { "invalid_card", Utf8("""{"name":"a","description":5}""") },
                { "invalid_card", Utf8("""{"name":"a\u0000"}""") },
                { "invalid_card", Utf8("""{"name":"a\ud800"}""") },
                { "invalid_card", Utf8("""{"name":"a","tags":["\ud800"]}""") },
                { "invalid_card", Utf8("""{"spec":"chara_card_v9","data":{"name":"a"}}""") },
                { "invalid_card", Utf8("""{"spec":"chara_card_v2","name":"a"}""") },
                { "invalid_card", Utf8($$"""{"name":"{{new string('a', 256)}}"}""") },
            };
        }
    }

    // Whole files, which the runner would write down and read again, byte by byte, to find the tests.
    [Theory, MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void What_is_no_card_is_refused_with_its_reason(string code, byte[] file)
    {
        var (card, imported, refusal) = CardFile.Read(file);
        Assert.Null(card);
        Assert.Null(imported);
        Assert.Equal(code, refusal!.Code);
    }

    /// <summary>Whatever a byte is changed to, a card comes out or a reason.</summary>
    [Fact]
    public void A_damaged_picture_never_surprises() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(
        Arb.From(Gen.Choose(0, int.MaxValue)), Arb.From(Gen.Choose(0, 255)), (at, to) =>
        {
            var png = PngChunks.Plain(4, 4, 0).With("ccv3", Convert.ToBase64String(Utf8(Third))).ToBytes();
            png[at % png.Length] = (byte)to;
            var (card, _, refusal) = CardFile.Read(png);
            return card is not null ? card.Json.Json == Third : refusal is not null;
        }));

    /// <summary>Free text of any kind under 'extensions' survives a way through the picture.</summary>
    [Fact]
    public void Any_extension_survives() => Check.One(Config.QuickThrowOnFailure, Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), text =>
    {
        var json = new JsonObject { ["name"] = "Lila", ["extensions"] = new JsonObject { ["x"] = string.Concat(text.Get.Where(c => !char.IsSurrogate(c))) } }.ToJsonString();
        var card = Read(Utf8(json), out var imported);
        return Read(CardFile.Write(card.With(Made(card)), imported, CardFormat.Png), out _).Json.Json == json;
    }));
}
