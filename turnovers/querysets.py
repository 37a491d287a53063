from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, Subquery, Sum, Window
from django.db.models.functions import Coalesce, Now, RowNumber
from django.utils import timezone

from releasemgr.workflow.models import RecordedQuerySet, WorkflowQuerySet
from turnovers.states import COMPLETE_TASK, LIVE_TASK, PAST, SETTLED

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Self

    from releasemgr.accounts.models import User
    from trains.models import ApplicationRelease, Freeze, Train
    from turnovers.models import Hold, Turnover


class TurnoverQuerySet(WorkflowQuerySet):
    def open(self) -> TurnoverQuerySet:
        return self.exclude(state__in=PAST)

    def matching(self, words: str) -> TurnoverQuerySet:
        found = self
        for word in words.split()[:8]:
            number = word.upper().removeprefix("TO-")
            named = Q(title__icontains=word) | Q(environment__name__icontains=word)
            if number.isdecimal() and len(number) < 10:  # noqa: PLR2004 -- what a key can hold
                named |= Q(pk=int(number))
            found = found.filter(named)
        return found

    def with_list_facts(self) -> TurnoverQuerySet:
        """With what a list row shows."""
        tasks = (
            self.model._meta.get_field("tasks")
            .related_model.objects.filter(turnover=OuterRef("pk"))
            .order_by()
            .values("turnover")
        )
        rows: Any = self.select_related("environment", "train", "release__application", "author")
        listed: TurnoverQuerySet = rows.annotate(
            task_count=Subquery(tasks.annotate(n=Count("pk")).values("n")),
            estimate=Subquery(tasks.annotate(n=Sum("estimate_minutes")).values("n")),
        )
        return listed

    def with_page_facts(self) -> TurnoverQuerySet:
        """With what the head of its own page shows, counts of the tabs included."""
        counts = {
            "task_count": "tasks",
            "content_count": "contents",
            "work_count": "work_links",
            "run_count": "runs",
            "delivery_count": "deliveries",
        }
        rows: Any = self.select_related(
            "environment",
            "train__manager",
            "release__application",
            "author",
            "promoted_from__environment",
        )
        shown: TurnoverQuerySet = rows.annotate(
            **{name: self._count_of(relation) for name, relation in counts.items()}
        )
        return shown

    def with_task_count(self) -> TurnoverQuerySet:
        counted: TurnoverQuerySet = self.annotate(task_count=self._count_of("tasks"))
        return counted

    def _count_of(self, relation: str) -> Coalesce:
        rows: Any = self.model._meta.get_field(relation).related_model.objects.filter(
            turnover=OuterRef("pk")
        )
        count = rows.order_by().values("turnover").annotate(n=Count("pk")).values("n")
        return Coalesce(Subquery(count), 0)

    def by_window(self) -> TurnoverQuerySet:
        """Those that start first, first; without a window last."""
        return self.order_by(F("earliest").asc(nulls_last=True), "pk")

    def over(self) -> TurnoverQuerySet:
        return self.filter(state__in=PAST)

    def of_author(self, user: User) -> TurnoverQuerySet:
        return self.filter(author=user)

    def of_train(self, train: Train) -> TurnoverQuerySet:
        """The train's own, and those of what is aboard."""
        aboard = Q(release__boardings__train=train, release__boardings__state="aboard")
        return self.filter(pk__in=self.model.objects.filter(Q(train=train) | aboard).values("pk"))

    def of_release(self, release: ApplicationRelease) -> TurnoverQuerySet:
        """Those that carry the application release, alone or among others."""
        return self.filter(
            pk__in=self.model.objects.filter(
                Q(release=release) | Q(contents__release=release)
            ).values("pk")
        )

    def of_application(self, application: int) -> TurnoverQuerySet:
        """Those that carry any version of the application, alone or among others."""
        carries = Q(release__application=application) | Q(
            contents__release__application=application
        )
        return self.filter(pk__in=self.model.objects.filter(carries).values("pk"))

    def stopped_by(self, hold: Hold) -> TurnoverQuerySet:
        """Those under way or about to start that the hold keeps from going on."""
        waiting = self.filter(state__in=["ready", "deploying", "failed"])
        if hold.scope == "train" and hold.train is not None:
            return waiting.of_train(hold.train)
        if hold.scope == "environment":
            return waiting.filter(environment=hold.environment_id)
        return waiting.filter(pk=hold.turnover_id) if hold.scope == "turnover" else waiting

    def covered_by(self, freeze: Freeze) -> TurnoverQuerySet:
        """Those that the freeze counts for, whenever its periods are."""
        if freeze.scope == "kind":
            return self.filter(environment__kind=freeze.kind)
        if freeze.scope == "environment":
            return self.filter(environment=freeze.environment_id)
        if freeze.scope == "application" and freeze.application_id:
            return self.of_application(freeze.application_id)
        if freeze.scope != "train" or freeze.train is None:
            return self
        of_train = self.of_train(freeze.train)
        if freeze.team_id is None:
            return of_train
        built_by = Q(release__application__team=freeze.team_id)
        built_by |= Q(contents__release__application__team=freeze.team_id)
        return of_train.filter(pk__in=self.model.objects.filter(built_by).values("pk"))

    def in_period(self, starts: datetime, ends: datetime | None) -> TurnoverQuerySet:
        """Those that deploy now, or are ready and could start before the end of the period."""
        ready = Q(state="ready", earliest__isnull=False)
        if ends is not None:
            ready &= Q(earliest__lt=ends)
        ready &= Q(latest__isnull=True) | Q(latest__gte=starts) | Q(if_late="wait")
        return self.filter(Q(state="deploying") | ready)

    def due(self) -> TurnoverQuerySet:
        """Accepted ones whose window has opened and not passed, by the database's clock."""
        return self.filter(state="ready", earliest__lte=Now()).filter(
            Q(latest__isnull=True) | Q(latest__gte=Now()) | Q(if_late="wait")
        )

    def in_queue(self) -> TurnoverQuerySet:
        """In the order in which they start where only one can: the earliest first."""
        return self.order_by("earliest", "pk")

    def missed(self) -> TurnoverQuerySet:
        """Accepted ones whose window has passed, and that do not wait for better times."""
        return self.filter(state="ready", if_late="expire", latest__lt=Now()).in_queue()

    def deploying_by_environment(self, environments: Iterable[int]) -> dict[int, int]:
        """How many deploy now in each of these environments."""
        counted = self.filter(state="deploying", environment__in=environments).order_by()
        return dict(counted.values_list("environment").annotate(Count("pk")))

    def to_accept(self, user: User) -> TurnoverQuerySet:
        """Delivered ones that this release engineer may judge."""
        if not user.has_perm("turnovers.judge_turnover"):
            return self.none()
        return self.filter(state="delivered").exclude(author=user)

    def to_verify(self, user: User) -> TurnoverQuerySet:
        if not user.has_perm("turnovers.verify_turnover"):
            return self.none()
        return self.filter(state="deployed").exclude(author=user)

    def failed_for(self, user: User) -> TurnoverQuerySet:
        if not user.has_perm("turnovers.run_turnover"):
            return self.none()
        return self.filter(state="failed")

    def returned_to(self, user: User) -> TurnoverQuerySet:
        """The author's own that came back to be defined again."""
        sent_back = self.model.history.model.objects.filter(
            id=OuterRef("pk"), transition__in=["send_back", "return_to_author", "back_to_draft"]
        )
        return self.filter(state="draft", author=user).filter(Exists(sent_back))

    def waiting_for(self, user: User) -> TurnoverQuerySet:
        """Those to accept, to verify, to mend, or back with their developer."""
        waiting: TurnoverQuerySet = (
            self.to_accept(user)
            | self.to_verify(user)
            | self.failed_for(user)
            | self.returned_to(user)
        )
        return waiting

    def queued_at(self, environment: int) -> TurnoverQuerySet:
        """Those that deploy there, then those that are ready to, in the order of their turn."""
        there = self.filter(environment=environment, state__in=["deploying", "ready"])
        return there.order_by("state", F("earliest").asc(nulls_first=True), "pk")

    def next_to_deploy(self) -> TurnoverQuerySet:
        """Those that deploy now, then those that start within a day, by their time."""
        soon = timezone.now() + dt.timedelta(days=1)
        late = timezone.now() - dt.timedelta(days=1)
        next_ones = Q(state="ready", earliest__lte=soon) & (Q(latest=None) | Q(latest__gte=late))
        return self.filter(Q(state="deploying") | next_ones).order_by("state", "earliest", "pk")


