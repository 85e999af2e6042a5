using System.Runtime;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Tokenizers;

namespace PersonaActors.Grains.Embeddings;

/// <summary>The packaged model with its tokenizer: tokens in, what it makes of all of them out. Not for two threads at once.</summary>
public sealed class SentenceEncoder : IDisposable
{
    public const int Width = 384;

    private static readonly string[] Outputs = ["last_hidden_state"];

    // What the model learnt to find answers by: without it a question finds what sounds like it.
    private const string Asking = "Represent this sentence for searching relevant passages: ";

    private readonly BertTokenizer _tokenizer;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly long[] _asking;

    private SentenceEncoder(BertTokenizer tokenizer, InferenceSession session)
    {
        _tokenizer = tokenizer;
        _session = session;
        _asking = [.. Ids(Asking)];
    }

    /// <param name="processors">How many of them it may use at once.</param>
    public static SentenceEncoder Load(int processors)
    {
        using var vocabulary = new MemoryStream(PackagedModel.Read(PackagedModel.Vocabulary));
        var tokenizer = BertTokenizer.Create(vocabulary);
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

    /// <summary>The tokens of a text, in windows of what the model reads at once, each between the marks of its beginning and end; of a question, each behind the words for asking.</summary>
    public IEnumerable<long[]> Windows(EmbeddingKind kind, string text)
    {
        var ids = Ids(Accents.Strip(text)).ToArray();
        return TextWindows.Of(ids.Length).Select(window =>
            (long[])[_tokenizer.ClassificationTokenId, .. kind == EmbeddingKind.Query ? _asking : [], .. ids[window], _tokenizer.SeparatorTokenId]);
    }

    private IEnumerable<long> Ids(string text) => _tokenizer.EncodeToIds(text, addSpecialTokens: false).Select(id => (long)id);

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
            // This model says all of a text at the mark of its beginning.
            vectors[i] = hidden.Slice(i * length * Width, Width).ToArray();
            Embedding.Normalize(vectors[i]);
        }

        return vectors;
    }

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }
}
