using System.Text;

namespace PersonaActors.Grains.Prompts;

/// <summary>A section made of elements, one a line. What is the same in all prompts is ready; fields with placeholders are filled for each.</summary>
internal sealed class Section : GappedText
{
    private readonly Part[] _parts;

    /// <summary>One of the two: text that is always the same, or a field with placeholders.</summary>
    private readonly record struct Part(Piece? Shared, Template? Filled);

    private Section(Part[] parts)
    {
        _parts = parts;
        NeedsTime = Array.Exists(parts, part => part.Filled is { NeedsTime: true });
        foreach (var part in parts)
        {
            Gaps |= part.Filled?.Gaps ?? Gap.None;
            Length += part.Shared?.Text.Length ?? part.Filled!.Length;
        }
    }

    /// <summary>A field points to "the time given below".</summary>
    public bool NeedsTime { get; }

    public int Length { get; }

    internal override Gap Gaps { get; }

    internal override void AddTo(StencilBuilder stencil)
    {
        foreach (var (shared, filled) in _parts)
        {
            if (shared is not null)
            {
                stencil.Add(shared.Text);
            }

            filled?.AddTo(stencil);
        }
    }

    internal override void Fill(PromptWriter output, TextForm form, in PlaceholderValues values)
    {
        foreach (var (shared, filled) in _parts)
        {
            if (shared is not null)
            {
                output.Share(shared.In(form));
            }

            filled?.Write(output, form, values);
        }
    }

    /// <summary>All texts are users': none makes a tag. What is blank is left out.</summary>
    /// <param name="character">The name that fields say of their character, if they are one's.</param>
    public sealed class Builder(string tag, Piece? character = null)
    {
        private readonly List<Part> _parts = [];
        private readonly StringBuilder _shared = new($"<{tag}>\n");

        /// <summary>A text in which placeholders are not looked at: a name is what it is, since it is itself what they stand for.</summary>
        public void Verbatim(string tag, string? text) => Add(tag, "", text, null);

        public void Field(string tag, string? text, string attributes = "")
        {
            var template = text is not null && text.Contains('{', StringComparison.Ordinal) ? new Template(text, Author.Anyone) : null;
            Add(tag, attributes, text, character is null ? template : template?.Naming(character));
        }

        public Section Build()
        {
            Share(_shared.Append("</").Append(tag).Append('>'));
            return new Section([.. _parts]);
        }

        private void Add(string tag, string attributes, string? text, Template? filled)
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                return;
            }

            _shared.Append('<').Append(tag).Append(attributes).Append('>');
            if (filled is null)
            {
                _shared.Append(ProtectedTags.Escape(text));
            }
            else
            {
                Share(_shared);
                _parts.Add(new Part(null, filled));
            }

            _shared.Append("</").Append(tag).Append(">\n");
        }

        private void Share(StringBuilder text)
        {
            _parts.Add(new Part(new Piece(text.ToString()), null));
            text.Clear();
        }
    }
}
