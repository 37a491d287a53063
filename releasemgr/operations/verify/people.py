"""V6: nobody holds two incompatible parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, F, OuterRef, Q

from approvals.models import Decision, Signoff
from releasemgr.operations.verify.claims import task_run
from releasemgr.operations.verify.violation import Violation
from turnovers.models import TaskRun, Turnover

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What nobody does with a turnover of their own.
JUDGING = ("accept", "return_to_author", "verify", "send_back")
CONFIRMING = ("confirm_happened", "confirm_again", "confirm_failed")


def parts_are_apart() -> Iterator[Violation]:
    """V6."""
    turnovers: Any = Turnover.history
    own = turnovers.filter(transition__in=JUDGING, history_user=F("author_id"))
    for pk, step, who in own.values_list("id", "transition", "actor").iterator():
        yield Violation(
            f"{who} took “{step}” as its author.",
            f"turnovers.turnover {pk}",
            Turnover(pk=pk).get_absolute_url(),
        )
    task_runs: Any = TaskRun.history
    alone = task_runs.filter(transition__in=CONFIRMING).filter(
        Q(verdict_by=None) | Q(history_user=F("verdict_by_id"))
    )
    for pk, run, step, who in alone.values_list("id", "run_id", "transition", "actor").iterator():
        yield task_run(pk, run, f"{who} took “{step}” without a second person.")
    yield from _own_approvals()


def _own_approvals() -> Iterator[Violation]:
    """Decisions of the present round by or for whoever asked, or whose work it is."""
    sides = Q(user=OuterRef("person")) | Q(user=OuterRef("on_behalf_of"))
    barred = Signoff.barred.through.objects.filter(sides, signoff=OuterRef("signoff"))
    present = Decision.objects.filter(round=F("signoff__round"))
    asker = F("signoff__requested_by")
    own = present.filter(Q(person=asker) | Q(on_behalf_of=asker) | Exists(barred))
    for pk, sheet, who in own.values_list("pk", "signoff", "person_name").iterator():
        yield Violation(
            f"{who} decided upon work of their own.",
            f"approvals.decision {pk}",
            Signoff(pk=sheet).get_absolute_url(),
        )
