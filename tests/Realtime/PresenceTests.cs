using Microsoft.Extensions.Time.Testing;
using PersonaActors.Gateway.Realtime;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Realtime;

/// <summary>Who is online where several gateways serve one database: the rules by themselves, on a wire and a clock of the test.</summary>
public sealed class PresenceTests
{
    private static readonly Guid Tenant = Guid.NewGuid();
    private static readonly Guid Ada = Guid.NewGuid();
    private const string Place = "personality:p";

    private readonly FakeTimeProvider _clock = FakeTime.Start();
    private readonly List<Gateway> _gateways = [];

    private sealed class Gateway(TimeProvider time)
    {
        public Presence Presence { get; } = new(new Clock(time)) { Told = static () => { } };

        public bool Hears { get; set; } = true;

        public bool Lives { get; set; } = true;

        /// <summary>Its process stands still: what it hears waits.</summary>
        public bool Frozen { get; set; }

        public List<string> Waiting { get; } = [];

        public IReadOnlyList<PresentUser> Online => Presence.Who(Tenant, Place);
    }

    private Gateway Start()
    {
        var gateway = new Gateway(_clock);
        _gateways.Add(gateway);
        gateway.Presence.Listening();
        return gateway;
    }

    /// <summary>Everybody says what there is to say, until nobody has anything.</summary>
    private void Talk()
    {
        bool said;
        do
        {
            said = false;
            foreach (var speaker in _gateways.Where(gateway => gateway is { Lives: true, Frozen: false }))
            {
                var news = string.Join('\n', speaker.Presence.TakeNews());
                said |= news.Length > 0;
                foreach (var listener in _gateways.Where(gateway => gateway is { Lives: true, Hears: true }))
                {
                    listener.Waiting.Add(news);
                    if (!listener.Frozen)
                    {
                        listener.Waiting.ForEach(listener.Presence.Hear);
                        listener.Waiting.Clear();
                    }
                }
            }
        }
        while (said);
    }

