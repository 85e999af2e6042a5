using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.TestingHost;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Presence;
using PersonaActors.Gateway.Realtime;

namespace PersonaActors.Tests.Realtime;

/// <summary>Who is online, as two gateways of a cluster of two silos tell it. Gateways and silos have a clock each.</summary>
public sealed class PresenceTests : IAsyncLifetime
{
    private const string Place = "personality:p";
    private static readonly Guid Tenant = Guid.NewGuid();
    private static readonly Guid Ada = Guid.NewGuid();
    private static readonly Guid Bob = Guid.NewGuid();

    private readonly FakeTimeProvider _silos = FakeTime.Start();
    private readonly FakeTimeProvider _gateways = FakeTime.Start();
    private InProcessTestCluster _cluster = null!;
    private Gateway _here = null!;
    private Gateway _there = null!;

    private IPresenceGrain Grain => _cluster.Client.GetGrain<IPresenceGrain>(new PlaceKey(Tenant, Place).ToKey());

    /// <summary>What a client is told.</summary>
    private sealed record Shown(string Version, PresenceChange Last, PresentUser[] Online);

    /// <summary>A gateway at which somebody listens to who is at the place.</summary>
    private sealed class Gateway(IGrainFactory grains, TimeProvider time) : IAsyncDisposable
    {
        private readonly Presence _presence = new(grains, new Clock(time), NullLogger<Presence>.Instance);
        private readonly List<Shown> _views = [];

        public IReadOnlyList<Shown> Views
        {
            get
            {
                lock (_views)
                {
                    return [.. _views];
                }
            }
        }

        public async Task Start()
        {
            var derived = _presence.ToStreamKind(static (_, _) => ValueTask.FromResult(true)).Derived!;
            await _presence.StartAsync(CancellationToken.None);
            derived.Follow(Tenant, Place, () => _ = Read(derived));
        }

        public IDisposable Come(Guid user) => _presence.Come(Tenant, Place, user);

        /// <summary>As if its process had ended: it says nothing more.</summary>
        public async ValueTask DisposeAsync()
        {
            await _presence.StopAsync(CancellationToken.None);
            _presence.Dispose();
        }

        private async Task Read(Derivation derived)
        {
            var state = await derived.Read(Tenant, Place);
            lock (_views)
            {
                _views.Add(state!.Data.Read<Shown>() with { Version = state.Version });
            }
        }
    }

    public async Task InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(2);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddSingleton(new Clock(_silos));
            // Other tests' grains stay for two seconds only.
            silo.Services.Configure<GrainCollectionOptions>(options => options.CollectionQuantum = TimeSpan.FromSeconds(1));
            silo.Services.Configure<ClusterMembershipOptions>(membership =>
            {
                membership.ProbeTimeout = TimeSpan.FromSeconds(1);
                membership.NumVotesForDeathDeclaration = 1;
            });
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
        (_here, _there) = (new Gateway(_cluster.Client, _gateways), new Gateway(_cluster.Client, _gateways));
        await _here.Start();
        await _there.Start();
    }

    public async Task DisposeAsync()
    {
        await _here.DisposeAsync();
        await _there.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Who_comes_at_one_gateway_is_seen_at_the_other_and_leaves_fifteen_seconds_after_the_last_connection()
    {
        var phone = _here.Come(Ada);
        await Seen(Ada);
        var laptop = _there.Come(Ada);
        await Known((Ada, 2));
        phone.Dispose();
        await Known((Ada, 1));
        laptop.Dispose();
        await Known((Ada, 0));

        _silos.Advance(TimeSpan.FromSeconds(14));
        await Known((Ada, 0));
        _silos.Advance(TimeSpan.FromSeconds(1));
        Renew();
        await Seen();
        Assert.Equal(Ada, _here.Views[^1].Last.Left);
    }

    [Fact]
    public async Task Who_was_at_a_gateway_that_died_leaves_or_stays_if_they_came_back_at_another()
    {
        _there.Come(Ada);
        _there.Come(Bob);
        await Seen(Ada, Bob);

        await _there.DisposeAsync();
        _silos.Advance(TimeSpan.FromSeconds(10));
        _here.Come(Ada);
        await Known((Ada, 2), (Bob, 1));
        _silos.Advance(TimeSpan.FromSeconds(5));
        Renew();
        await Known((Ada, 1));
        await Eventually.True("the living gateway has seen Bob leave", () => Task.FromResult(_here.Views[^1].Last.Left == Bob));
    }

    [Fact]
    public async Task When_the_silo_of_a_place_dies_the_gateways_tell_another_and_nobody_seems_to_leave()
    {
        _here.Come(Ada);
        _there.Come(Bob);
        await Seen(Ada, Bob);
        var before = (await Grain.Who()).Version;
        var seen = _here.Views.Count;

        var silo = await _cluster.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(Grain);
        await _cluster.KillSiloAsync(_cluster.Silos.Single(one => one.SiloAddress.Equals(silo)));

        await Eventually.True("both gateways see both by another activation", () =>
        {
            Renew();
            return Task.FromResult(new[] { _here, _there }.All(gateway => gateway.Views[^1] is var view && !view.Version.StartsWith(before.Activation, StringComparison.Ordinal) && Same(view, Ada, Bob)));
        }, TimeSpan.FromSeconds(60));
        Assert.All(_here.Views.Skip(seen), view => Assert.True(Same(view, Ada, Bob)));
    }

    /// <summary>The gateways tell again what they have.</summary>
    private void Renew() => _gateways.Advance(TimeSpan.FromSeconds(3));

    private static bool Same(Shown view, params Guid[] users) => view.Online.Select(user => user.User).Order().SequenceEqual(users.Order());

    private Task Seen(params Guid[] users) => Eventually.True($"both gateways see {users.Length}",
        () => Task.FromResult(new[] { _here, _there }.All(gateway => gateway.Views is [.., var view] && Same(view, users))));

    private Task Known(params (Guid User, int Connections)[] users) => Eventually.True($"the grain knows {string.Join(", ", users)}",
        async () => (await Grain.Who()).Online.Select(user => (user.User, user.Connections)).Order().SequenceEqual(users.Order()));
}
