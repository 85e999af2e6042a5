using System.Numerics.Tensors;
using System.Runtime;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Tokenizers;

namespace PersonaActors.Grains.Embeddings;

/// <summary>The packaged model with its tokenizer: tokens in, the mean of what it makes of them out. Not for two threads at once.</summary>
public sealed class SentenceEncoder : IDisposable
{
    public const int Width = 384;

    private static readonly string[] Outputs = ["last_hidden_state"];

    private readonly BertTokenizer _tokenizer;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();

    private SentenceEncoder(BertTokenizer tokenizer, InferenceSession session)
    {
        _tokenizer = tokenizer;
        _session = session;
    }

    /// <param name="processors">How many of them it may use at once.</param>
    public static SentenceEncoder Load(int processors)
    {
        using var vocabulary = new MemoryStream(PackagedModel.Read(PackagedModel.Vocabulary));
        // The model was trained on text in lower case without accents.
        var tokenizer = BertTokenizer.Create(vocabulary, new BertOptions { LowerCaseBeforeTokenization = true, RemoveNonSpacingMarks = true });
        var session = Session(processors);
        // The weights' file, which the session has taken over, isn't left to the next full collection.
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect();
        return new SentenceEncoder(tokenizer, session);
    }

    private static InferenceSession Session(int processors)
    {
        // Without the arena what one long text needed is given back, at no measured cost.
        using var options = new SessionOptions { IntraOpNumThreads = processors, InterOpNumThreads = 1, EnableCpuMemArena = false };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        return new InferenceSession(PackagedModel.Read(PackagedModel.Weights), options);
    }

    /// <summary>The tokens of a text, in windows of what the model reads at once, each between the marks of its beginning and end.</summary>
    public IEnumerable<long[]> Windows(string text)
    {
        var ids = _tokenizer.EncodeToIds(text, addSpecialTokens: false);
        foreach (var window in TextWindows.Of(ids.Count))
        {
            var (start, length) = window.GetOffsetAndLength(ids.Count);
            yield return [_tokenizer.ClassificationTokenId, .. ids.Skip(start).Take(length).Select(id => (long)id), _tokenizer.SeparatorTokenId];
        }
    }

    /// <summary>All of one length: nothing is filled up, and each comes out as it would alone.</summary>
    public IReadOnlyList<float[]> Encode(IReadOnlyList<long[]> windows)
    {
        var (count, length) = (windows.Count, windows[0].Length);
        long[] shape = [count, length];
        var ones = new long[count * length];
        Array.Fill(ones, 1);
        using var ids = OrtValue.CreateTensorValueFromMemory(windows.SelectMany(window => window).ToArray(), shape);
        using var mask = OrtValue.CreateTensorValueFromMemory(ones, shape);
        using var types = OrtValue.CreateTensorValueFromMemory(new long[count * length], shape);
        using var results = _session.Run(_run, ["input_ids", "attention_mask", "token_type_ids"], [ids, mask, types], Outputs);
        var hidden = results[0].GetTensorDataAsSpan<float>();
        var vectors = new float[count][];
        for (var i = 0; i < count; i++)
        {
            var sum = new float[Width];
            for (var token = 0; token < length; token++)
            {
                TensorPrimitives.Add(sum, hidden.Slice(((i * length) + token) * Width, Width), sum);
            }

            Embedding.Normalize(sum);
            vectors[i] = sum;
        }

        return vectors;
    }

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }
}
