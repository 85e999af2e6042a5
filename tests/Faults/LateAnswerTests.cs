using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PersonaActors.Contracts;
using PersonaActors.Contracts.Events;
using PersonaActors.Gateway.Http;
using PersonaActors.Grains.Focus;
using PersonaActors.Storage;
using Sql = PersonaActors.Tests.Harness.Sql;

namespace PersonaActors.Tests.Faults;

/// <summary>
/// Between a commit and the moment its grain hears of it, what was committed is there for everybody else: what follows from
/// it may begin, and must not be decided by what the grain still has in memory.
/// </summary>
public sealed class LateAnswerTests(CutRoom room) : IClassFixture<CutRoom>
{
    [Fact]
    public async Task A_session_that_ended_by_itself_counts_though_its_grain_hears_late_of_it()
    {
        using var scene = await CutScene.Set(room);
        var session = await scene.NewSession(new { mode = "countdown", estimatedMinutes = 25 });
        room.Clock.Advance(TimeSpan.FromMinutes(26));
        var late = room.Proxy.Arm(CutAt.Held, new Regex("focus.ended"));
        var woken = room.Node.Services.GetRequiredService<FocusSweep>().WakeDue(CancellationToken.None);
        await Followed(late, scene, SessionEndedTask.Kind);
        late.Let();
        await woken;
        Assert.Equal("ended", (string)(await scene.Do(scene.Ada.Get($"/v1/focus/sessions/{session}"))).Json["state"]!);
        var memories = (await scene.Do(scene.Ada.Get($"/v1/people/{scene.AdaId}/memories"))).Json["items"]!.AsArray();
        Assert.Equal(session, Guid.Parse((string)Assert.Single(memories)!["sessionId"]!));
    }

    [Fact]
    public async Task Who_is_no_longer_active_has_no_session_though_their_grain_hears_late_of_it()
    {
        using var scene = await CutScene.Set(room);
        var session = await scene.NewSession();
        var late = room.Proxy.Arm(CutAt.Held, new Regex("focus.end-live"));
        var patched = scene.Admin.Patch($"/v1/users/{scene.AdaId}", new { isActive = false });
        await Followed(late, scene, EndLiveSession.Kind);
        late.Let();
        (await patched).Should(HttpStatusCode.OK);
        Assert.Equal("ended", await Sql.Ask<string>(room.Superuser, $"SELECT status FROM focus_sessions WHERE id = '{session}'"));
    }

    /// <summary>The clock stands: no round that looks after the events comes to the rescue.</summary>
    [Fact]
    public async Task What_only_the_repeat_finds_done_is_told_too()
    {
        using var scene = await CutScene.Set(room);
        var heard = await scene.Listen(scene.Service, $"user:{scene.AdaId}");
        var services = room.Node.Services;
        var database = services.GetRequiredService<Database>();
        var done = await services.GetRequiredService<Commands>().Run<Nothing>(
            new DefaultHttpContext(), scene.Tenant, Guid.Empty, new Actor(ActorKind.Service, null), null, async command =>
            {
                var now = room.Clock.GetUtcNow();
                await database.Begin(RowScope.OfTenant(scene.Tenant))
                    .Append(StreamName.User(scene.AdaId), scene.AdaId, "user.noted", now, JsonText.EmptyObject)
                    .Answer(command, scene.AdaId, Outcome<Nothing>.Done(Nothing.Value), now)
                    .Commit(static () => { });
                throw new ActivationOutdatedException("Its fate is not known.");
            });
        Assert.Null(done.Refusal);
        await Eventually.True("the event is heard", () => Task.FromResult(heard.Seen().Contains("user.noted", StringComparison.Ordinal)));
    }

    /// <summary>Done, as the outbox sees it, while the answer is still on its way.</summary>
    private async Task Followed(CutProxy.Cut late, CutScene scene, string kind)
    {
        await Eventually.True("the answer is late", () => Task.FromResult(late.Happened));
        room.Proxy.Disarm();
        var looks = 0;
        await Eventually.True($"the {kind} is done", async () =>
        {
            // Slowly: once a minute is over, what is being done is claimed anew.
            if (looks++ % 20 == 0)
            {
                room.Clock.Advance(TimeSpan.FromSeconds(1));
            }

            return await Sql.Ask<long>(room.Superuser, $"SELECT count(*) FROM outbox_tasks WHERE tenant_id = '{scene.Tenant}' AND kind = '{kind}'") == 0;
        });
    }
}
