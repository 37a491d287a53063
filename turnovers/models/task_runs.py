"""The tasks of a run, each created when its turn comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django_fsm as fsm
from django.conf import settings
from django.db import models
from django.utils import timezone

from releasemgr.workflow.between import Between
from releasemgr.workflow.fields import StateField
from releasemgr.workflow.models import Workflow, known_states
from releasemgr.workflow.rules import as_of, robot_only
from turnovers import rules
from turnovers.models.plans import DeploymentTask
from turnovers.models.runs import Run
from turnovers.querysets import TaskRunQuerySet
from turnovers.states import COMPLETE_TASK, TaskState, Verdict

if TYPE_CHECKING:
    from releasemgr.workflow.models import StepView
    from releasemgr.workflow.rules import Blocker

User = settings.AUTH_USER_MODEL
#: As much of a task's output as a page shows.
LINES_SHOWN = 200
#: What the second person confirms, by what the first one said.
CONFIRMS: dict[str, str] = {
    Verdict.HAPPENED: "confirm_happened",
    Verdict.AGAIN: "confirm_again",
    Verdict.FAILED: "confirm_failed",
}


class TaskRun(Workflow):
    """A deployment task in a run, created when its turn comes.

    People's moves go through ``perform``; the engine's claims and outcomes go through
    ``turnovers.engine.ledger``, which is the only other place that may write ``state``.
    """

    State = TaskState
    untold = Workflow.untold | {"key", "fence", "lease_until", "worker", "output"}
    lock_first = ("run.turnover", "run")

    run = models.ForeignKey(Run, models.PROTECT, related_name="task_runs")
    task = models.ForeignKey(DeploymentTask, models.PROTECT, related_name="task_runs")
    order = models.PositiveIntegerField(editable=False)
    key = models.CharField(max_length=100, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    worker = models.CharField(max_length=200, blank=True, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ready_at = models.DateTimeField(default=timezone.now, editable=False)
    detail = models.TextField(blank=True, editable=False)
    output = models.TextField(blank=True, editable=False)
    evidence = models.TextField(blank=True, editable=False)
    done_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")
    #: What somebody found out about an unknown ending; a second person confirms it.
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True, editable=False)
    verdict_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="+"
    )
    verdict_reason = models.TextField(blank=True, editable=False)
    state = StateField(choices=State.choices, default=State.WAITING, protected=True, editable=False)

    objects = TaskRunQuerySet.as_manager()

    class Meta:
        ordering = ["order", "task_id", "pk"]
        permissions = [("settle_unknown", "Can say what became of a task whose ending is unknown")]
        constraints = [
            known_states(TaskState, "taskrun"),
            models.UniqueConstraint(fields=["run", "task"], name="task_once_a_run"),
            models.CheckConstraint(
                condition=models.Q(state="running", lease_until__isnull=False, fence__gte=1)
                | (~models.Q(state="running") & models.Q(lease_until__isnull=True)),
                name="taskrun_runs_under_a_lease",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "lease_until"]),
            models.Index(fields=["run", "order"]),
        ]

    def __str__(self) -> str:
        return self.task.title

    def get_absolute_url(self) -> str:
        return f"{self.run.get_absolute_url()}#task-{self.pk}"

    @property
    def next_step(self) -> str:
        """What a person does next; nothing where a worker goes on by itself."""
        if self.state == TaskState.READY:
            return "go" if self.task.is_point else "complete"
        if self.state == TaskState.UNKNOWN:
            return CONFIRMS.get(self.verdict, "judge")
        return ""

    def awaits(self) -> list[Blocker]:
        return list(rules.people_it_waits_for(self))

    def between(self, known: list[StepView] | None = None) -> Between:
        """A waiting one is begun by a worker, whom the rules of every claim refuse."""
        if self.state != TaskState.WAITING:
            return super().between(known)
        blockers = [*rules.its_run_is_on.blockers(self), *self.run.turnover.claim_blockers()]
        waits = [*rules.what_it_waits_for(self)]
        return Between(self, None, str(TaskState.RUNNING.label), blockers, waits)

    @property
    def is_complete(self) -> bool:
        return self.state in COMPLETE_TASK

    @property
    def is_unknown(self) -> bool:
        return bool(self.state == TaskState.UNKNOWN)

    @property
    def was_taken_over(self) -> bool:
        """Whether its last claim was ended because its worker was silent, and is so still."""
        last = self.tries.order_by("-fence").first()
        ended = (
            self.history.filter(transition__in=["lose", "settle"]).order_by("-history_id").first()
        )
        is_lost = ended is not None and ended.transition == "lose"
        return bool(is_lost and last is not None and not last.late_words.exists())

    @property
    def last_lines(self) -> str:
        """As much of the output as a page shows."""
        return "\n".join(self.output.splitlines()[-LINES_SHOWN:])

    @property
    def tries_again(self) -> bool:
        """It has failed, and waits for its next try."""
        return bool(self.state == TaskState.WAITING and self.fence)

    @fsm.transition(
        state,
        source=State.READY,
        target=State.SUCCEEDED,
        conditions=[rules.its_run_is_on],
        permission=rules.may_do_task,
        custom={
            "label": "Mark done",
            "primary": True,
            "form": "turnovers.forms.TaskDoneForm",
            "then": ["turnovers.tasks.advance_task_run"],
            "said": "{row} is done.",
        },
    )
    def complete(self, evidence: str = "") -> None:
        """Its owner says that it is done."""
        self._end(evidence)

    @fsm.transition(
        state,
        source=State.READY,
        target=State.FAILED,
        conditions=[rules.its_run_is_on],
        permission=rules.may_do_task,
        custom={
            "label": "Report a problem",
            "question": "Report a problem with “{row}”?",
            "explains": "The task fails, the run stops, and release engineering decides how it "
            "goes on.",
            "needs_reason": True,
            "danger": True,
            "then": ["turnovers.tasks.advance_task_run"],
        },
    )
    def report_problem(self) -> None:
        """It cannot be done; the run stops."""
        self._end("")
        self.detail = self._change_reason or ""

    @fsm.transition(
        state,
        source=State.READY,
        target=State.SKIPPED,
        conditions=[rules.its_run_is_on],
        permission=rules.may_skip,
        custom={
            "label": "Skip",
            "question": "Skip “{row}”?",
            "needs_reason": True,
            "then": ["turnovers.tasks.advance_task_run"],
        },
    )
    def skip(self) -> None:
        """Passed over, for a reason."""
        self._end("")
        self.detail = self._change_reason or ""

    @fsm.transition(
        state,
        source=State.READY,
        target=State.SUCCEEDED,
        conditions=[rules.its_run_is_on],
        permission=rules.may_decide_point,
        custom={
            "label": "Go",
            "primary": True,
            "confirm": True,
            "question": "Go on after “{row}”?",
            "explains": "What comes after this point begins.",
            "then": ["turnovers.tasks.advance_task_run"],
            "said": "{row}: go.",
        },
    )
    def go(self) -> None:
        """What follows may begin."""
        self._end("Go")

    @fsm.transition(
        state,
        source=State.READY,
        target=State.FAILED,
        conditions=[rules.its_run_is_on],
        permission=rules.may_decide_point,
        custom={
            "label": "No go",
            "question": "Do not go on after “{row}”?",
            "explains": "The run stops here, and release engineering decides how it goes on.",
            "needs_reason": True,
            "danger": True,
            "then": ["turnovers.tasks.advance_task_run"],
        },
    )
    def no_go(self) -> None:
        """The run stops at this point."""
        self._end("No go")
        self.detail = self._change_reason or ""

    @fsm.transition(
        state,
        source=State.UNKNOWN,
        target=State.UNKNOWN,
        permission=rules.may_judge_ending,
        custom={
            "label": "Say what happened",
            "question": "What became of “{row}”?",
            "explains": "Look at the system it was to change. A second person has to confirm what "
            "you say before the run goes on.",
            "form": "turnovers.forms.VerdictForm",
            "needs_reason": True,
            "primary": True,
            "said": "A second person has to confirm it.",
        },
    )
    def judge(self, verdict: str = "") -> None:
        """The first of two people says what became of it."""
        self.verdict = verdict
        self.verdict_by = self._history_user
        self.verdict_reason = self._change_reason or ""

    @fsm.transition(
        state,
        source=State.UNKNOWN,
        target=State.SUCCEEDED,
        permission=rules.may_confirm_happened,
        custom={
            "label": "Confirm: it happened",
            "question": "Did “{row}” happen?",
            "explains": "It counts as done, and the run goes on with what follows.",
            "confirm": True,
            "primary": True,
            "then": ["turnovers.tasks.advance_task_run"],
        },
    )
    def confirm_happened(self) -> None:
        """The second person agrees that it happened."""
        self._end(self.verdict_reason)

    @fsm.transition(
        state,
        source=State.UNKNOWN,
        target=State.WAITING,
        conditions=[rules.its_run_is_on, rules.its_worker_is_gone],
        permission=rules.may_confirm_again,
        custom={
            "label": "Confirm: run it again",
            "question": "Run “{row}” again?",
            "explains": "It is carried out once more, with a new idempotency key.",
            "confirm": True,
            "primary": True,
            "then": ["turnovers.tasks.advance_task_run"],
        },
    )
    def confirm_again(self) -> None:
        """The second person agrees that it has to be done again."""
        head, _, number = self.key.rpartition(":")
        self.key = f"{head}:{int(number) + 1}"
        self.ready_at = as_of(self)
        self.ended_at = None
        self.verdict = ""

    @fsm.transition(
        state,
        source=State.UNKNOWN,
        target=State.FAILED,
        permission=rules.may_confirm_failed,
        custom={
            "label": "Confirm: it failed",
            "question": "Did “{row}” fail?",
            "explains": "The run stops, and release engineering decides how it goes on.",
            "confirm": True,
            "danger": True,
            "then": ["turnovers.tasks.advance_task_run"],
        },
    )
    def confirm_failed(self) -> None:
        """The second person agrees that it failed."""
        self._end("")
        self.detail = self.verdict_reason

    @fsm.transition(
        state,
        source=[State.WAITING, State.READY],
        target=State.CANCELLED,
        permission=robot_only,
        custom={"label": "Cancel"},
    )
    def cancel(self) -> None:
        """The run stopped before it."""
        self.ended_at = as_of(self)

    def _end(self, evidence: str) -> None:
        self.started_at = self.started_at or self.ready_at
        self.ended_at = as_of(self)
        self.evidence = evidence
        self.done_by = self._history_user
