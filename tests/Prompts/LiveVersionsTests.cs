using System.Net;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Catalogue;
using PersonaActors.Contracts.Focus;
using PersonaActors.Contracts.Personalities;
using PersonaActors.Contracts.Personas;
using PersonaActors.Contracts.Tenants;
using PersonaActors.Contracts.UserPersonas;
using PersonaActors.Grains;
using PersonaActors.Tests.Harness;

namespace PersonaActors.Tests.Prompts;

public sealed class LiveVersionsTests : IAsyncLifetime
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(20);

    private readonly FakeClock _clock = new();
    private TestDatabase _database = null!;
    private Node _node = null!;
    private ApiClient _service = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.Create();
        _node = await Node.Start(_database, _clock);
        _service = _node.Client(await _node.ServiceKey());
    }

    public async Task DisposeAsync()
    {
        _service.Dispose();
        await _node.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public void A_version_is_found_from_the_grains_coming_to_its_leaving()
    {
        var versions = new LiveVersions(alone: true);
        var first = versions.Begin<IPersonaGrain>("1", 3);
        Assert.Equal(3, versions.Find<IPersonaGrain>("1")!.Value);
        first.Value = 4;
        Assert.Equal(4, versions.Find<IPersonaGrain>("1")!.Value);
        Assert.Null(versions.Find<IPersonaGrain>("2"));
        Assert.Null(versions.Find<IUserPersonaGrain>("1"));

        var second = versions.Begin<IPersonaGrain>("1", 5);
        versions.End<IPersonaGrain>("1", first);
        Assert.Equal(LiveVersion.Gone, first.Value);
        Assert.Same(second, versions.Find<IPersonaGrain>("1"));
        versions.End<IPersonaGrain>("1", second);
        Assert.Null(versions.Find<IPersonaGrain>("1"));
    }

    [Fact]
    public void Where_other_processes_have_grains_none_is_found()
    {
        var versions = new LiveVersions(alone: false);
        versions.Begin<IPersonaGrain>("1", 3);
        Assert.Null(versions.Find<IPersonaGrain>("1"));
    }

    [Fact]
    public async Task A_grain_whose_version_is_only_read_stays_and_one_that_left_is_asked()
    {
        var versions = _node.Services.GetRequiredService<LiveVersions>();
        var ana = await _service.Register("Ana");
        var slug = PromptRoom.NewSlug();
        var personality = (await _service.Post("/v1/personalities", new { name = "Lila", slug, characterInfo = "calm", personalityTraits = "calm" }, ("X-Persona-User", $"{ana}"))).Should(HttpStatusCode.Created).Id;
        var persona = Guid.Parse((string)(await _service.Get($"/v1/users/{ana}")).Should(HttpStatusCode.OK).Json["defaultPersonaId"]!);
        var tenant = _node.Demo;
        Func<LiveVersion?>[] asked =
        [
            () => versions.Find<IPersonaGrain>(new OwnedKey(tenant, ana, persona).ToKey()),
            () => versions.Find<IPersonalityGrain>(new TenantScopedKey(tenant, personality).ToKey()),
            () => versions.Find<ITenantGrain>(new TenantKey(tenant).ToKey()),
            () => versions.Find<ICatalogueGrain>(new TenantKey(tenant).ToKey()),
            () => versions.Find<ICompanionGrain>(new TenantScopedKey(tenant, ana).ToKey()),
        ];
        async Task<string> Text() => (await _service.Prompt(slug, $"?user={ana}")).Text();

        await Text();
        LiveVersion[] seen = [.. asked.Select(find => find()!)];
        Assert.DoesNotContain(null, seen);
        for (var passed = TimeSpan.Zero; passed < 2 * Idle; passed += TimeSpan.FromSeconds(30))
        {
            _clock.Advance(TimeSpan.FromSeconds(30));
            await Text();
        }

        Assert.All(asked.Zip(seen), pair => Assert.Same(pair.Second, pair.First()));

        _clock.Advance(Idle);
        await Eventually.True("all of them left", () => Task.FromResult(seen.All(version => version.Value == LiveVersion.Gone)));
        (await _service.Patch($"/v1/personas/{persona}", new { content = "I am back." }, ("X-Persona-User", $"{ana}"))).Should(HttpStatusCode.OK);
        Assert.Contains("I am back.", await Text(), StringComparison.Ordinal);
        Assert.DoesNotContain(asked, find => find() is null);
    }
}
