"""The demo's trains: one for each thing a newcomer should see."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from releasemgr.demo import gates, replanning
from releasemgr.demo.story import NIGHT, Story
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.perform import perform
from turnovers.models import Attempt, Run, TaskRun, Turnover
from turnovers.states import TaskState

if TYPE_CHECKING:
    from trains.models import ApplicationRelease

Task = dict[str, Any]

#: The deployment that a newcomer watches begins this long after the demo was made.
CURTAIN = dt.timedelta(seconds=75)

BEGIN: Task = {
    "title": "Begin",
    "executor": "checkpoint",
    "section": "Prepare",
    "estimate_minutes": 0,
}


def pretend(title: str, component: str, version: str, seconds: int, **more: Any) -> Task:
    """An automated task that runs the demo's allowed command."""
    return {
        "title": title,
        "executor": "command",
        "parameters": {
            "command": "pretend-deployment",
            "arguments": f"{component}\n{version}\n{seconds}",
        },
        "estimate_minutes": 1,
        "timeout_seconds": 120,
        **more,
    }


def by_hand(title: str, minutes: int = 5, **more: Any) -> Task:
    return {"title": title, "estimate_minutes": minutes, **more}


def small_plan(release: ApplicationRelease, seconds: int = 6) -> tuple[Task, ...]:
    name, version = release.application.name.lower().replace(" ", "-"), release.version_name
    return (
        BEGIN,
        pretend(f"Deploy {release}", name, version, seconds, section="Deploy"),
        by_hand(f"Open {release.application.name} and sign in", section="Verify"),
    )


def play(story: Story) -> None:
    """Every scene, in the order in which the trains left."""
    closed(story)
    deploying(story)
    emergency(story)
    awaiting_executives(story)
    verifying(story)
    awaiting_development(story)
    building(story)
    awaiting_train(story)
    scoping(story)
    cancelled(story)
    story.reach_milestones()
    replanning.plan_anew(story)


def closed(story: Story) -> None:
    """Alder: verified in production, with a finished run to look at."""
    train = story.plan("Alder 26.2", "Instalments without interest.", start_in=-84)
    release = story.board(train, "Payments", "26.2.0", done=4)
    train = story.to_deployment(train)
    turnover = story.turnover(train, "prod-eu", _ago(hours=5), hours=6, tasks=small_plan(release))
    _ran(story, story.accept(turnover), [3, 6, 4])
    turnover = Turnover.objects.get(pk=turnover.pk)
    perform(turnover, "verify", by=story.people["tomas"])
    perform(story.again(train), "close", by=story.people["tomas"])


def deploying(story: Story) -> None:
    """Birch: through every gate; its production turnover waits for tonight."""
    train = story.plan("Birch 26.3", "Claims by photograph, faster quotes.", start_in=-72)
    claims = story.board(train, "Claims", "8.4.0", items=6, done=6)
    documents = story.board(train, "Documents", "5.1.0", done=4)
    quotes = story.board(train, "Quotes", "12.0.1", done=4)
    story.needs(claims, documents)
    train = story.to_deployment(train)
    rehearsal = story.turnover(train, "stage-us", _ago(hours=4), hours=5, tasks=small_plan(quotes))
    _ran(story, story.accept(rehearsal), [2, 5, 9])
    rehearsal = Turnover.objects.get(pk=rehearsal.pk)
    perform(rehearsal, "verify", by=story.people["tomas"])
    tonight = dt.datetime.combine(story.today, dt.time(22), NIGHT)
    if tonight <= timezone.now():
        tonight += dt.timedelta(days=1)
    production = story.turnover(
        train,
        "prod-eu",
        tonight,
        tasks=(
            by_hand("Announce the start on the status page", section="Prepare"),
            by_hand("Confirm the restore point", 10, section="Prepare"),
            {
                "title": "Go or no-go for production",
                "executor": "go",
                "section": "Prepare",
                "instructions": "Go, if the restore point is there and nobody has objected.",
            },
            pretend(
                "Deploy Documents 5.1.0",
                "documents",
                "5.1.0",
                20,
                section="Deploy",
                undone_by=pretend("Put Documents 5.0.3 back", "documents", "5.0.3", 15),
            ),
            pretend(
                "Deploy Claims 8.4.0",
                "claims",
                "8.4.0",
                25,
                section="Deploy",
                undone_by=pretend("Put Claims 8.3.2 back", "claims", "8.3.2", 15),
            ),
            pretend("Deploy Quotes 12.0.1", "quotes", "12.0.1", 25, section="Deploy", order=5),
            {
                "title": "Let the caches settle",
                "executor": "wait",
                "parameters": {
                    "how": "for",
                    "minutes": 10,
                    "time": "",
                    "day": "",
                    "zone": str(NIGHT),
                },
                "section": "Verify",
                "estimate_minutes": 10,
                "order": 6,
            },
            pretend(
                "Read every product page once",
                "pages",
                "all",
                10,
                section="Verify",
                order=7,
                repeat_safe=True,
            ),
            by_hand("Refuse a claim and read the letter", 10, section="Verify", order=8),
            by_hand("Announce the end", section="Verify", order=9),
        ),
    )
    story.deliver(production)


