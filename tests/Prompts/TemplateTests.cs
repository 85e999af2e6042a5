using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Grains.Prompts;

namespace PersonaActors.Tests.Prompts;

public sealed class TemplateTests
{
    private static readonly Gen<string> Texts =
        from parts in Gen.Elements(
            "<", "</", ">", "user", "USER", "about", "info", " ", "\n", "\u200b", "\uFF1C", "\uFE64", "us", "er", "<user", "</about ",
            "{{user}}", "{user}", "{{char}}", "{char}", "{{persona}}", "{{time}}", "{{date}}", "{{secret}}", "{{nobody}}", "{", "}", "{{", "}}",
            "<3", "ü😀", "\"", "\\", "\t", "\u0001", "&amp;", "text").ListOf()
        select string.Concat(parts);

    private static readonly Gen<PlaceholderValues> Values =
        from user in Texts
        from character in Texts
        from persona in Texts
        from secret in Gen.OneOf(Gen.Constant((string?)null), Texts.Select(text => (string?)text))
        select new PlaceholderValues(new Piece(user), new Piece(character), new Piece(persona), secret is null ? null : new Dictionary<string, string> { ["secret"] = secret });

    [Theory]
    [InlineData(Author.Tenant)]
    [InlineData(Author.Anyone)]
    public void What_was_taken_apart_gives_what_filling_and_escaping_give(Author author) =>
        Prop.ForAll(Texts.ToArbitrary(), Values.ToArbitrary(), (text, values) =>
        {
            var filled = Placeholders.Fill(text, values);
            var expected = author == Author.Tenant ? ProtectedTags.Escape(filled.Text, filled.FromValues) : ProtectedTags.Escape(filled.Text);
            var template = new Template(text, author);
            Assert.Equal(expected, Write(template, TextForm.Plain, values));
            Assert.Equal(JsonEncodedText.Encode(expected, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(), Write(template, TextForm.Json, values));
            Assert.Equal(expected, Write(template.Naming(values.Char), TextForm.Plain, values));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Theory]
    [InlineData("at {{time}}", true)]
    [InlineData("{{{date}}}", true)]
    [InlineData("{time} {{ time }}", false)]
    public void It_knows_whether_it_points_to_the_time(string text, bool points) => Assert.Equal(points, new Template(text, Author.Anyone).NeedsTime);

    private static string Write(Template template, TextForm form, PlaceholderValues values)
    {
        var output = new PromptWriter();
        template.Write(output, form, values);
        return Encoding.UTF8.GetString(output.ToText().ToArray());
    }
}
