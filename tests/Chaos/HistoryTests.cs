namespace PersonaActors.Tests.Chaos;

/// <summary>That the checkers see what they are for.</summary>
public sealed class HistoryTests
{
    [Fact]
    public void What_overlaps_may_be_read_before_or_after()
    {
        var history = new History("it");
        history.Wrote(10, 20);
        history.Wrote(30, 40);
        history.Read(0, 12, 15);
        history.Read(1, 13, 19);
        history.Read(1, 25, 28);
        history.Read(2, 31, 33);
        history.Read(2, 45, 46);
        Assert.Empty(history.Violations());
    }

    [Theory]
    [InlineData(0, 21, 25, "after 1 was acknowledged")]
    [InlineData(1, 41, 45, "after 2 was acknowledged")]
    [InlineData(2, 22, 29, "before it was written")]
    [InlineData(3, 50, 60, "before it was written")]
    public void A_read_of_the_past_or_the_future_is_seen(long value, long start, long end, string seen)
    {
        var history = new History("it");
        history.Wrote(10, 20);
        history.Wrote(30, 40);
        history.Read(value, start, end);
        Assert.Contains(seen, Assert.Single(history.Violations()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_read_that_goes_back_is_seen_also_before_the_write_is_acknowledged()
    {
        var history = new History("it");
        history.Wrote(10, 90);
        history.Read(1, 20, 30);
        history.Read(0, 31, 40);
        Assert.Contains("after 1 had been", Assert.Single(history.Violations()), StringComparison.Ordinal);
    }

    [Fact]
    public void Holes_repeats_and_losses_of_a_stream_are_seen()
    {
        Assert.Empty(Told((1, null), (2, 1), (3, 2)).Violations(2));
        Assert.Contains("event 4 came after 2", Assert.Single(Told((1, null), (2, 1), (4, 2)).Violations(2)), StringComparison.Ordinal);
        Assert.Contains("event 2 came after 2", string.Join('\n', Told((1, null), (2, 1), (2, 1)).Violations(1)), StringComparison.Ordinal);
        Assert.Contains("write 1 was told after 1", string.Join('\n', Told((1, null), (2, 1), (3, 1)).Violations(1)), StringComparison.Ordinal);
        Assert.Contains("the last that was told is 1", Assert.Single(Told((1, null), (2, 1)).Violations(2)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tick_that_is_lost_and_one_that_came_twice_are_seen()
    {
        var (lost, twice) = (Guid.NewGuid(), Guid.NewGuid());
        Assert.Equal(
            [$"session {lost}: its first tick ran 0 times", $"session {twice}: its first tick ran 2 times"],
            Ticks.Violations([(Guid.NewGuid(), 1), (lost, 0), (twice, 2)]));
    }

    private static Heard Told(params (long Seq, long? Value)[] events)
    {
        var heard = new Heard("somebody");
        foreach (var (seq, value) in events)
        {
            heard.Event(seq, value);
        }

        return heard;
    }
}
