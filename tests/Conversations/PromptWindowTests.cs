using PersonaActors.Contracts.Conversations;
using PersonaActors.Contracts.Prompts;
using PersonaActors.Grains.Conversations;
using PersonaActors.Grains.Texts;

namespace PersonaActors.Tests.Conversations;

/// <summary>Which messages a prompt carries.</summary>
public sealed class PromptWindowTests
{
    private static readonly DateTimeOffset Start = new(2031, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static MessageView Message(long number, int tokens = 10, Guid? personality = null) => new(
        number, $"{number}", MessageRole.User, $"message {number}", tokens, personality, null, null, null, null, Start.AddMinutes(number), null);

    private static long[] Of(IReadOnlyList<MessageView> newest, int most, DateTimeOffset? since = null, int? tokens = null) =>
        [.. PromptWindow.Of(newest.Select(message => new Said(message)).ToArray(), most, since ?? DateTimeOffset.MinValue, tokens).Select(said => said.Message.Number)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(20)]
    [InlineData(50)]
    [InlineData(100)]
    public void The_front_moves_in_steps_and_never_back(int most)
    {
        var said = new List<MessageView>();
        var (front, moves, fewest) = (1L, 0, most);
        for (var number = 1; number <= 1000; number++)
        {
            said.Add(Message(number));
            var window = Of(said, most);
            Assert.True(window.Length <= most);
            Assert.Equal(number, window[^1]);
            Assert.Equal(Enumerable.Range((int)window[0], window.Length).Select(n => (long)n), window);
            Assert.True(window[0] >= front, $"from {front} to {window[0]}");
            moves += window[0] > front ? 1 : 0;
            fewest = number > most ? Math.Min(fewest, window.Length) : fewest;
            front = window[0];
        }

        // A quarter at a time, as a power of two.
        var step = most switch { < 8 => 1, 20 => 4, 50 => 8, _ => 16 };
        Assert.InRange(moves, (1000 - most) / step - 1, (1000 - most) / step + 1);
        Assert.Equal(most - step + 1, fewest);
    }

    [Fact]
    public void The_front_of_a_conversation_among_others_moves_in_steps_too()
    {
        var random = new Random(7);
        var (mine, said) = (Guid.NewGuid(), new List<MessageView>());
        var (front, moves, turns) = (0L, 0, 0);
        for (var number = 1; number <= 4000; number++)
        {
            if (random.Next(5) > 0)
            {
                continue;
            }

            turns++;
            said.Add(Message(number, personality: mine));
            var window = Of(said, 40);
            Assert.True(window[0] >= front);
            moves += window[0] > front ? 1 : 0;
            front = window[0];
            Assert.True(window.Length >= Math.Min(turns, 30));
        }

        Assert.InRange(moves, 10, turns / 3);
    }

    [Fact]
    public void Tokens_and_age_end_it_sooner()
    {
        var said = Enumerable.Range(1, 40).Select(number => Message(number)).ToArray();
        Assert.Equal(40, Of(said, 100).Length);
        Assert.Equal([39, 40], Of(said, 100, tokens: 2 * 14));
        Assert.Equal([40], Of(said, 100, tokens: (2 * 14) - 1));
        Assert.Empty(Of(said, 100, tokens: 13));
        Assert.Empty(Of(said, 100, tokens: 0));
        Assert.Equal([38, 39, 40], Of(said, 100, since: Start.AddMinutes(38)));
        Assert.Empty(Of(said, 100, since: Start.AddMinutes(41)));
        Assert.Empty(Of([], 100));
        // One that is too long by itself keeps those before it out too: what is left out is the front.
        Assert.Empty(Of([Message(1), Message(2, tokens: 1000)], 10, tokens: 500));
    }

    [Fact]
    public void The_live_window_is_bounded_and_cut_at_fixed_numbers()
    {
        var window = LiveWindow.Empty;
        for (var number = 1; number <= 1000; number++)
        {
            window = window.With(Message(number));
            Assert.InRange(window.Messages.Count, Math.Min(number, LiveWindow.Most - LiveWindow.Step), LiveWindow.Most);
            Assert.Equal(0, window.From % LiveWindow.Step);
            Assert.Equal(window.From + 1, window.Messages[0].Number);
            var loaded = LiveWindow.Of(Enumerable.Range(1, number).TakeLast(LiveWindow.Most).Select(n => Message(n)).ToList(), number);
            Assert.Equal((window.From, window.Messages), (loaded.From, loaded.Messages));
        }

        Assert.True(LiveWindow.Empty.With(Message(1)).IsWhole);
        Assert.False(window.IsWhole);
        var long_ = LiveWindow.Empty;
        for (var number = 1; number <= 256; number++)
        {
            long_ = long_.With(Message(number) with { Content = new string('x', 32_000) });
        }

        Assert.InRange(long_.Messages.Count, 1, (2 * LiveWindow.Step) + 1);
        Assert.Equal(256, long_.Messages[^1].Number);
    }

    [Fact]
    public void Of_one_conversation_the_newest_are_those_of_its_own_and_those_to_nobody()
    {
        var (lila, other) = (Guid.NewGuid(), Guid.NewGuid());
        var channel = new PreparedChannel(new ChannelSide(
            SettingsTier.Empty, [Message(1, personality: lila), Message(2, personality: other), Message(3), Message(4, personality: lila)], []));
        Assert.Equal([1, 3, 4], channel.Last(lila, 10, default).Select(said => said.Message.Number));
        Assert.Equal([3, 4], channel.Last(lila, 2, default).Select(said => said.Message.Number));
        Assert.Equal([2, 3], channel.Last(other, 10, default).Select(said => said.Message.Number));
        Assert.Equal([1, 2, 3, 4], channel.Last(null, 10, default).Select(said => said.Message.Number));
        Assert.Equal([3, 4], channel.Last(null, 10, Start.AddMinutes(3)).Select(said => said.Message.Number));
    }

    [Fact]
    public void Tokens_are_counted_quickly_whatever_the_text_is()
    {
        Assert.Equal(2, TokenCount.Of("Good evening"));
        var random = new Random(1);
        foreach (var text in (string[])
        [
            new('a', 32_000), new('\u4e00', 32_000), string.Concat(Enumerable.Repeat("\U0001F600", 16_000)), new(' ', 32_000),
            string.Concat(Enumerable.Range(0, 32_000).Select(_ => (char)random.Next('a', 'z'))), string.Concat(Enumerable.Range(0, 32_000).Select(_ => (char)random.Next(0x4e00, 0x9fff))),
        ])
        {
            // Others are at work on the machine: the best of five is the text's own time.
            var best = Enumerable.Range(0, 5).Min(_ =>
            {
                var since = TimeProvider.System.GetTimestamp();
                Assert.InRange(TokenCount.Of(text), 1, text.Length * 3);
                return TimeProvider.System.GetElapsedTime(since);
            });
            Assert.True(best < TimeSpan.FromSeconds(1), $"{best.TotalMilliseconds:N0} ms for {text[..4]}…");
        }
    }
}
