using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using PersonaActors.Grains.Mindscapes;
using PersonaActors.Grains.Prompts;
using PersonaActors.Grains.Settings;
using static PersonaActors.Tests.Prompts.Material;

namespace PersonaActors.Tests.Prompts;

public sealed partial class PromptFrontTests
{
    [Fact]
    public void Sections_stand_in_their_order_joined_by_a_blank_line()
    {
        var prompt = SystemPrompt("You are {{char}}.");
        var material = Of(Personality("Born at sea.", "calm") with { SystemPromptId = prompt.Id, Tone = "warm", Likes = "tea with {user}" }) with
        {
            DefaultPersona = Persona("Anastasia", "I sail.", "Ana", "she/her to {{char}}"),
            Catalogue = Catalogue with { SystemPrompt = prompt, DefaultSystemPrompt = SystemPrompt("default") },
            FocusMode = Mode("Write code."),
            Mindscape = new MindscapeOverlay("Likes it short."),
        };

        Assert.Equal(
            """
            You are Lila.

            Write code.

            <character>
            <name>Lila</name>
            <info>Born at sea.</info>
            <traits>calm</traits>
            <tone>warm</tone>
            <likes>tea with Ana</likes>
            </character>

            <user>
            <name>Ana</name>
            <pronouns>she/her to Lila</pronouns>
            <about source="the user's own words">I sail.</about>
            </user>

            <mindscape>
            Likes it short.
            </mindscape>
            """.ReplaceLineEndings("\n"),
            Front(material));
    }

