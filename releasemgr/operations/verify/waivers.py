"""V3 and V6: what was waived was granted, for as long, and by somebody else than who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, F, OuterRef, Q, Subquery

from releasemgr.operations.verify.violation import Violation
from trains.models import Criterion, Waiver
from trains.states import CriterionState, WaiverState

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Those that have been granted, whatever became of them.
ONCE_GRANTED = [WaiverState.GRANTED, WaiverState.EXPIRED, WaiverState.REVOKED]


def waivers_fit_criteria() -> Iterator[Violation]:
    """V3: a criterion is waived because a waiver was granted, and each granted one lets it pass."""
    granted = Waiver.objects.filter(criterion=OuterRef("pk"), state__in=ONCE_GRANTED)
    criteria: Any = Criterion.objects.filter(state=CriterionState.WAIVED)
    for row in criteria.filter(~Exists(granted)).select_related("gate__train").iterator():
        what = "It is waived, and no waiver of it was granted."
        yield Violation(what, f"trains.criterion {row.pk}", row.get_absolute_url())
    idle = Waiver.objects.filter(state=WaiverState.GRANTED).exclude(
        criterion__state=CriterionState.WAIVED, criterion__waived_until=F("until")
    )
    for pk in idle.order_by("pk").values_list("pk", flat=True).iterator():
        yield _about(pk, "It is granted, and its criterion is not waived until the same day.")


def grants_are_apart() -> Iterator[Violation]:
    """V6: nobody grants what they asked for, or a waiver of a criterion that was theirs."""
    criteria: Any = Criterion.history
    before = criteria.filter(
        id=OuterRef("criterion_id"), history_date__lte=OuterRef("history_date")
    )
    owner = Subquery(before.order_by("-version", "-history_id").values("owner_id")[:1])
    history: Any = Waiver.history
    grants = history.filter(transition="grant").annotate(whose=owner)
    own = grants.filter(Q(history_user=F("asked_by_id")) | Q(history_user=F("whose")))
    told = set()
    for pk, who, asked, by in own.values_list("id", "actor", "asked_by_id", "history_user"):
        told.add(pk)
        why = "which they had asked for" if asked == by else "of a criterion of their own"
        yield _about(pk, f"{who} granted it, {why}.")
    alone = Waiver.objects.filter(state__in=ONCE_GRANTED).filter(
        Q(decided_by=None) | Q(decided_by=F("asked_by"))
    )
    for pk in alone.exclude(pk__in=told).values_list("pk", flat=True).iterator():
        yield _about(pk, "It is granted without a second person.")


def _about(pk: int, what: str) -> Violation:
    return Violation(what, f"trains.waiver {pk}", Waiver(pk=pk).get_absolute_url())
