using System.Text.Json;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Gateway.Auth;
using PersonaActors.Gateway.Http;
using PersonaActors.Gateway.Personalities;

namespace PersonaActors.Gateway.Prompts;

/// <summary>One pair: who, with whom. Without a user the caller's own.</summary>
public sealed record PromptPair(string? User, string? Personality, Guid? UserPersona, string? Channel, string? FocusMode, string? Mapper);

public sealed record PromptBatchBody(IReadOnlyList<PromptPair>? Pairs, string? Format, bool Explain = false);

/// <summary>Many prompts in one request: each is resolved on its own, and one that is refused doesn't take the others with it.</summary>
public static class PromptBatch
{
    public const int MaxPairs = 100;

    public static async Task Post(HttpContext http, PromptBatchBody body, ActingResolver who, PersonalityIndex index, IPromptDesk desk)
    {
        var (acting, refusal) = await who.Resolve(http);
        refusal ??= http.Request.Query.Keys.FirstOrDefault() is { } parameter ? PromptQuery.NotKnown(parameter) : null;
        refusal ??= body.Pairs is not { Count: > 0 and <= MaxPairs } ? Refusal.Invalid("pairs", $"'pairs' is a list of 1–{MaxPairs} pairs; {body.Pairs?.Count ?? 0} were given.") : null;
        refusal ??= body.Pairs!.Any(pair => pair is null) ? Refusal.Invalid("pairs", "A pair is an object.") : null;
        if (refusal is not null)
        {
            await Problems.Write(http, refusal);
            return;
        }

        var answers = new List<(PromptPair Pair, Outcome<PromptAnswer> Outcome)>(body.Pairs!.Count);
        foreach (var pair in body.Pairs)
        {
            answers.Add((pair, await Resolve(acting!, pair, body, who, index, desk, http.RequestAborted)));
        }

        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        await using var json = new Utf8JsonWriter(http.Response.BodyWriter, new JsonWriterOptions { Encoder = Wire.Json.Encoder });
        json.WriteStartObject();
        json.WriteStartArray("items");
        foreach (var (pair, outcome) in answers)
        {
            Write(json, pair, outcome, body.Format == "text");
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static async ValueTask<Outcome<PromptAnswer>> Resolve(
        Acting acting, PromptPair pair, PromptBatchBody body, ActingResolver who, PersonalityIndex index, IPromptDesk desk, CancellationToken cancel)
    {
        var (_, user, no) = await who.ActFor(acting, pair.User, mayBeNew: false, cancel);
        if (no is not null)
        {
            return no;
        }

        if ((pair.Personality is null) == (pair.UserPersona is null))
        {
            return Refusal.Invalid("personality", "A pair names either 'personality' or 'userPersona'.");
        }

        if ((pair.UserPersona ?? await index.Find(acting.Tenant, user, pair.Personality!, cancel)) is not { } speaker)
        {
            return Refusal.NotFound("personality");
        }

        var (request, refusal) = PromptQuery.Read(
            pair.UserPersona is null ? PromptSpeaker.Personality : PromptSpeaker.UserPersona, speaker,
            pair.Channel, pair.FocusMode, pair.Mapper, body.Format, body.Explain ? "true" : null);
        return refusal is not null
            ? refusal
            : await desk.Resolve(acting.Tenant, user, acting.Actor, request!, null, null);
    }

    private static void Write(Utf8JsonWriter json, PromptPair pair, Outcome<PromptAnswer> outcome, bool isText)
    {
        json.WriteStartObject();
        json.WriteString("user", pair.User);
        if (pair.Personality is not null)
        {
            json.WriteString("personality", pair.Personality);
        }
        else if (pair.UserPersona is { } userPersona)
        {
            json.WriteString("userPersona", userPersona);
        }

        if (outcome.Refusal is { } refusal)
        {
            json.WriteStartObject("problem");
            json.WriteNumber("status", Problems.Status(refusal.Kind));
            json.WriteString("code", refusal.Code);
            json.WriteString("detail", refusal.Detail);
            if (refusal.Field is not null)
            {
                json.WriteString("field", refusal.Field);
            }

            json.WriteEndObject();
        }
        else
        {
            json.WriteString("version", outcome.Value!.Version);
            json.WritePropertyName("prompt");
            if (isText)
            {
                json.WriteStringValue(outcome.Value.Body!.Value.Span);
            }
            else
            {
                json.WriteRawValue(outcome.Value.Body!.Value.Span, skipInputValidation: true);
            }
        }

        json.WriteEndObject();
    }
}