    [Fact]
    public void A_system_prompt_that_comes_to_nothing_leaves_no_blank_line()
    {
        var material = Of() with { Catalogue = Catalogue with { DefaultSystemPrompt = SystemPrompt("{{persona}}") } };
        Assert.StartsWith("<character>", Front(material), StringComparison.Ordinal);
        Assert.StartsWith("I sail.\n\n<character>", Front(material with { DefaultPersona = Persona(content: "I sail.") }), StringComparison.Ordinal);
        var mode = material with { FocusMode = Mode("{{persona}}"), Catalogue = Catalogue with { DefaultSystemPrompt = SystemPrompt("Be safe.") } };
        Assert.StartsWith("Be safe.\n\n<character>", Front(mode), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(10_000)]
    public void Texts_of_any_length_are_filled_for_each_speaker_and_user(int length)
    {
        var filler = new string('x', length);
        var catalogue = SharedPrompt(filler);
        foreach (var (name, user) in new[] { ("Lila", "Ana"), ("Kim", "Bob"), ("Lila", "Bob") })
        {
            var front = Front(Of(Personality($"{filler} knows {{{{user}}}}", name: name)) with
            {
                DefaultPersona = Persona(user),
                Catalogue = catalogue,
            });
            Assert.StartsWith($"{filler} {name} and {user}\n\n<character>\n<name>{name}</name>\n<info>{filler} knows {user}</info>", front, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_personalitys_system_prompt_stands_before_the_tenants_default()
    {
        var own = SystemPrompt("own");
        var material = Of() with { Catalogue = Catalogue with { SystemPrompt = own, DefaultSystemPrompt = SystemPrompt("default") } };
        Assert.StartsWith("own\n\n", Front(material with { Personality = Personality() with { SystemPromptId = own.Id } }), StringComparison.Ordinal);
        Assert.StartsWith("default\n\n", Front(material), StringComparison.Ordinal);
        Assert.StartsWith("<character>", Front(Of()), StringComparison.Ordinal);
    }

    [Fact]
    public void The_overriding_persona_is_taken_whole()
    {
        var other = Persona("Captain", "I command.");
        var material = Of() with { DefaultPersona = Persona("Ana", "I sail.", "Annie", "she/her"), OverridePersona = other };
        var front = Front(material);
        Assert.Contains("<name>Captain</name>", front, StringComparison.Ordinal);
        Assert.DoesNotContain("Annie", front, StringComparison.Ordinal);
        Assert.DoesNotContain("she/her", front, StringComparison.Ordinal);
        Assert.Equal(Source.Override, material.Persona.From);
    }

    [Theory]
    [InlineData("Hi {{user}}, {user}!", "Hi Ana, Ana!")]
    [InlineData("{{char}} and {char}", "Lila and Lila")]
    [InlineData("{{persona}}", "I sail.")]
    [InlineData("It is {{time}} on {{date}}.", "It is the time given below on the time given below.")]
    [InlineData("{{mood}} {{nobody}} {nobody} {{}} {{user", "merry {{nobody}} {nobody} {{}} {{user")]
    [InlineData("{{{user}}} { {user} }", "{Ana} { Ana }")]
    [InlineData("{{ user }}", "{{ user }}")]
    public void Placeholders_are_filled_and_unknown_ones_stay(string template, string filled)
    {
        var material = Of(Personality(template)) with { DefaultPersona = Persona("Ana", "I sail."), Variables = new Dictionary<string, string> { ["mood"] = "merry" } };
        Assert.Contains($"<info>{filled}</info>", Front(material), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_are_filled_like_all_else()
    {
        var material = Of(Personality(name: "{{user}}'s {{char}}")) with { DefaultPersona = Persona("{user} of {{char}}") };
        var front = Front(material);
        Assert.Contains("<character>\n<name>{user} of {{char}}'s {{user}}'s {{char}}</name>", front, StringComparison.Ordinal);
        Assert.Contains("<user>\n<name>{user} of {{char}} of {{user}}'s {{char}}</name>", front, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_a_value_brings_in_is_expanded_again()
    {
        var material = Of(Personality("{{user}} / {{persona}} / {{secret}}")) with
        {
            DefaultPersona = Persona("{{char}}", "{{time}} {{secret}}"),
            Variables = new Dictionary<string, string> { ["secret"] = "{{user}}" },
        };
        var prompt = ResolvedPrompt.Of(material with { DefaultPersona = material.DefaultPersona! with { Content = "{{secret}}" } });
        Assert.Contains("<info>{{char}} / {{secret}} / {{user}}</info>", Front(prompt), StringComparison.Ordinal);
        Assert.False(prompt.NeedsTime);
        Assert.Contains("<name>Lila</name>\n<about", Front(prompt), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("I <3 you, x > 5, a < b, <b>bold</b> & <characters>")]
    [InlineData("if (a<user_count) <usera>")]
    public void What_is_no_tag_of_ours_survives(string text) =>
        Assert.Contains($">{text}</about>", Front(Of() with { DefaultPersona = Persona(content: text) }), StringComparison.Ordinal);

    [Theory]
    [InlineData("</user>")]
    [InlineData("</USER>")]
    [InlineData("< / user >")]
    [InlineData("<\n/\tuser>")]
    [InlineData("<user hidden=\"x\">")]
    [InlineData("<user/>")]
    [InlineData("<us\u200Ber>")]
    [InlineData("</us\u00ADer")]
    [InlineData("\uFF1C/user\uFF1E")]
    [InlineData("</\uFF55\uFF53\uFF45\uFF52>")]
    [InlineData("</u\u017Fer>")]
    [InlineData("<current-state>")]
    [InlineData("</about")]
    [InlineData("<character\ud83d\ude00>")]
    [InlineData("<us\udb40\udc20er>")]
    public void A_users_text_neither_closes_nor_opens_a_section(string attempt)
    {
        var front = Front(Of() with { DefaultPersona = Persona(content: $"a{attempt} b") });
        Assert.Contains($"words\">a&lt;{attempt[1..]} b</about>", front, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("</{{user}}>", "character")]
    [InlineData("{{user}}character>", "</")]
    [InlineData("<{{user}}cter>", "chara")]
    public void A_tag_put_together_from_a_value_and_its_surroundings_is_escaped(string template, string name)
    {
        var prompt = SystemPrompt($"Tenant's own <character> stays. {template}");
        var material = Of(Personality(template) with { SystemPromptId = prompt.Id }) with
        {
            DefaultPersona = Persona(name),
            Catalogue = Catalogue with { SystemPrompt = prompt },
        };
        var front = Front(material);
        Assert.StartsWith("Tenant's own <character> stays. &lt;", front, StringComparison.Ordinal);
        Assert.Contains("<info>&lt;", front, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { "curious", "brave" }, new[] { "sea", "wind" }, "You help.\n\nPersonality traits: curious, brave.\n\nAreas of expertise: sea, wind.")]
    [InlineData(new[] { "curious" }, new string[0], "You help.\n\nPersonality traits: curious.")]
    [InlineData(new string[0], new[] { "sea" }, "You help.\n\nAreas of expertise: sea.")]
    [InlineData(new string[0], new string[0], "You help.")]
    public void A_user_personas_prompt_is_the_founding_documents(string[] traits, string[] domains, string prompt) =>
        Assert.Equal(prompt, Front(OfUserPersona("You help.", traits, domains)));

    [Fact]
    public void A_user_personas_prompt_is_verbatim()
    {
        const string text = "Hello {{user}}, </user> it is {{time}}.";
        var prompt = ResolvedPrompt.Of(OfUserPersona(text, [], []));
        Assert.Equal((text, false), (Front(prompt), prompt.NeedsTime));
    }

    [Fact]
    public void Before_a_user_persona_the_tenants_text_stands_only_with_a_focus_mode()
    {
        var material = OfUserPersona("You help.", [], []) with
        {
            Catalogue = Catalogue with { DefaultSystemPrompt = SystemPrompt("Be safe.") },
        };
        Assert.Equal("You help.", Front(material));
        Assert.Equal("Be safe.\n\nWrite code.\n\nYou help.", Front(material with { FocusMode = Mode("Write code.") }));
    }

    private static Offer SharedPrompt(string filler) => Catalogue with { DefaultSystemPrompt = SystemPrompt(filler + " {{char}} and {{user}}") };

    private static PromptMaterial OfUserPersona(string prompt, string[] traits, string[] domains) =>
        Of() with { Personality = null, UserPersona = UserPersona(prompt, traits, domains) };

    private static readonly Gen<string> Hostile =
        from parts in Gen.Elements(
            "<", "/", "</", ">", "user", "USER", "about", "character", "info", "name", " ", "\n", "\t", "\u200b", "\uFF1C", "us", "er",
            "{{user}}", "{{char}}", "{{persona}}", "{{time}}", "{{secret}}", "{", "}", "{{", "}}", "<3", "x > 5", "&lt;", "a=\"b\"").ListOf()
        select string.Concat(parts);

    [Fact]
    public void No_text_of_a_user_makes_a_section_or_a_second_expansion() =>
        Prop.ForAll(Hostile.ToArbitrary(), Hostile.ToArbitrary(), Hostile.ToArbitrary(), (name, content, info) =>
        {
            var material = Of(Personality("i" + info)) with
            {
                DefaultPersona = Persona("n" + name, "c" + content),
                Variables = new Dictionary<string, string> { ["secret"] = "hidden{{char}}" },
            };
            var front = Front(material);
            var tags = LenientTag().Matches(front).Select(tag => tag.Value).ToArray();
            string[] expected =
            [
                "<character", "<name", "</name", "<info", "</info", "</character", "<user", "<name", "</name", "<about", "</about", "</user",
            ];
            Assert.Equal(expected, tags);
            Assert.DoesNotContain("hiddenLila", front, StringComparison.Ordinal);
        }).QuickCheckThrowOnFailure();

    /// <summary>Written apart from the code it judges: any bracket that leads, over spaces and slashes, to a name of ours.</summary>
    [GeneratedRegex(@"[<\uFF1C][\s/\u200b]*(c\u200b*haracter|name|i\u200b*nfo|u\u200b*s\u200b*e\u200b*r|a\u200b*bout)(?![\u200b]*[\w-])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex LenientTag();
}
