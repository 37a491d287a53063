"""What turnovers answer and do for the apps below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Prefetch

from approvals import services as approvals
from environments import panels as environment_panels
from environments import rules as environment_rules
from releasemgr.accounts.models import User
from releasemgr.accounts.roles import RELEASE_ENGINEER, RELEASE_MANAGER
from releasemgr.workflow.models import row_created, row_edited, step_taken
from releasemgr.workflow.perform import perform
from releasemgr.workflow.rules import Blocker
from trains import contents, facts, panels, rounds, waivers
from trains import rules as train_rules
from trains.cadences import make_due_trains
from trains.models import Freeze, Train
from trains.plan import facts as plan_facts
from turnovers import approved, evidence, exceptions, planned
from turnovers.engine import scheduler, wake
from turnovers.models import Content, FreezeException, Hold, Run, Turnover
from turnovers.states import SETTLED, HoldScope, HoldState, TurnoverState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from environments.models import Environment
    from trains.models import ApplicationRelease
    from turnovers.querysets import TurnoverQuerySet

#: How far back the page of an environment looks for what is on it.
LATEST_CONTENTS = 300


def connect() -> None:
    """Plug turnovers into the questions and events of the lower apps; called once."""
    evidence.register()
    scheduler.errands.extend([rounds.remind_workers, waivers.let_run_out])
    scheduler.errands.append(make_due_trains)
    train_rules.stopped_questions.append(exceptions.stops_work_of)
    train_rules.exception_questions.append(exceptions.let_pass)
    panels.stopped.append(exceptions.stopped_by)
    panels.exceptions.append(exceptions.exceptions_from)
    panels.release_exceptions.append(exceptions.exceptions_of)
    train_rules.exception_ways.append(exceptions.way_for_release)
    step_taken.connect(wake_scheduler, sender=Freeze, dispatch_uid="turnovers.wake.freezes")
    row_edited.connect(wake_for_freeze, sender=Freeze, dispatch_uid="turnovers.wake.edited")
    train_rules.completion_questions.append(all_verified_in_production)
    train_rules.cancellation_questions.append(nothing_of_it_deploys)
    train_rules.hold_questions.append(holds_of_train)
    held = Hold.objects.active().filter(train=OuterRef("pk"), scope=HoldScope.TRAIN)
    panels.held.append(Exists(held))
    panels.holders.append(holders_of_train)
    panels.histories.append(history_of_holds)
    train_rules.release_questions.append(nothing_carries_it)
    contents.plan_questions.append(approved.plans_of)
    facts.fact_questions.append(approved.fallback_of)
    facts.evidence_questions.append(approved.evidence_of)
    train_rules.own_work_questions.append(approved.authors_of)
    scheduler.errands.append(approvals.look_after_clock)
    environment_rules.use_questions.append(nothing_deploys_there)
    environment_panels.deployed.append(deployed_in)
    environment_panels.queues.append(queue_at)
    panels.turnover_rows.append(rows_of_train)
    panels.release_turnover_rows.append(rows_of_release)
    panels.installed.append(installed_of)
    plan_facts.parts_above.append(planned.TURNOVERS)
    step_taken.connect(follow_train, sender=Train, dispatch_uid="turnovers.follow_train")
    row_created.connect(wake_for_hold, sender=Hold, dispatch_uid="turnovers.wake.placed")
    for model in (Turnover, Run, Hold, FreezeException):
        step_taken.connect(wake_scheduler, sender=model, dispatch_uid=f"turnovers.wake.{model}")


def all_verified_in_production(train: Train) -> Iterator[Blocker]:
    """Every application release aboard is in a verified turnover to production."""
    verified = Content.objects.filter(
        turnover__state__in=[TurnoverState.VERIFIED, TurnoverState.CLOSED],
        turnover__environment__is_production=True,
    ).values("release")
    for place in (
        train.boardings.aboard()
        .exclude(release__in=verified)
        .select_related("release__application", "release__owner")
    ):
        yield Blocker(
            f"{place.release} is not verified in production",
            needed="A verified turnover to a production environment, or off the train.",
            owner=RELEASE_ENGINEER,
            action="Open the turnovers",
            url=train.tab_url("turnovers"),
        )


def _deploying(turnovers: Any) -> Iterator[Blocker]:
    for turnover in turnovers.filter(state=TurnoverState.DEPLOYING):
        yield Blocker(
            f"{turnover.ref} {turnover} is deploying",
            needed="Nothing under way.",
            owner=RELEASE_ENGINEER,
            action="Watch it",
            url=turnover.get_absolute_url(),
            tone="run",
            glyph="run",
        )


def nothing_of_it_deploys(train: Train) -> Iterator[Blocker]:
    yield from _deploying(Turnover.objects.of_train(train))


def holders_of_train() -> Prefetch[Any]:
    """What holds a train, with who placed it."""
    return Prefetch("holds", Hold.objects.active().select_related("placed_by"))


def holds_of_train(train: Train) -> Iterator[Blocker]:
    """What stops the line for this train stops its planning as well.

    Reads what the page has fetched; a page that knows that nothing holds it reads nothing.
    """
    if not getattr(train, "is_held", True):
        return
    for hold in train.holds.all():
        if hold.scope == HoldScope.TRAIN and hold.state == HoldState.ACTIVE:
            hold.train = train
            yield Blocker(
                f"{train} is held",
                needed="The hold lifted.",
                now=f"{hold.placed_by}: {hold.reason}",
                owner=RELEASE_MANAGER,
                action="Open the hold",
                url=hold.get_absolute_url(),
                glyph="hold",
            )


def history_of_holds(train: Train) -> Any:
    """What was held and let go on, for the train's own history."""
    return Hold.history.filter(train_id=train.pk, scope=HoldScope.TRAIN)


