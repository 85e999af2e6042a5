using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Texts;
using static PersonaActors.Tests.Prompts.Material;

namespace PersonaActors.Tests.Prompts;

/// <summary>Texts that were taken apart and prepared, against the plain way: fill, escape, join strings.</summary>
public sealed class TemplateTests
{
    private static readonly Gen<string> Texts =
        from parts in Gen.Elements(
            "<", "</", ">", "user", "USER", "about", "info", " ", "\n", "\u200b", "\uFF1C", "\uFE64", "us", "er", "<user", "</about ",
            "{{user}}", "{user}", "{{char}}", "{char}", "{{persona}}", "{{time}}", "{{date}}", "{{secret}}", "{{nobody}}", "{", "}", "{{", "}}",
            "<3", "ü😀", "\"", "\\", "\t", "\u0001", "&amp;", "text").ListOf()
        select string.Concat(parts);

    private static readonly Gen<Dictionary<string, string>> Values =
        from user in Texts
        from character in Texts
        from persona in Texts
        from secret in Gen.OneOf(Gen.Constant((string?)null), Texts.Select(text => (string?)text))
        select Named(("user", user), ("char", character), ("persona", persona), ("secret", secret));

    private static Dictionary<string, string> Named(params (string Name, string? Value)[] values) =>
        values.Where(value => value.Value is not null).ToDictionary(value => value.Name, value => value.Value!);

    [Theory]
    [InlineData(Author.Tenant)]
    [InlineData(Author.Anyone)]
    public void What_was_taken_apart_gives_what_filling_and_escaping_give(Author author) =>
        Prop.ForAll(Texts.ToArbitrary(), Values.ToArbitrary(), (text, values) =>
        {
            var output = new Utf8Writer();
            new Template(text, author).Write(output, new PlaceholderValues(
                new Piece(values["user"]), new Piece(values["char"]), new Piece(values["persona"]), values.ToDictionary(value => value.Key, value => new Piece(value.Value))));
            Assert.Equal(
                JsonEncodedText.Encode(Filled(text, author, values), JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(),
                Encoding.UTF8.GetString(output.Written.Span));
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void A_prompts_text_is_its_sections_filled_escaped_and_joined() =>
        Prop.ForAll(Texts.ListOf(7).ToArbitrary(), Values.ToArbitrary(), (texts, values) =>
        {
            var persona = Persona("n" + values["user"], values["persona"], pronouns: texts[0]);
            var personality = Personality(texts[1], texts[2], "n" + values["char"]) with { Tone = texts[3] };
            var material = Of(personality) with
            {
                DefaultPersona = persona,
                Catalogue = Catalogue with { DefaultSystemPrompt = SystemPrompt(texts[4]) },
                FocusMode = Mode(texts[5]),
                Mindscape = new MindscapeOverlay(texts[6]),
                Variables = values.Where(value => value.Key == "secret").ToDictionary(),
            };
            values["user"] = "n" + values["user"];
            values["char"] = "n" + values["char"];
            string Element(string tag, string text, string attributes = "") =>
                string.IsNullOrWhiteSpace(text) ? "" : $"<{tag}{attributes}>{Filled(text, Author.Anyone, values)}</{tag}>\n";
            string[] sections =
            [
                string.IsNullOrWhiteSpace(texts[4]) ? "" : Filled(texts[4], Author.Tenant, values),
                string.IsNullOrWhiteSpace(texts[5]) ? "" : Filled(texts[5], Author.Tenant, values),
                $"<character>\n{Element("name", values["char"])}{Element("info", texts[1])}{Element("traits", texts[2])}{Element("tone", texts[3])}</character>",
                $"<user>\n{Element("name", values["user"])}{Element("pronouns", texts[0])}{Element("about", values["persona"], " source=\"the user's own words\"")}</user>",
                string.IsNullOrWhiteSpace(texts[6]) ? "" : $"<mindscape>\n{ProtectedTags.Escape(texts[6])}\n</mindscape>",
            ];
            var expected = string.Join("\n\n", sections.Where(section => section.Length > 0));
            var prompt = ResolvedPrompt.Of(material);
            Assert.Equal(expected, Front(prompt));
            Assert.Equal(expected, (string)JsonNode.Parse(PromptBody.Compose(prompt, PromptFormat.Native).Span)!["systemPrompt"]!);
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(300));

    [Theory]
    [InlineData("at {{time}}", true)]
    [InlineData("{{{date}}}", true)]
    [InlineData("{time} {{ time }}", false)]
    public void It_knows_whether_it_points_to_the_time(string text, bool points) => Assert.Equal(points, new Template(text, Author.Anyone).NeedsTime);

    /// <summary>However much longer than the text its JSON is, and wherever the room for it ends.</summary>
    [Fact]
    public void Text_of_any_length_that_ends_in_an_emoji_comes_whole()
    {
        for (var lines = 0; lines < 100; lines++)
        {
            var text = new string('\n', lines) + "😀";
            Assert.Contains($">{text}</about>", Front(Of() with { DefaultPersona = Persona(content: text) }), StringComparison.Ordinal);
        }
    }

    private static string Filled(string text, Author author, Dictionary<string, string> values)
    {
        var (filled, fromValues) = ("", new List<(int, int)>());
        for (var at = 0; at < text.Length;)
        {
            var (length, value, isTime) = Placeholder(text[at..], values);
            if (value is not null && !isTime)
            {
                fromValues.Add((filled.Length, filled.Length + value.Length));
            }

            filled += value ?? text[at].ToString();
            at += length;
        }

        return ProtectedTags.Escape(filled, author == Author.Tenant ? fromValues : null);
    }

    /// <summary>What the text begins with, if that is a placeholder somebody fills; else one character.</summary>
    private static (int Length, string? Value, bool IsTime) Placeholder(string text, Dictionary<string, string> values)
    {
        foreach (var time in (string[])["{{time}}", "{{date}}"])
        {
            if (text.StartsWith(time, StringComparison.Ordinal))
            {
                return (time.Length, "the time given below", true);
            }
        }

        foreach (var (name, value) in values)
        {
            foreach (var written in (string[])(name is "user" or "char" ? [$"{{{{{name}}}}}", $"{{{name}}}"] : [$"{{{{{name}}}}}"]))
            {
                if (text.StartsWith(written, StringComparison.Ordinal))
                {
                    return (written.Length, value, false);
                }
            }
        }

        return (1, null, false);
    }
}