def emergency(story: Story) -> None:
    """A repair on the short path; the executives are being asked."""
    train = story.plan(
        "Quotes outage 26.3.1",
        "Quotes for vans end in an error since this morning.",
        kind="Emergency",
        start_in=-1,
        stages=(0, 0, 1, 1),
        criteria={"qa": ["The fault no longer occurs on stage-eu"]},
    )
    story.board(train, "Quotes", "12.0.2", items=1, done=1)
    train = story.ask_executives(story.to_verification(train))
    story.first_level(train, "executive")


def awaiting_executives(story: Story) -> None:
    """Cedar: Security has approved; the executives have not looked yet."""
    train = story.plan("Cedar 26.4", "Broker portal for mobile.", start_in=-63, manager="jonas")
    story.board(train, "Broker portal", "3.0.0", items=8, done=8)
    story.board(train, "Identity", "2.7.0", done=4)
    story.reserve(
        train, "stage-eu", story.today + dt.timedelta(days=2), story.today + dt.timedelta(days=9)
    )
    train = story.ask_executives(story.to_verification(train))
    story.first_level(train, "executive", condition="Keep a restore point of Identity until Monday")


def verifying(story: Story) -> None:
    """Damson: in tests, and asking for an environment that Cedar holds: a clash."""
    train = story.plan("Damson 26.5", "New ledger for instalments.", start_in=-55)
    ledger = story.board(train, "Ledger", "4.0.0", items=7, done=7)
    story.board(train, "Payments", "26.5.0", done=4)
    story.reserve(
        train,
        "stage-eu",
        story.today + dt.timedelta(days=6),
        story.today + dt.timedelta(days=13),
        held=False,
    )
    story.to_verification(train)
    soon = timezone.now() + dt.timedelta(hours=20)
    story.deliver(story.turnover(ledger, "test-2", soon, author="yuki", tasks=small_plan(ledger)))


def awaiting_development(story: Story) -> None:
    """Elder: built; the board is asked whether it may be tested."""
    train = story.plan("Elder 26.6", "Passkeys for everybody.", start_in=-48, manager="jonas")
    story.board(train, "Identity", "3.0.0", items=6, done=5)
    story.board(train, "Customer portal", "9.2.0", done=3)
    story.build(story.to_construction(train))
    story.step(train, "request_development_approval")


def building(story: Story) -> None:
    """Fir: being built. One deployment begins while you watch, one has failed."""
    train = story.plan("Fir 27.1", "One search for policies, claims and letters.", start_in=-26)
    policies = story.board(train, "Policies", "15.0.0", items=9, done=5)
    portal = story.board(train, "Customer portal", "9.3.0", items=6, done=2)
    documents = story.board(train, "Documents", "5.2.0", items=5, done=5)
    story.needs(policies, documents)
    story.reserve(
        train, "test-1", story.today - dt.timedelta(days=2), story.today + dt.timedelta(days=20)
    )
    story.build(story.to_construction(train), complete=False)
    _fail(story, story.turnover(portal, "dev-1", _ago(hours=2), tasks=small_plan(portal)))
    story.ask_only(train, "Claims", "8.5.0")
    watch = story.turnover(
        documents,
        "test-1",
        timezone.now() + CURTAIN,
        hours=8,
        tasks=(
            {
                "title": "Begin",
                "executor": "checkpoint",
                "section": "Prepare",
                "estimate_minutes": 0,
            },
            pretend("Take a snapshot", "documents-db", "snapshot", 8, section="Prepare"),
            pretend("Deploy the archive", "archive", "5.2.0", 14, section="Deploy", order=3),
            pretend("Deploy the renderer", "renderer", "5.2.0", 10, section="Deploy", order=3),
            by_hand(
                "Read one letter of each kind",
                section="Verify",
                order=4,
                instructions="Open Documents on test-1 and print a renewal, a refusal and a "
                "reminder. Each must show the new letterhead.",
            ),
            pretend(
                "Warm the cache",
                "cache",
                "5.2.0",
                6,
                section="Verify",
                order=5,
                repeat_safe=True,
            ),
        ),
    )
    story.accept(watch)


