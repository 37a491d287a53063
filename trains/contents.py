"""What a train's approvals are bound to: canonical content, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from approvals.models import Part
from trains.states import CriterionState

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable

    from trains.models import Train

#: The gate at the end of the stage that each approval concludes.
GATES = {"train": "scoping", "development": "construction", "executive": "qa"}

#: What the app above adds to the executive approval: of the deployment plans handed over for
#: production before a moment, what they hold and when they may start, each as (part, label, lines).
plan_questions: list[Callable[[Train, dt.datetime | None], Iterable[tuple[str, str, list[str]]]]]
plan_questions = []


def content_of(
    train: Train,
    which: str,
    parts: Collection[str] = tuple(Part),
    asked_at: dt.datetime | None = None,
) -> dict[str, Any]:
    """What the approval ``which`` is bound to, of the ``parts`` that count for it.

    Reads the database; the digest of this is what makes an approval valid or not. Plans that were
    handed over after ``asked_at`` are not part of what was asked; they can be made later.
    """
    content: dict[str, Any] = {"Train": train.name, "Release type": train.release_type.name}
    if Part.PURPOSE in parts:
        content["Purpose"] = train.purpose
    if Part.SCHEDULE in parts:
        content |= {label: date.isoformat() for label, date in train.needed_dates if date}
    if Part.SCOPE in parts or Part.VERSIONS in parts:
        content["Application releases"] = _aboard(train, with_versions=Part.VERSIONS in parts)
    if Part.CRITERIA in parts:
        criteria = train.gates.filter(stage=GATES[which], criteria__isnull=False).values_list(
            "criteria__title", "criteria__state"
        )
        content["Exit criteria"] = sorted(
            f"{title}: {CriterionState(state).label}" for title, state in criteria
        )
    if which == "executive":
        if Part.CONSENT in parts:
            content["Consent"] = str(train.consent_by or "")
        for question in plan_questions:
            content |= {
                label: lines for part, label, lines in question(train, asked_at) if part in parts
            }
    return content


def _aboard(train: Train, *, with_versions: bool) -> list[str]:
    releases = [
        place.release for place in train.boardings.aboard().select_related("release__application")
    ]
    return sorted(
        str(release) if with_versions else str(release.application) for release in releases
    )
