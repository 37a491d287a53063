"""Numbers that say how the engine does, for people and for monitoring."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from releasemgr.notices.models import Happening, Letter, LetterState
from releasemgr.operations.health import heartbeats, silent_after
from releasemgr.ui.times import span_in_words
from turnovers import life
from turnovers.models import Attempt, LateWord, Run, TaskRun, Turnover
from turnovers.states import RunState, TaskState


@dataclass(frozen=True)
class Counter:
    """One number: what it is called outside and on the page, and whether it only ever grows."""

    name: str
    label: str
    says: str
    value: float | None
    unit: str = ""
    grows: bool = False
    #: From this value on somebody should look.
    alarms_at: float | None = None

    @property
    def is_alarming(self) -> bool:
        if self.value is None or self.alarms_at is None:
            return False
        return self.value >= self.alarms_at

    @property
    def words(self) -> str:
        """The number as people read it."""
        if self.value is None:
            return "–"
        if self.unit != "seconds":
            return f"{self.value:,.0f}"
        if 0 < self.value < 1:
            return f"{self.value * 1000:.0f} ms"
        return span_in_words(dt.timedelta(seconds=self.value))


def counters() -> list[Counter]:
    """All of them, by a fixed number of queries."""
    tasks: Any = TaskRun.objects.order_by().aggregate(
        unknown=Count("pk", filter=Q(state=TaskState.UNKNOWN)),
        waiting=Min(
            "ready_at",
            filter=Q(state=TaskState.WAITING, run__state=RunState.RUNNING, ready_at__lte=Now()),
        ),
    )
    due: Any = Turnover.objects.due().order_by().aggregate(since=Min("earliest"))
    mails: Any = (
        Letter.objects.to_look_at()
        .order_by()
        .aggregate(
            waiting=Count(
                "pk",
                filter=Q(state=LetterState.WAITING, not_before__lte=Now()) | Q(state="sending"),
            ),
            given_up=Count("pk", filter=Q(state=LetterState.GIVEN_UP)),
        )
    )
    now = timezone.now()
    lost = list(TaskRun.objects.overdue().values_list("worker", flat=True))
    alive = life.living(set(lost)) if lost else set()
    beats = heartbeats()
    workers = [beat for beat in beats if beat.kind == "worker"]
    schedulers = [beat for beat in beats if beat.kind == "scheduler"]
    lags = [beat.facts["hint_lag"] for beat in workers if beat.facts.get("hint_lag") is not None]
    return [
        Counter(
            "claims",
            "Claims",
            "Tasks that workers took up, repeats included.",
            Attempt.objects.count(),
            grows=True,
        ),
        Counter(
            "fenced_out",
            "Fenced out",
            "Results that were refused because the worker had lost its claim.",
            LateWord.objects.count(),
            grows=True,
        ),
        Counter(
            "unknown",
            "Unknown",
            "Tasks of which nobody knows whether they happened; two people settle each.",
            tasks["unknown"],
            alarms_at=1,
        ),
        Counter(
            "overdue",
            "Overdue",
            "Running tasks whose lease has run out.",
            len(lost),
            alarms_at=1,
        ),
        Counter(
            "zombies",
            "Zombies",
            "Of these, those whose worker no longer exists.",
            sum(worker not in alive for worker in lost),
            alarms_at=1,
        ),
        Counter(
            "runs_running",
            "Runs under way",
            "Runs that are on.",
            Run.objects.running().count(),
        ),
        Counter(
            "hint_lag",
            "Hint lag",
            "How long the newest message to a worker was under way.",
            max(lags, default=None),
            unit="seconds",
            alarms_at=10,
        ),
        Counter(
            "oldest_due",
            "Oldest due turnover",
            "How long a turnover has been due and has not started.",
            _seconds(now, due["since"]),
            unit="seconds",
        ),
        Counter(
            "oldest_waiting",
            "Oldest waiting task",
            "How long a task has waited for a worker.",
            _seconds(now, tasks["waiting"]),
            unit="seconds",
            alarms_at=60,
        ),
        Counter("workers", "Workers", "Workers that were seen of late.", _seen(workers)),
        Counter(
            "schedulers", "Schedulers", "Schedulers that were seen of late.", _seen(schedulers)
        ),
        Counter(
            "worker_age",
            "Last sign of a worker",
            "How long ago.",
            min((beat.age for beat in workers), default=None),
            unit="seconds",
            alarms_at=silent_after(),
        ),
        Counter(
            "scheduler_age",
            "Last sign of a scheduler",
            "How long ago.",
            min((beat.age for beat in schedulers), default=None),
            unit="seconds",
            alarms_at=silent_after(),
        ),
        Counter(
            "steps_to_tell",
            "Steps to tell of",
            "What has happened, and nobody is told of yet.",
            Happening.objects.count(),
        ),
        Counter(
            "mails_waiting",
            "Mails to send",
            "Mails whose time has come, and that are not sent yet.",
            mails["waiting"],
        ),
        Counter(
            "mails_given_up",
            "Mails given up",
            "Mails that the mail server did not take; the administration says why.",
            mails["given_up"],
            alarms_at=1,
        ),
    ]


def _seen(beats: list[Any]) -> int:
    return sum(not beat.is_silent for beat in beats)


def _seconds(now: dt.datetime, since: dt.datetime | None) -> float:
    return 0.0 if since is None else round(max(0.0, (now - since).total_seconds()), 3)
