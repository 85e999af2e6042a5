namespace PersonaActors.Grains.Cards;

/// <summary>Why a file is no card that could be taken in.</summary>
public static class CardRefusals
{
    private const string InvalidCard = "invalid_card";

    public static readonly Refusal NotUtf8 = new(RefusalKind.Invalid, "card_not_utf8", "The card isn't in UTF-8.");

    public static readonly Refusal TooLarge = new(RefusalKind.Invalid, "card_too_large", $"A card has at most {Card.MaxSize / 1024 / 1024} MiB of JSON.");

    public static readonly Refusal NotInPng = new(RefusalKind.Invalid, "png_without_card", "The picture carries no card: it has no tEXt chunk 'ccv3' or 'chara' in base64.");

    public static readonly Refusal NotInArchive = new(RefusalKind.Invalid, "charx_without_card", "The archive has no card.json.");

    public static readonly Refusal Bomb = new(RefusalKind.Invalid, "zip_bomb", $"The archive unpacks to more than {CharxFile.MaxUnpacked / 1024 / 1024} MiB, or has more than {CharxFile.MaxEntries:N0} files.");

    public static Refusal Invalid(string detail, string? field = null) => new(RefusalKind.Invalid, InvalidCard, detail, field);

    public static Refusal BrokenPng(string why) => new(RefusalKind.Invalid, "png_broken", $"The picture is broken. {why}");

    public static readonly Refusal BrokenArchive = new(RefusalKind.Invalid, "zip_broken", "The archive is broken.");
}
