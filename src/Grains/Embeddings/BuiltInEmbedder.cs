using System.Numerics.Tensors;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace PersonaActors.Grains.Embeddings;

/// <summary>
/// The packaged model in this process, loaded when first used. Its work has a thread of its own and a bound of processors, so
/// that it takes nothing from requests but those; two bounded lanes, queries first, between whose batches a query waits for
/// one batch at most. What finds its lane full is told so.
/// </summary>
public sealed partial class BuiltInEmbedder : IEmbedder, IDisposable
{
    public const int LaneLength = 512;

    // About 100 ms of one processor: so long a query waits at most for what runs when it comes.
    private const int TokensOfBatch = 256;

    // So many texts are looked at for some of one length.
    private const int TextsInHand = 64;

    private readonly EmbeddingOptions _options;
    private readonly ILogger<BuiltInEmbedder> _log;
    private readonly Lane _queries = new(EmbeddingKind.Query);
    private readonly Lane _passages = new(EmbeddingKind.Passage);
    private readonly SemaphoreSlim _work = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lazy<Thread> _thread;

    public BuiltInEmbedder(EmbeddingOptions options, ILogger<BuiltInEmbedder> log)
    {
        _options = options;
        _log = log;
        _thread = new Lazy<Thread>(() =>
        {
            var thread = new Thread(Run) { Name = "encoder", IsBackground = true };
            thread.Start();
            return thread;
        });
    }

    public string Model => "snowflake-arctic-embed-xs";

    public SimilarityScale Scale => SimilarityScale.ArcticXs;

    public async Task<IReadOnlyList<float[]>> Embed(EmbeddingKind kind, IReadOnlyList<string> texts, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
        _ = _thread.Value;
        var lane = kind == EmbeddingKind.Query ? _queries : _passages;
        var given = new List<Pending>(texts.Count);
        foreach (var text in texts)
        {
            var pending = new Pending(text, cancel);
            if (!lane.Texts.Writer.TryWrite(pending))
            {
                given.ForEach(one => one.Fail(new OperationCanceledException()));
                throw new EmbedderUnavailableException($"{LaneLength} texts wait to be embedded: that is the most.");
            }

            given.Add(pending);
            _work.Release();
        }

        return await Task.WhenAll(given.Select(pending => pending.Task)).WaitAsync(cancel);
    }

    private void Run()
    {
        SentenceEncoder? encoder = null;
        try
        {
            while (true)
            {
                if (!_queries.HasWork && !_passages.HasWork)
                {
                    _work.Wait(_stop.Token);
                    continue;
                }

                _stop.Token.ThrowIfCancellationRequested();
                var lane = _queries.HasWork ? _queries : _passages;
                try
                {
                    encoder ??= SentenceEncoder.Load(_options.Processors);
                    lane.Step(encoder);
                }
                catch (Exception e)
                {
                    // Whatever it was, who waits is told, and the next text is tried anew.
                    LogFailed(e);
                    lane.Fail(new EmbedderUnavailableException("The built-in encoder failed.", e));
                }
            }
        }
        catch (OperationCanceledException)
        {
            _queries.Fail(new EmbedderUnavailableException("The node ends."));
            _passages.Fail(new EmbedderUnavailableException("The node ends."));
        }
        finally
        {
            encoder?.Dispose();
        }
    }

    [LoggerMessage(LogLevel.Warning, "The built-in encoder failed")]
    private partial void LogFailed(Exception e);

    public void Dispose()
    {
        _stop.Cancel();
        if (_thread.IsValueCreated)
        {
            _thread.Value.Join();
        }

        _stop.Dispose();
        _work.Dispose();
    }

    /// <summary>Texts that wait, and the windows of those in hand.</summary>
    private sealed class Lane(EmbeddingKind kind)
    {
        private readonly List<(Pending Text, long[] Tokens)> _windows = [];

        public Channel<Pending> Texts { get; } = Channel.CreateBounded<Pending>(LaneLength);

        public bool HasWork => _windows.Count > 0 || Texts.Reader.TryPeek(out _);

        /// <summary>One batch: the first window there is, and others of its length.</summary>
        public void Step(SentenceEncoder encoder)
        {
            for (var texts = _windows.Select(window => window.Text).Distinct().Count(); texts < TextsInHand && Texts.Reader.TryRead(out var text); texts++)
            {
                if (text.IsWanted)
                {
                    var windows = encoder.Windows(kind, text.Text).ToList();
                    text.Expect(windows.Count);
                    _windows.AddRange(windows.Select(window => (text, window)));
                }
            }

            _windows.RemoveAll(window => !window.Text.IsWanted);
            if (_windows.Count == 0)
            {
                return;
            }

            var length = _windows[0].Tokens.Length;
            var batch = _windows.Where(window => window.Tokens.Length == length).Take(Math.Max(1, TokensOfBatch / length)).ToList();
            var vectors = encoder.Encode([.. batch.Select(window => window.Tokens)]);
            _windows.RemoveAll(batch.Contains);
            for (var i = 0; i < batch.Count; i++)
            {
                batch[i].Text.Add(vectors[i]);
            }
        }

        public void Fail(Exception why)
        {
            _windows.ForEach(window => window.Text.Fail(why));
            _windows.Clear();
            while (Texts.Reader.TryRead(out var text))
            {
                text.Fail(why);
            }
        }
    }

    private sealed class Pending(string text, CancellationToken cancel)
    {
        private readonly TaskCompletionSource<float[]> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly float[] _sum = new float[SentenceEncoder.Width];
        private int _expected;

        public string Text => text;

        public Task<float[]> Task => _done.Task;

        public bool IsWanted => !cancel.IsCancellationRequested && !_done.Task.IsCompleted;

        public void Expect(int windows) => _expected = windows;

        public void Add(float[] window)
        {
            TensorPrimitives.Add(_sum, window, _sum);
            if (--_expected == 0)
            {
                _done.TrySetResult(Embedding.Fit(_sum));
            }
        }

        public void Fail(Exception why) => _done.TrySetException(why);
    }
}