class ContentQuerySet(RecordedQuerySet):
    def latest_of(self, applications: Iterable[int]) -> Self:
        """What was deployed last of each of these applications in each environment."""
        newest = Window(
            RowNumber(),
            partition_by=["turnover__environment", "release__application"],
            order_by=[F("turnover__deployed_at").desc(nulls_last=True), F("pk").desc()],
        )
        deployed = self.filter(
            release__application__in=list(applications), turnover__state__in=SETTLED
        )
        return (
            deployed.annotate(newest=newest)
            .filter(newest=1)
            .select_related("turnover__environment", "release")
        )


class TaskQuerySet(RecordedQuerySet):
    def in_order(self) -> TaskQuerySet:
        return self.order_by("order", "pk")

    def by_hand_of(self, user: User) -> TaskQuerySet:
        """Manual ones that this person, or a group of theirs, owns."""
        groups = user.groups.values("pk")
        by_people = self.filter(executor__in=["", "go"])
        return by_people.filter(Q(owner=user) | Q(owner_group__in=groups))

    def of_plan(self, turnover: Turnover) -> TaskQuerySet:
        """The turnover's tasks in order, and what undoes them behind each."""
        planned = self.filter(turnover=turnover, removed_at=None, undoes__removed_at=None)
        return planned.order_by("order", Coalesce("undoes", "pk"), "pk")

    def that_undo_something(self) -> TaskQuerySet:
        return self.exclude(undoes=None)

    def that_undo(self, turnover: Turnover) -> TaskQuerySet:
        """What undoes the turnover's tasks that succeeded and were not undone since, in reverse."""
        rows: Any = self.model._meta.get_field("task_runs").related_model.objects
        done = rows.filter(task=OuterRef("undoes"), state="succeeded").order_by("-pk")
        undone = rows.filter(task=OuterRef("pk"), state="succeeded").order_by("-pk")
        found: TaskQuerySet = (
            self.filter(turnover=turnover, removed_at=None, undoes__removed_at=None)
            .annotate(
                undone_order=F("undoes__order"),
                done=Subquery(done.values("pk")[:1]),
                undone=Coalesce(Subquery(undone.values("pk")[:1]), 0),
            )
            .filter(done__gt=F("undone"))
            .order_by("-undoes__order", "-undoes")
        )
        return found

    def count_by_turnover(self, turnovers: Iterable[int]) -> dict[int, int]:
        """How many tasks each of the turnovers has."""
        counts = self.filter(turnover__in=turnovers).order_by()
        return dict(counts.values_list("turnover").annotate(Count("pk")))

    def taken_out(self) -> TaskQuerySet:
        """Those that were removed from the plan; they can be put back.

        What undoes a task that was removed itself comes back with that one.
        """
        return self.exclude(removed_at=None).filter(undoes__removed_at=None)