def awaiting_train(story: Story) -> None:
    """Gorse: scoped; the board is asked whether building may begin."""
    train = story.plan("Gorse 27.2", "Commission statements for brokers.", start_in=-15)
    story.board(train, "Broker portal", "3.1.0", items=5)
    story.meet(train, "scoping")
    story.step(train, "request_train_approval")


def scoping(story: Story) -> None:
    """Hazel: being scoped; its criteria are open and somebody wants to board."""
    train = story.plan("Hazel 27.3", "Tax format of next year.", kind="Major", start_in=-4)
    story.board(train, "Ledger", "5.0.0", items=3)
    story.ask_only(train, "Payments", "27.3.0")
    gates.fill(story, train)


def cancelled(story: Story) -> None:
    """Ivy: given up, with the reason on record."""
    train = story.plan("Ivy 26.9", "Chat with an adviser.", start_in=-30, manager="jonas")
    story.step(train, "cancel", reason="The supplier has withdrawn its offer.")


# --- Runs that are over ---------------------------------------------------------------------------


def _ago(**length: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(**length)


def _begin(story: Story, turnover: Turnover) -> Run:
    """A run that began when the window opened."""
    perform(turnover, "start", by=story.robot)
    run = Run.objects.get(turnover=turnover)
    return edit(run, by=story.robot, started_at=turnover.earliest)


def _task(
    story: Story, run: Run, number: int, minutes: float, at: dt.datetime, *, failed: bool = False
) -> dt.datetime:
    """One task of a past run, as the engine would have left it; returns when it ended."""
    task = run.turnover.tasks.in_order()[number]
    end = at + dt.timedelta(minutes=minutes)
    state = TaskState.FAILED if failed else TaskState.SUCCEEDED
    task_run = TaskRun(
        run=run,
        task=task,
        order=task.order,
        key=f"{run.turnover_id}:{task.pk}:1",
        fence=0 if task.is_manual else 1,
        ready_at=at,
        started_at=at,
        ended_at=end,
        state=state,
        done_by=task.owner,
        detail="Exit status 1." if failed else "",
        output="migration 0047: column “risk_class” does not exist\n" if failed else "",
        evidence="Looks right." if task.is_manual else "",
    )
    create(task_run, by=task.owner or story.robot)
    if not task.is_manual:
        Attempt.objects.create(
            task_run=task_run,
            fence=1,
            key=task_run.key,
            worker="worker-1",
            claimed_at=at,
            ended_at=end,
            outcome=state,
        )
    return end


def _ran(story: Story, turnover: Turnover, minutes: list[float]) -> None:
    """The turnover's run, finished: each task took that many minutes."""
    run = _begin(story, turnover)
    at = run.started_at
    for number, length in enumerate(minutes):
        at = _task(story, run, number, length, at)
    run = perform(run, "succeed", by=story.robot)
    edit(run, by=story.robot, ended_at=at)


def _fail(story: Story, turnover: Turnover) -> None:
    """The turnover's run, stopped by its second task."""
    run = _begin(story, story.accept(turnover))
    at = _task(story, run, 0, 0, run.started_at)
    end = _task(story, run, 1, 3, at, failed=True)
    title = run.turnover.tasks.in_order()[1].title
    run = perform(run, "fail", by=story.robot, reason=f"Task 2, {title}: exit status 1.")
    edit(run, by=story.robot, ended_at=end)
