"""A turnover: what is deployed where and when, and its steps."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import django_fsm as fsm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from approvals.content import digest
from environments.models import Booking, BookingKind
from releasemgr.workflow.fields import StateField
from releasemgr.workflow.imported import Imported
from releasemgr.workflow.models import Workflow, known_states
from releasemgr.workflow.rules import as_of, robot_only
from trains.models import ApplicationRelease, Dependency
from turnovers import rules
from turnovers.models.holds import Hold
from turnovers.querysets import (
    TurnoverQuerySet,
)
from turnovers.states import (
    EDITABLE,
    NEXT_STEP,
    NOT_STARTED,
    OVER,
    SETTLED,
    IfLate,
    TurnoverState,
)

if TYPE_CHECKING:
    from releasemgr.workflow.models import StepView
    from releasemgr.workflow.rules import Blocker
    from trains.models import Train

User = settings.AUTH_USER_MODEL
SHORTEST_SLOT = dt.timedelta(minutes=15)
#: How many tasks of the same order run at once, where nobody says otherwise.
MOST_PARALLEL = 10


class Turnover(Imported, Workflow):
    """A scheduled deployment of a train or an application release to one environment."""

    State = TurnoverState
    untold = Workflow.untold | {"delivered_digest"}
    lock_first = ("environment", "train", "release")

    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    train = models.ForeignKey(
        "trains.Train", models.PROTECT, null=True, blank=True, related_name="turnovers"
    )
    release = models.ForeignKey(
        "trains.ApplicationRelease",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="turnovers",
        verbose_name="application release",
    )
    environment = models.ForeignKey(
        "environments.Environment", models.PROTECT, related_name="turnovers"
    )
    author = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="turnovers",
        verbose_name="developer",
    )
    earliest = models.DateTimeField("earliest start", null=True, blank=True)
    latest = models.DateTimeField("latest start", null=True, blank=True)
    if_late = models.CharField(
        "if it cannot start in its window",
        max_length=10,
        choices=IfLate.choices,
        default=IfLate.EXPIRE,
    )
    most_parallel = models.PositiveSmallIntegerField(
        "tasks at once",
        default=MOST_PARALLEL,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="How many tasks of the same order are carried out at the same time.",
    )
    #: Set when it starts: whether its environment takes one deployment at a time.
    deploys_alone = models.BooleanField(default=True, editable=False)
    zone = models.CharField(max_length=64, default="UTC", editable=False)
    booking = models.ForeignKey(
        "environments.Booking", models.PROTECT, null=True, editable=False, related_name="+"
    )
    promoted_from = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="promoted_to"
    )
    work_items = models.ManyToManyField(
        "trains.WorkItem", through="TurnoverWork", related_name="turnovers"
    )
    delivered_digest = models.CharField(max_length=64, blank=True, editable=False)
    delivered_at = models.DateTimeField(null=True, editable=False)
    deployed_at = models.DateTimeField(null=True, editable=False)
    state = StateField(choices=State.choices, default=State.DRAFT, protected=True, editable=False)

    objects = TurnoverQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("write_turnover", "Can write, change and deliver turnovers"),
            ("judge_turnover", "Can accept and return turnovers"),
            ("run_turnover", "Can start, retry and abort deployments"),
            ("start_early", "Can start a turnover before its window"),
            ("verify_turnover", "Can verify deployments"),
            ("promote_turnover", "Can promote turnovers"),
            ("promote_restricted", "Can promote into restricted environments"),
        ]
        constraints = [
            *Imported.Meta.constraints,
            known_states(TurnoverState, "turnover"),
            models.CheckConstraint(
                condition=models.Q(train__isnull=True) ^ models.Q(release__isnull=True),
                name="turnover_of_a_train_or_a_release",
            ),
            models.CheckConstraint(
                condition=models.Q(latest__gte=models.F("earliest"))
                | models.Q(earliest__isnull=True)
                | models.Q(latest__isnull=True),
                name="turnover_window_runs_forwards",
                violation_error_message="The latest start must not be before the earliest.",
            ),
            models.UniqueConstraint(
                fields=["environment"],
                condition=models.Q(state="deploying", deploys_alone=True),
                name="one_deployment_an_environment",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "earliest"]),
            models.Index(fields=["author", "state"]),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("turnovers:detail", args=[self.pk])

    def tab_url(self, tab: str) -> str:
        """One of the turnover's tabs: contents, work, runs, history."""
        return reverse("turnovers:tab", args=[self.pk, tab])

    @property
    def edit_url(self) -> str:
        return reverse("turnovers:edit", args=[self.pk])

    @property
    def ref(self) -> str:
        return f"TO-{self.pk:04}"

    @property
    def item(self) -> Train | ApplicationRelease | None:
        return self.train or self.release

    @property
    def next_step(self) -> str:
        return NEXT_STEP.get(TurnoverState(self.state), ("", ""))[0]

    def towards(self, step: StepView) -> str:
        return NEXT_STEP[TurnoverState(self.state)][1]

    def awaits(self) -> list[Blocker]:
        """Freezes in its window: they refuse nothing before their time."""
        return rules.no_freeze_covers_its_window.blockers(self) if self.waits_to_start else []

    @property
    def riding(self) -> Train | None:
        """The train it belongs to: its own, or the one its application release rides."""
        if self.train is not None or self.release is None:
            return self.train
        place = self.release.place
        return place.train if place else None

    @property
    def is_editable(self) -> bool:
        return self.state in EDITABLE

    @property
    def waits_to_start(self) -> bool:
        return self.state in NOT_STARTED

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def window_words(self) -> str:
        """The window in the reader's time zone."""
        if self.earliest is None or self.latest is None:
            return "no window yet"
        first, last = timezone.localtime(self.earliest), timezone.localtime(self.latest)
        return f"{date_format(first, 'j F Y, H:i')} to {date_format(last, 'j F Y, H:i')}"

    def estimate_of_plan(self) -> dt.timedelta:
        """How long the tasks take: for each order the longest of those that run in parallel."""
        longest: dict[int, int] = {}
        for task in self.tasks.all():
            longest[task.order] = max(longest.get(task.order, 0), task.estimate_minutes)
        return dt.timedelta(minutes=sum(longest.values()))

    def slot(self) -> Booking | None:
        """The booking it needs, not stored: from its earliest start to its latest end."""
        if self.earliest is None or self.latest is None:
            return None
        return Booking(
            environment=self.environment,
            kind=BookingKind.TURNOVER,
            title=f"{self.ref} {self.title}"[:300],
            starts=self.earliest,
            ends=self.latest + max(self.estimate_of_plan(), SHORTEST_SLOT),
            zone=self.zone,
            exclusive=self.environment.most_deployments == 1,
            requested_by=self.author,
            url=self.get_absolute_url(),
        )

    def covering_reservation(self) -> Booking | None:
        """The train's own confirmed reservation that holds the environment for the whole slot."""
        slot, train = self.slot(), self.riding
        if slot is None or train is None:
            return None
        for reservation in train.reservations.filter(
            booking__environment=self.environment_id, booking__state=Booking.State.CONFIRMED
        ).select_related("booking"):
            if reservation.booking.covers(slot.starts, slot.ends):
                booking: Booking = reservation.booking
                return booking
        return None

    def missing_predecessors(self, carried: set[int]) -> list[ApplicationRelease]:
        """What the carried releases need that is not deployed in the environment."""
        needs = (
            Dependency.objects.filter(release__in=carried)
            .exclude(needs__in=carried)
            .exclude(needs__state__in=["closed", "cancelled"])
            .exclude(
                # Without the last condition one empty turnover would make SQL's NOT IN say nothing.
                needs__in=type(self)
                .objects.filter(
                    environment=self.environment_id, state__in=SETTLED, contents__isnull=False
                )
                .values("contents__release")
            )
        )
        return list(
            ApplicationRelease.objects.filter(pk__in=needs.values("needs")).select_related(
                "application", "owner"
            )
        )

    def whole_plan(self) -> Any:
        """Its tasks in order, each followed by what undoes it."""
        tasks: Any = type(self)._meta.get_field("tasks").related_model
        return tasks.all_ever.of_plan(self)

    def tasks_to_undo(self) -> list[Any]:
        """What undoes the tasks that its last deployments carried out, the last task first."""
        tasks: Any = type(self)._meta.get_field("tasks").related_model
        return list(tasks.all_ever.that_undo(self))

    def claim_blockers(self) -> list[Blocker]:
        """What keeps the next task of its run from being claimed now; asked at every claim."""
        return [blocker for guard in rules.AT_EVERY_CLAIM for blocker in guard.blockers(self)]

    def holds_that_stop_running(self) -> Any:
        """Those that also end what has begun."""
        return Hold.objects.over(self).filter(stops_running=True)

    def active_holds(self) -> list[Hold]:
        return list(Hold.objects.over(self).with_scope())

    def plan(self) -> dict[str, Any]:
        """Exactly what is delivered, accepted and carried out.

        What was added later is only in it where it was chosen, so that older deliveries match.
        """
        tasks = list(self.whole_plan().select_related("owner", "owner_group"))
        undo = [task.plan() for task in tasks if task.undoes_id]
        plan: dict[str, Any] = {
            "Environment": self.environment.name,
            "Window": [m.isoformat() for m in (self.earliest, self.latest) if m is not None],
            "Item": str(self.item),
            "Contents": [
                {"id": c.release_id, "name": c.release.application.name, "version": c.version_name}
                for c in self.contents.select_related("release__application")
            ],
            "Tasks": [task.plan() for task in tasks if not task.undoes_id],
        }
        if undo:
            plan["Undo"] = undo
        if self.if_late != IfLate.EXPIRE:
            plan["If late"] = str(self.get_if_late_display())
        if self.most_parallel != MOST_PARALLEL:
            plan["Tasks at once"] = self.most_parallel
        return plan

    def plan_digest(self) -> str:
        return digest(self.plan())

    def clean(self) -> None:
        if self.earliest and self.latest and self.latest < self.earliest:
            raise ValidationError({"latest": "The latest start must not be before the earliest."})

    # --- Steps ------------------------------------------------------------------------------------

    @fsm.transition(
        state,
        source=State.DRAFT,
        target=State.DELIVERED,
        conditions=[
            rules.it_has_tasks,
            rules.its_tasks_are_valid,
            rules.it_has_a_window,
            rules.its_environment_is_online,
            rules.its_item_allows_it,
        ],
        permission=rules.may_deliver,
        custom={
            "label": "Deliver",
            "primary": True,
            "also": ["turnovers.services.keep_delivery"],
        },
    )
    def deliver(self) -> None:
        """The developer says the plan is ready; it is frozen as it is.

        Whoever delivers what had no developer becomes it, and so cannot accept it.
        """
        self.author = self.author or self._history_user
        self.delivered_digest = self.plan_digest()
        self.delivered_at = as_of(self)

    @fsm.transition(
        state,
        source=State.DELIVERED,
        target=State.READY,
        conditions=[
            rules.plan_is_as_delivered,
            rules.its_tasks_are_valid,
            rules.it_has_a_window,
            rules.its_environment_is_online,
            rules.its_item_allows_it,
            rules.slot_is_free,
        ],
        permission=rules.may_judge,
        custom={
            "label": "Accept",
            "primary": True,
            "also": ["turnovers.services.hold_slot"],
        },
    )
    def accept(self) -> None:
        """Release engineering takes it on; its environment is held."""

    @fsm.transition(
        state,
        source=State.DELIVERED,
        target=State.DRAFT,
        permission=rules.may_judge,
        custom={
            "label": "Return",
            "question": "Return {row} to its developer?",
            "explains": "Its developer reads your reason, changes the plan and delivers it again.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def return_to_author(self) -> None:
        """Not like this: back to its developer, with a reason."""

    @fsm.transition(
        state,
        source=State.READY,
        target=State.DRAFT,
        permission=rules.may_run,
        custom={
            "label": "Take back",
            "question": "Take {row} back?",
            "explains": "Its booking is released and its plan can be changed; it has to be "
            "delivered and accepted again.",
            "needs_reason": True,
            "also": ["turnovers.services.release_slot"],
        },
    )
    def take_back(self) -> None:
        """The accepted plan has to change."""

    @fsm.transition(
        state,
        source=State.READY,
        target=State.DEPLOYING,
        conditions=[
            rules.window_is_open,
            rules.its_environment_is_online,
            rules.booking_is_held,
            rules.environment_is_free,
            rules.predecessors_are_deployed,
            rules.its_item_allows_it,
            rules.train_lets_it_start,
            rules.production_is_approved,
            rules.line_is_not_held,
            rules.no_freeze_covers_it,
        ],
        permission=rules.may_start,
        custom={
            "label": "Start now",
            "also": ["turnovers.services.open_run"],
            "then": ["turnovers.tasks.advance_turnover"],
        },
    )
    def start(self) -> None:
        """Its time has come: a run is opened."""
        self.deploys_alone = self.environment.most_deployments == 1

    @fsm.transition(
        state,
        source=State.READY,
        target=State.DEPLOYING,
        conditions=[
            rules.window_has_not_passed,
            rules.its_environment_is_online,
            rules.booking_is_held,
            rules.environment_is_free,
            rules.predecessors_are_deployed,
            rules.its_item_allows_it,
            rules.train_lets_it_start,
            rules.production_is_approved,
            rules.line_is_not_held,
            rules.no_freeze_covers_it,
        ],
        permission=rules.may_start_early,
        custom={
            "label": "Start early",
            "question": "Start {row} before its window?",
            "explains": "Its tasks begin at once.",
            "needs_reason": True,
            "also": ["turnovers.services.move_slot_forward", "turnovers.services.open_run"],
            "then": ["turnovers.tasks.advance_turnover"],
        },
    )
    def start_early(self) -> None:
        """Before its window, for a reason."""
        self.deploys_alone = self.environment.most_deployments == 1

    @fsm.transition(
        state,
        source=State.DEPLOYING,
        target=State.DEPLOYED,
        permission=robot_only,
        custom={"label": "Finish", "also": ["turnovers.services.release_slot"]},
    )
    def finish(self) -> None:
        """Every task is complete."""
        self.deployed_at = as_of(self)

    @fsm.transition(
        state,
        source=State.DEPLOYING,
        target=State.FAILED,
        permission=robot_only,
        custom={"label": "Fail"},
    )
    def fail(self) -> None:
        """A task failed, or the run was aborted."""

    @fsm.transition(
        state,
        source=State.FAILED,
        target=State.DEPLOYING,
        conditions=[
            rules.its_environment_is_online,
            rules.environment_is_free,
            rules.its_item_allows_it,
            rules.train_lets_it_start,
            rules.production_is_approved,
            rules.line_is_not_held,
            rules.no_freeze_covers_it,
            rules.no_worker_carries_it,
            rules.every_ending_is_known,
        ],
        permission=rules.may_run,
        custom={
            "label": "Retry",
            "question": "Run {row} again?",
            "explains": "Say for each task whether it runs again or is skipped. A new run begins "
            "at once.",
            "primary": True,
            "form": "turnovers.forms.RetryForm",
            "also": ["turnovers.services.open_run"],
            "then": ["turnovers.tasks.advance_turnover"],
        },
    )
    def retry(self, skip: list[int] | None = None) -> None:
        """A new run; ``skip`` names the tasks that are passed over."""

    @fsm.transition(
        state,
        source=[State.FAILED, State.DEPLOYED],
        target=State.DEPLOYING,
        conditions=[
            rules.something_can_be_undone,
            rules.its_environment_is_online,
            rules.environment_is_free,
            rules.line_is_not_held,
            rules.no_freeze_covers_it,
            rules.no_worker_carries_it,
            rules.every_ending_is_known,
        ],
        permission=rules.may_run,
        custom={
            "label": "Undo",
            "question": "Undo {row}?",
            "explains": "What undoes the tasks that were carried out is carried out now, the last "
            "task first. A new run begins at once.",
            "needs_reason": True,
            "danger": True,
            "also": ["turnovers.services.open_undo_run"],
            "then": ["turnovers.tasks.advance_turnover"],
        },
    )
    def undo(self) -> None:
        """A person asks for it: the undo tasks run in reverse order."""

    @fsm.transition(
        state,
        source=State.DEPLOYING,
        target=State.FAILED,
        permission=robot_only,
        custom={"label": "Undone"},
    )
    def undone(self) -> None:
        """All that could be undone is; people decide what becomes of it."""

    @fsm.transition(
        state,
        source=State.READY,
        target=State.DRAFT,
        permission=robot_only,
        custom={"label": "Expire", "also": ["turnovers.services.release_slot"]},
    )
    def expire(self) -> None:
        """Its window has passed before it could start; a new one has to be set."""

    @fsm.transition(
        state,
        source=State.DEPLOYING,
        target=State.DEPLOYING,
        permission=rules.may_extend,
        custom={
            "label": "Extend its slot",
            "question": "How long may {row} go on?",
            "explains": "Its environment is held until then, and its remaining tasks may begin.",
            "form": "turnovers.forms.ExtendForm",
            "needs_reason": True,
            "also": ["turnovers.services.extend_slot"],
            "then": ["turnovers.tasks.advance_turnover"],
        },
    )
    def extend(self, until: dt.datetime | None = None) -> None:
        """Its slot has run out, or will: more time, for a reason."""

    @fsm.transition(
        state,
        source=State.FAILED,
        target=State.CANCELLED,
        permission=rules.may_run,
        custom={
            "label": "Give up",
            "question": "Give {row} up?",
            "explains": "Nothing more of it is carried out, and what was done is not undone. Its "
            "booking is released.",
            "needs_reason": True,
            "danger": True,
            "also": ["turnovers.services.release_slot"],
        },
    )
    def give_up(self) -> None:
        """It failed and stays so."""

    @fsm.transition(
        state,
        source=State.FAILED,
        target=State.DRAFT,
        permission=rules.may_run,
        custom={
            "label": "Return to development",
            "question": "Return {row} to development?",
            "explains": "Its developer changes the plan and delivers it again. Its booking is "
            "released.",
            "needs_reason": True,
            "also": ["turnovers.services.release_slot"],
        },
    )
    def back_to_draft(self) -> None:
        """The plan has to change."""

    @fsm.transition(
        state,
        source=State.DEPLOYED,
        target=State.VERIFIED,
        permission=rules.may_verify,
        custom={
            "label": "Verify",
            "primary": True,
            "question": "Is {row} as it should be?",
            "explains": "You say that what was deployed works.",
            "confirm": True,
        },
    )
    def verify(self) -> None:
        """Checked in the environment."""

    @fsm.transition(
        state,
        source=State.DEPLOYED,
        target=State.DRAFT,
        permission=rules.may_verify,
        custom={
            "label": "Send back",
            "question": "Send {row} back?",
            "explains": "It did not pass. Its developer changes the plan and delivers it again.",
            "needs_reason": True,
            "danger": True,
        },
    )
    def send_back(self) -> None:
        """It did not pass: a new draft."""

    _PROMOTE: dict[str, Any] = {
        "label": "Promote",
        "question": "Promote {row}",
        "explains": "A new turnover with the same contents and a copy of the tasks is made for the "
        "environment that you choose.",
        "form": "turnovers.forms.PromoteForm",
        "also": ["turnovers.services.make_next"],
    }

    @fsm.transition(
        state,
        source=State.DEPLOYED,
        target=State.DEPLOYED,
        permission=rules.may_promote,
        custom=_PROMOTE,
    )
    @fsm.transition(
        state,
        source=State.VERIFIED,
        target=State.VERIFIED,
        permission=rules.may_promote,
        custom={**_PROMOTE, "primary": True},
    )
    def promote(self, **data: Any) -> None:
        """Make the next turnover, for another environment."""

    @fsm.transition(
        state,
        source=State.VERIFIED,
        target=State.CLOSED,
        permission=rules.may_close,
        custom={"label": "Close", "question": "Close {row}?", "confirm": True},
    )
    def close(self) -> None:
        """Over."""

    @fsm.transition(
        state,
        source=[State.DRAFT, State.DELIVERED, State.READY],
        target=State.CANCELLED,
        permission=rules.may_cancel,
        custom={
            "label": "Cancel turnover",
            "question": "Cancel {row}?",
            "explains": "It will not run, and its booking is released. This cannot be undone.",
            "needs_reason": True,
            "danger": True,
            "also": ["turnovers.services.release_slot"],
        },
    )
    def cancel(self) -> None:
        """It will not run."""
