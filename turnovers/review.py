"""What is needed to judge a turnover: what came back last time, what is new, what was checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from turnovers import rules
from turnovers.changes import Change, changes
from turnovers.states import TurnoverState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from releasemgr.workflow.rules import Guard
    from turnovers.models import Delivery, Turnover

#: The steps that send a turnover back to its developer.
RETURNS = ("return_to_author", "take_back", "send_back", "back_to_draft")

#: What accepting asks, in words for when the answer is yes.
CHECKS: tuple[tuple[Guard, str], ...] = (
    (rules.plan_is_as_delivered, "The plan is as it was delivered"),
    (rules.its_tasks_are_valid, "Every task says who or what carries it out"),
    (rules.it_has_a_window, "Its window is ahead"),
    (rules.its_environment_is_online, "{environment} is online"),
    (rules.slot_is_free, "{environment} is free for the whole window"),
    (rules.its_item_allows_it, "{item} may be deployed at its stage"),
)
#: What only has to be true when it starts.
LATER_CHECKS: tuple[tuple[Guard, str], ...] = (
    (rules.predecessors_are_deployed, "All that it needs is there, or comes with it"),
    (rules.train_lets_it_start, "{environment} is open to its train"),
    (rules.line_is_not_held, "The line is not held"),
    (rules.no_freeze_covers_its_window, "No freeze lies in its window"),
)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; ``tone`` and ``glyph`` say how it is."""

    words: str
    detail: str = ""
    tone: str = "ok"
    glyph: str = "done"


@dataclass(frozen=True)
class Review:
    """A plan beside the version before it."""

    latest: Delivery | None
    earlier: Delivery | None
    last_return: Any
    changes: list[Change]

    @property
    def number(self) -> int:
        return self.latest.number if self.latest else 0

    @property
    def tasks_gone(self) -> list[Change]:
        return [change for change in self.changes if change.kind == "removed"]


def review(turnover: Turnover) -> Review:
    """What is new: a draft beside what was delivered last, anything later beside the one before."""
    newest = list(turnover.deliveries.order_by("-number")[:2])
    if not newest:
        return Review(None, None, None, [])
    latest = newest[0]
    if turnover.is_editable:
        new = changes(latest.plan, turnover.plan())
        return Review(latest, latest, last_return(turnover), new)
    earlier = newest[1] if len(newest) > 1 else None
    new = changes(earlier.plan, latest.plan) if earlier else []
    return Review(latest, earlier, last_return(turnover) if earlier else None, new)


def last_return(turnover: Turnover) -> Any:
    """The history row that says who sent it back last, and why."""
    return turnover.history.filter(transition__in=RETURNS).order_by("-history_id").first()


def checks(turnover: Turnover) -> list[Check]:
    """Everything that accepting asks, and what starting will ask, answered."""
    return [
        *_answers(turnover, CHECKS, tone="bad", glyph="fail"),
        *_answers(turnover, LATER_CHECKS, tone="warn", glyph="warn"),
        *_seen_elsewhere(turnover),
    ]


def _answers(
    turnover: Turnover, asked: tuple[tuple[Guard, str], ...], *, tone: str, glyph: str
) -> Iterator[Check]:
    names = {"environment": turnover.environment.name, "item": turnover.item}
    for guard, words in asked:
        found = guard.blockers(turnover)
        for blocker in found:
            detail = "can be accepted, can’t start" if tone == "warn" else blocker.needed
            yield Check(blocker.title, detail, tone, glyph)
        if not found:
            yield Check(words.format(**names))


def _seen_elsewhere(turnover: Turnover) -> Iterator[Check]:
    """Whether the turnover that it was promoted from had the same contents and was verified."""
    source = turnover.promoted_from
    if source is None:
        return
    same = _carried(source) == _carried(turnover)
    if same and source.state in {TurnoverState.VERIFIED, TurnoverState.CLOSED}:
        yield Check(f"Same contents verified on {source.environment.name}")
    else:
        words = "carries other contents" if not same else source.status.label.lower()
        yield Check(f"{source.ref} on {source.environment.name}", words, "warn", "warn")


def _carried(turnover: Turnover) -> set[tuple[int, str]]:
    return set(turnover.contents.values_list("release", "version_name"))