class RunQuerySet(WorkflowQuerySet):
    def running(self) -> RunQuerySet:
        return self.filter(state="running")

    def latest_of(self, turnover: Turnover) -> RunQuerySet:
        return self.filter(turnover=turnover).order_by("-number")

    def with_page_facts(self) -> RunQuerySet:
        """With what the head of a run's page shows, and whether a later run followed."""
        later = self.model.objects.filter(
            turnover=OuterRef("turnover"), number__gt=OuterRef("number")
        )
        rows: Any = self.select_related(
            "turnover__environment",
            "turnover__booking",
            "turnover__train",
            "turnover__release__application",
        )
        found: RunQuerySet = rows.annotate(is_latest=~Exists(later))
        return found

    def that_can_go_on(self) -> RunQuerySet:
        """Running ones for which a worker has something to do now, whether or not one was told."""
        rows: Any = self.model._meta.get_field("task_runs").related_model.objects
        mine = rows.filter(run=OuterRef("pk"))
        failed, carried = Exists(mine.filter(state="failed")), Exists(mine.filter(state="running"))
        waiting = Exists(mine.filter(state="waiting", ready_at__lte=Now()))
        unknown, live = (
            Exists(mine.filter(state="unknown")),
            Exists(mine.filter(state__in=LIVE_TASK)),
        )
        goes_on = ~failed & (waiting | ~live)
        return self.running().filter(goes_on | (failed & ~carried)).filter(~unknown)

    def waiting_longest_first(self) -> RunQuerySet:
        """Those that no worker has had for the longest time first."""
        return self.order_by(F("turned_at").asc(nulls_first=True), "pk")