    private void Pass(int seconds)
    {
        for (; seconds > 0; seconds--)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            foreach (var gateway in _gateways.Where(gateway => gateway is { Lives: true, Frozen: false }))
            {
                gateway.Presence.Beat();
            }

            Talk();
        }
    }

    [Fact]
    public void Who_is_at_one_gateway_is_seen_at_all_and_leaves_all_fifteen_seconds_after_the_last_connection()
    {
        var (here, there) = (Start(), Start());
        var since = _clock.GetUtcNow();
        var phone = here.Presence.Come(Tenant, Place, Ada);
        _clock.Advance(TimeSpan.FromSeconds(5));
        var laptop = there.Presence.Come(Tenant, Place, Ada);
        Talk();
        Assert.Equal((Ada, 2), Assert.Single(here.Online) is var seen ? (seen.User, seen.Connections) : default);
        Assert.InRange(there.Online[0].Since, since.AddMilliseconds(-1), since);

        phone.Dispose();
        Pass(60);
        Assert.Equal([1, 1], _gateways.Select(gateway => Assert.Single(gateway.Online).Connections));

        laptop.Dispose();
        Pass(14);
        Assert.Equal([0, 0], _gateways.Select(gateway => Assert.Single(gateway.Online).Connections));
        Pass(1);
        Assert.Empty(here.Online);
        Assert.Empty(there.Online);
    }

    [Fact]
    public void Who_was_at_a_gateway_that_died_leaves_or_is_there_still_if_they_came_back_elsewhere()
    {
        var (dying, living) = (Start(), Start());
        var bob = Guid.NewGuid();
        var since = _clock.GetUtcNow();
        dying.Presence.Come(Tenant, Place, Ada);
        dying.Presence.Come(Tenant, Place, bob);
        Talk();

        dying.Lives = false;
        Pass(5);
        living.Presence.Come(Tenant, Place, Ada);
        Pass(8);
        Assert.Equal(2, living.Online.Count);
        Pass(5);
        var ada = Assert.Single(living.Online);
        Assert.Equal((Ada, 1), (ada.User, ada.Connections));
        Assert.InRange(ada.Since, since.AddMilliseconds(-1), since);
    }

    [Fact]
    public void A_gateway_that_stood_still_for_a_while_is_right_again_when_it_goes_on()
    {
        var (frozen, other) = (Start(), Start());
        var (bob, eve) = (Guid.NewGuid(), Guid.NewGuid());
        frozen.Presence.Come(Tenant, Place, Ada);
        var stay = other.Presence.Come(Tenant, Place, bob);
        Pass(3);

        frozen.Frozen = true;
        stay.Dispose();
        other.Presence.Come(Tenant, Place, eve);
        Pass(40);
        Assert.Equal(eve, Assert.Single(other.Online).User);

        frozen.Frozen = false;
        Pass(2);
        foreach (var gateway in _gateways)
        {
            Assert.Equal(new[] { Ada, eve }.Order(), gateway.Online.Select(user => user.User).Order());
        }
    }

    [Fact]
    public void A_gateway_that_starts_is_told_everything()
    {
        var first = Start();
        first.Presence.Come(Tenant, Place, Ada);
        Pass(30);
        var second = Start();
        Talk();
        Assert.Equal(first.Online[0].User, Assert.Single(second.Online).User);
    }

    [Fact]
    public void A_gateway_that_hears_nothing_sends_nobody_away_and_is_right_again_when_it_hears()
    {
        var (deaf, other, dying) = (Start(), Start(), Start());
        var (bob, eve, late) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        other.Presence.Come(Tenant, Place, Ada);
        var stay = other.Presence.Come(Tenant, Place, bob);
        dying.Presence.Come(Tenant, Place, eve);
        Pass(3);

        deaf.Hears = false;
        stay.Dispose();
        dying.Lives = false;
        other.Presence.Come(Tenant, Place, late);
        Pass(120);
        Assert.Equal(new[] { Ada, bob, eve }.Order(), deaf.Online.Select(user => user.User).Order());

        deaf.Hears = true;
        deaf.Presence.Listening();
        Talk();
        Assert.Equal(new[] { Ada, eve, late }.Order(), deaf.Online.Select(user => user.User).Order());
        Pass(20);
        Assert.Equal(new[] { Ada, late }.Order(), deaf.Online.Select(user => user.User).Order());
    }

    [Fact]
    public void What_could_not_be_told_is_told_with_everything_else_later()
    {
        var (here, there) = (Start(), Start());
        Talk();
        here.Presence.Come(Tenant, Place, Ada);
        here.Presence.TakeNews();
        here.Presence.NotTold();
        Talk();
        Assert.Equal(Ada, Assert.Single(there.Online).User);
    }

    [Fact]
    public Task Whatever_happens_in_the_end_all_gateways_agree_on_who_has_a_connection() => Seeded.Run(random =>
    {
        for (var world = 0; world < 50; world++)
        {
            _gateways.Clear();
            var users = Enumerable.Range(0, 4).Select(_ => Guid.NewGuid()).ToArray();
            var stays = new List<(Gateway At, Guid User, IDisposable Stay)>();
            Start();
            for (var step = 0; step < 200; step++)
            {
                var living = _gateways.Where(gateway => gateway.Lives).ToArray();
                var one = living[random.Next(living.Length)];
                switch (random.Next(10))
                {
                    case 0 when living.Length < 4:
                        Start();
                        break;
                    case 1 when living.Length > 1:
                        one.Lives = false;
                        stays.RemoveAll(stay => stay.At == one);
                        break;
                    case 2:
                        one.Hears = false;
                        break;
                    case 3:
                        one.Hears = true;
                        one.Presence.Listening();
                        break;
                    case 4:
                        one.Presence.TakeNews();
                        one.Presence.NotTold();
                        break;
                    case 5 when stays.Count > 0:
                        var gone = stays[random.Next(stays.Count)];
                        gone.Stay.Dispose();
                        stays.Remove(gone);
                        break;
                    case 6 or 7:
                        var user = users[random.Next(users.Length)];
                        stays.Add((one, user, one.Presence.Come(Tenant, Place, user)));
                        break;
                    case 8:
                        one.Frozen = random.Next(3) == 0;
                        Pass(random.Next(1, 20));
                        one.Frozen = false;
                        break;
                    default:
                        Talk();
                        break;
                }
            }

            foreach (var deaf in _gateways.Where(gateway => gateway is { Lives: true, Hears: false }))
            {
                deaf.Hears = true;
                deaf.Presence.Listening();
            }

            Pass(35);
            var expected = stays.GroupBy(stay => stay.User).Select(group => (group.Key, group.Count())).Order().ToList();
            foreach (var gateway in _gateways.Where(gateway => gateway.Lives))
            {
                Assert.Equal(expected, gateway.Online.Select(online => (online.User, online.Connections)).Order());
            }
        }

        return Task.CompletedTask;
    });
}