def nothing_carries_it(release: ApplicationRelease) -> Iterator[Blocker]:
    yield from _deploying(Turnover.objects.of_release(release))


def nothing_deploys_there(environment: Environment) -> Iterator[Blocker]:
    yield from _deploying(Turnover.objects.filter(environment=environment))


def deployed_in(environment: Environment) -> Iterator[environment_panels.Deployed]:
    """The last version of each application that a turnover brought there, newest first."""
    known: set[int] = set()
    contents = Content.objects.filter(
        turnover__environment=environment, turnover__state__in=SETTLED
    ).select_related("turnover", "release__application")
    for content in contents.order_by("-turnover__deployed_at", "-pk")[:LATEST_CONTENTS]:
        release, turnover = content.release, content.turnover
        if release.application_id not in known:
            known.add(release.application_id)
            yield environment_panels.Deployed(
                name=release.application.name,
                url=release.get_absolute_url(),
                version=content.version_name or release.version_name,
                status=turnover.status,
                by=turnover.ref,
                by_url=turnover.get_absolute_url(),
                at=turnover.deployed_at,
            )


def queue_at(environment: Environment) -> Iterator[environment_panels.Queued]:
    """The turnovers that deploy there or are ready to, by earliest start and number."""
    queue = Turnover.objects.queued_at(environment.pk)[: environment_panels.MOST_QUEUED]
    for turnover in queue:
        yield environment_panels.Queued(
            name=turnover.title,
            ref=turnover.ref,
            url=turnover.get_absolute_url(),
            status=turnover.status,
            at=turnover.earliest,
        )


def installed_of(releases: Sequence[ApplicationRelease]) -> Iterator[panels.Installed]:
    """The last version of the releases' applications that a turnover brought somewhere."""
    by_application: dict[int, list[ApplicationRelease]] = {}
    for release in releases:
        by_application.setdefault(release.application_id, []).append(release)
    for content in Content.objects.latest_of(by_application):
        for release in by_application[content.release.application_id]:
            yield panels.Installed(
                release_id=release.pk,
                environment=content.turnover.environment,
                version=content.version_name or content.release.version_name,
                status=content.turnover.status if content.release_id == release.pk else None,
            )


def rows_of_train(train: Train) -> TurnoverQuerySet:
    """What the page of a train lists, newest first."""
    return Turnover.objects.of_train(train).with_list_facts().order_by("-pk")


def rows_of_release(release: ApplicationRelease) -> TurnoverQuerySet:
    """What the page of an application release lists, newest first."""
    return Turnover.objects.of_release(release).with_list_facts().order_by("-pk")


def wake_scheduler(sender: Any, name: str, **_: Any) -> None:
    """What was accepted may be due at once, and so may what a hold or a freeze has stopped.

    What goes on elsewhere is not waited for any longer where its run is aborted.
    """
    if name in {"accept", "grant", "lift", "abort"}:
        wake.scheduler()


def wake_for_hold(sender: Any, row: Hold, **_: Any) -> None:
    """One that stops what is running stops the waiting for what goes on elsewhere, too."""
    if row.stops_running:
        wake.scheduler()


def wake_for_freeze(sender: Any, **_: Any) -> None:
    """A freeze that was changed may stop less than it did."""
    wake.scheduler()


def follow_train(sender: Any, row: Train, name: str, by: User, reason: str, **_: Any) -> None:
    """A cancelled train takes its turnovers along; a closed one closes the verified ones."""
    robot = User.objects.robot()
    if name == "cancel":
        for turnover in row.turnovers.filter(state__in=["draft", "delivered", "ready"]):
            perform(turnover, "cancel", by=robot, reason=f"{by} cancelled {row}: {reason}")
        for hold in row.holds.active().filter(scope=HoldScope.TRAIN):
            perform(hold, "lift", by=robot, reason=f"{by} cancelled {row}: {reason}")
    elif name == "close":
        for turnover in row.turnovers.filter(state=TurnoverState.VERIFIED):
            perform(turnover, "close", by=robot, reason=f"{by} closed {row}.")