class TaskRunQuerySet(WorkflowQuerySet):
    def complete_by_run(self, runs: Iterable[int]) -> dict[int, int]:
        """How many tasks of the plan have succeeded or were skipped in each of the runs."""
        complete = self.filter(run__in=runs, state__in=COMPLETE_TASK, task__removed_at=None)
        counts = complete.order_by().values_list("run").annotate(Count("pk"))
        return dict(counts)

    def waiting_for(self, user: User) -> TaskRunQuerySet:
        """Theirs or their group's whose turn it is, and unknown endings that they may settle."""
        groups = user.groups.values("pk")
        waiting = Q(state="ready") & (Q(task__owner=user) | Q(task__owner_group__in=groups))
        if user.has_perm("turnovers.settle_unknown"):
            waiting |= Q(state="unknown") & (Q(verdict="") | ~Q(verdict_by=user))
        return self.filter(waiting, run__state="running")

    def for_people(self) -> TaskRunQuerySet:
        """Those that a running deployment cannot go on with before people have done or said it."""
        return self.filter(state__in=["ready", "unknown"], run__state="running")

    def with_page_facts(self) -> TaskRunQuerySet:
        """With who did them, and without what they printed, which is long and mostly unread."""
        rows: TaskRunQuerySet = self.select_related("done_by", "verdict_by").defer("output")
        return rows.order_by("order", "task_id")

    def with_log(self) -> TaskRunQuerySet:
        """With every try, whether it goes on elsewhere, and what it said late or called back."""
        tries: Any = self.model._meta.get_field("tries").related_model.objects
        rows: TaskRunQuerySet = self.select_related("task", "run", "verdict_by", "done_by")
        return rows.prefetch_related(
            Prefetch("tries", tries.select_related("callback", "followed")), "tries__late_words"
        )

    def next_in_line(self, now: datetime) -> TaskRunQuerySet:
        """What a worker may take next."""
        return self.filter(state="waiting", ready_at__lte=now).order_by("order", "pk")

    def overdue(self) -> TaskRunQuerySet:
        """Claimed ones whose lease has run out: whoever had them is gone or stuck."""
        return self.filter(state="running", lease_until__lt=Now())

    def stopped_short(self) -> TaskRunQuerySet:
        """Those that only a person, or the scheduler's next look, brings on; the latest first."""
        lost = Q(state="running", lease_until__lt=Now())
        rows: Any = self.filter(lost | Q(state="unknown")).order_by("-pk")
        found: TaskRunQuerySet = rows.select_related("task", "run__turnover__environment")
        return found


class ReviewActionQuerySet(RecordedQuerySet):
    def visible_to(self, user: User) -> Any:
        """Whoever may look at runs may look at what came of them."""
        return self if user.has_perm("turnovers.view_run") else self.none()

    def open(self) -> ReviewActionQuerySet:
        return self.filter(done_at=None)

    def waiting_for(self, user: User) -> ReviewActionQuerySet:
        """Those that this person has yet to do."""
        return self.open().filter(owner=user)


class HoldQuerySet(WorkflowQuerySet):
    def active(self) -> HoldQuerySet:
        return self.filter(state="active")

    def lifted(self) -> HoldQuerySet:
        return self.filter(state="lifted")

    def with_scope(self) -> HoldQuerySet:
        """With what each names, in one query."""
        rows: HoldQuerySet = self.select_related("train", "environment", "turnover", "placed_by")
        return rows

    def over(self, turnover: Turnover) -> HoldQuerySet:
        """Those that stop this turnover."""
        stops = Q(scope="all") | Q(scope="turnover", turnover=turnover)
        stops |= Q(scope="environment", environment=turnover.environment_id)
        if turnover.train_id:
            stops |= Q(scope="train", train=turnover.train_id)
        if turnover.release_id:
            stops |= Q(
                scope="train",
                train__boardings__release=turnover.release_id,
                train__boardings__state="aboard",
            )
        return self.active().filter(stops).distinct()

    def over_the_outer(self, turnover: str) -> HoldQuerySet:
        """For a subquery: those that stop the turnover at this path of the outer query."""
        environment, train = OuterRef(f"{turnover}__environment"), OuterRef(f"{turnover}__train")
        aboard = {"train__boardings__release": OuterRef(f"{turnover}__release")}
        return self.active().filter(
            Q(scope="all")
            | Q(scope="turnover", turnover=OuterRef(turnover))
            | Q(scope="environment", environment=environment)
            | Q(scope="train", train=train)
            | Q(scope="train", train__boardings__state="aboard", **aboard)
        )
