"""V3 and V4: approvals and plan versions say what their digests say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Max

from approvals.content import digest
from approvals.models import Decision, Signoff
from releasemgr.operations.verify.violation import Violation
from trains.models import PlanContent, PlanVersion, Train

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The states in which what was sealed counts, or may come to count.
SEALED = [Signoff.State.READY, Signoff.State.APPROVED]
VOTES = [Decision.Verdict.APPROVE, Decision.Verdict.CONDITION]


def approvals_fit_contents() -> Iterator[Violation]:
    """V3: what counts was decided upon exactly the content that the sheet holds."""
    sheets: Any = Signoff.objects.filter(state__in=SEALED).order_by("pk")
    for pk, state, content, sealed in sheets.values_list(
        "pk", "state", "content", "digest"
    ).iterator():
        if digest(content) != sealed:
            yield _sheet(pk, f"It is {state} for other content than its digest says.")
    votes = Decision.objects.filter(
        signoff__state__in=SEALED,
        round=F("signoff__round"),
        verdict__in=VOTES,
        recalls=None,
        recalled_by=None,
    ).exclude(digest=F("signoff__digest"))
    for sheet, who in votes.order_by("pk").values_list("signoff", "person_name").iterator():
        yield _sheet(sheet, f"The vote of {who} counts, and was given for other content.")


def plan_versions_are_whole() -> Iterator[Violation]:
    """V4: each kept plan says what its digest says, and none of a train's versions is missing."""
    contents: Any = PlanContent.objects.order_by("pk")
    for pk, train, facts, kept in contents.values_list("pk", "train", "facts", "digest").iterator():
        if digest(facts) != kept:
            yield _plan(f"trains.plancontent {pk}", train, "It says else than its digest says.")
    strays = PlanVersion.objects.exclude(content__train=F("train"))
    for pk, train in strays.values_list("pk", "train").iterator():
        yield _plan(f"trains.planversion {pk}", train, "Its content is the plan of another train.")
    counted: Any = PlanVersion.objects.order_by("train").values("train")
    numbers = counted.annotate(rows=Count("pk"), last=Max("number"))
    for row in numbers.exclude(rows=F("last")).iterator():
        what = f"It has {row['rows']} versions of its plan, numbered up to {row['last']}."
        yield _plan(f"trains.train {row['train']}", row["train"], what)


def _sheet(pk: int, what: str) -> Violation:
    return Violation(what, f"approvals.signoff {pk}", Signoff(pk=pk).get_absolute_url())


def _plan(where: str, train: int, what: str) -> Violation:
    return Violation(what, where, Train(pk=train).get_absolute_url())
