"""What whoever decides upon a train sees first: a few facts, and where to look for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.template.defaultfilters import pluralize
from django.utils.formats import date_format

from trains import health
from trains.contents import GATES
from trains.waivers import told_to_approvers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trains.models import Train

#: Facts that the app above adds, after "What they get", such as what happens if it fails.
fact_questions: list[Callable[[Train, str], Iterable[list[str]]]] = []
#: Evidence that the app above adds: an icon, words and an address for each.
evidence_questions: list[Callable[[Train, str], Iterable[tuple[str, str, str]]]] = []
LONGEST = 300


def facts_for(train: Train, which: str) -> list[list[str]]:
    """The decision page's facts: label, fact, a second line and, where it says more, a tone.

    What has the label "Recommendation" stands above the others, in its own frame.
    """
    aboard = list(train.boardings.aboard().select_related("release__application"))
    items = sum(place.release.work_items.count() for place in aboard)
    settled, total, waived = _criteria(train, which)
    assessment = health.of(train)
    risk = assessment.note or "; ".join(reason.sentence for reason in assessment.reasons)
    facts = [
        ["When", _span(train, which), f"{train.release_type.name} release"],
        [
            "What they get",
            (
                f"{len(aboard)} application release{pluralize(len(aboard))}, "
                f"{items} work item{pluralize(items)}"
            ),
            train.purpose[:LONGEST],
        ],
    ]
    facts += told_to_approvers(train)
    for question in fact_questions:
        facts += question(train, which)
    facts += [
        ["Criteria", f"{settled} of {total} settled", _waived(waived), "warn" if waived else ""],
        ["Risk", assessment.status.label, risk[:LONGEST], assessment.status.tone],
    ]
    if which == "executive" and train.consent_by:
        said = f"{train.consent_by} consents. {settled} of {total} exit criteria are settled."
        facts.insert(0, ["Recommendation", "Release engineering recommends it", said, "ok"])
    return facts


def evidence_for(train: Train, which: str) -> Iterator[tuple[str, str, str]]:
    """Where to look: the gate's criteria, what is aboard, and what the app above has."""
    settled, total, _ = _criteria(train, which)
    criteria = f"{settled} of {total} exit criteria" if total else "No exit criteria"
    yield "list-checks", criteria, train.tab_url("gates")
    aboard = train.boardings.aboard().count()
    words = f"{aboard} application release{pluralize(aboard)} aboard"
    yield "package", words, train.tab_url("releases")
    for question in evidence_questions:
        yield from question(train, which)


def _criteria(train: Train, which: str) -> tuple[int, int, list[str]]:
    """Of the gate that the approval is about: how many are settled, of how many; those waived."""
    rows = [c for g in train.gates.all() if g.stage == GATES[which] for c in g.criteria.all()]
    waived = [c.title for c in rows if c.state == "waived"]
    return sum(c.is_settled for c in rows), len(rows), waived


def _waived(titles: list[str]) -> str:
    return "; ".join(f"Waived: {title}" for title in titles)[:LONGEST]


def _span(train: Train, which: str) -> str:
    """The whole train; for production, the days that are planned for it."""
    first = train.qa_end if which == "executive" and train.qa_end else train.start
    days = [date_format(day, "j F Y") for day in (first, train.end) if day]
    return " to ".join(days) or "No dates yet"
