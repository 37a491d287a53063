"""What lies between two versions of a plan: added, removed, moved and changed, in words."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format

from releasemgr.ui.times import local, moment_in_words
from trains.plan.facts import parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trains.plan.facts import Part, Plan

ADDED, REMOVED, MOVED, CHANGED = "added", "removed", "moved", "changed"
#: How a kind of difference is drawn: its sign and its tone.
LOOKS = {ADDED: ("+", "ok"), REMOVED: ("−", "bad"), MOVED: ("→", "warn"), CHANGED: ("~", "warn")}
#: The facts that say the most about a thing that was added or removed.
TELLING = ("version", "due", "day", "starts", "earliest")


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was: where, what, from what, to what, and by how many days."""

    part: Part
    key: str
    name: str
    kind: str
    fact: str = ""
    before: str = ""
    after: str = ""
    days: int = 0

    @property
    def what(self) -> str:
        """The fact in words; nothing where the whole thing was added or removed."""
        return self.part.facts[self.fact][0] if self.fact else ""

    @property
    def sign(self) -> str:
        return LOOKS[self.kind][0]

    @property
    def tone(self) -> str:
        return LOOKS[self.kind][1]

    @property
    def about(self) -> str:
        """What it is about: "Milestone “Code freeze”", or "Train" where there is but one."""
        return f"{self.part.words} “{self.name}”" if self.key else self.part.words

    @property
    def days_in_words(self) -> str:
        """ "7 days later", "1 day earlier"; nothing where no date moved."""
        return shift_in_words(self.days) if self.days else ""

    @property
    def sentence(self) -> str:
        """The whole of it, without a full stop."""
        if not self.fact:
            more = f" ({self.after or self.before})" if self.after or self.before else ""
            return f"{self.about} was {self.kind}{more}"
        if self.kind == MOVED:
            shift = f": {self.days_in_words}" if self.days else ""
            return f"{self.about}: {self.what} moved from {self.before} to {self.after}{shift}"
        before, after = self.before or "nothing", self.after or "nothing"
        return f"{self.about}: {self.what} changed from “{before}” to “{after}”"


def compare(before: Plan, after: Plan) -> list[Difference]:
    """Every difference between two plans, part by part; what is gone before what is new."""
    return [
        difference
        for part in parts()
        for difference in _of_part(part, before.get(part.name, {}), after.get(part.name, {}))
    ]


def _of_part(
    part: Part, before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]
) -> Iterator[Difference]:
    for key, was in before.items():
        if key not in after:
            yield Difference(part, key, was["name"], REMOVED, before=_telling(part, was))
    for key, now in after.items():
        if key in before:
            yield from _of_thing(part, key, before[key], now)
        else:
            yield Difference(part, key, now["name"], ADDED, after=_telling(part, now))


def _of_thing(
    part: Part, key: str, was: dict[str, Any], now: dict[str, Any]
) -> Iterator[Difference]:
    for fact in part.facts:
        # A fact that one of the versions does not know yet was not a part of plans at its time.
        if fact not in was or fact not in now or was[fact] == now[fact]:
            continue
        old, new = _moment(was[fact]), _moment(now[fact])
        yield Difference(
            part,
            key,
            now["name"],
            MOVED if old and new else CHANGED,
            fact,
            in_words(was[fact]),
            in_words(now[fact]),
            (local(new).date() - local(old).date()).days if old and new else 0,
        )


def _telling(part: Part, facts: dict[str, Any]) -> str:
    told = [
        f"{part.facts[fact][0].lower()} {in_words(facts[fact])}"
        for fact in TELLING
        if fact in part.facts and facts.get(fact)
    ]
    return ", ".join(told)


def _moment(value: Any) -> dt.datetime | None:
    """The day or the moment that a value is; a day is its noon, which every zone keeps."""
    if not isinstance(value, dict):
        return None
    if "day" in value:
        return dt.datetime.combine(dt.date.fromisoformat(value["day"]), dt.time(12), dt.UTC)
    return dt.datetime.fromisoformat(value["at"])


def in_words(value: Any) -> str:
    """A value as people read it: days and moments with their year, in the reader's zone."""
    if not isinstance(value, dict):
        return str(value)
    if "day" in value:
        return str(date_format(dt.date.fromisoformat(value["day"]), "j F Y"))
    return str(date_format(local(dt.datetime.fromisoformat(value["at"])), "j F Y, H:i"))


def shift_in_words(days: int) -> str:
    """ "7 days later", "1 day earlier"."""
    count = abs(days)
    return f"{count} day{'' if count == 1 else 's'} {'later' if days > 0 else 'earlier'}"


def slip_of(differences: Iterable[Difference]) -> int:
    """By how many days the end of the train moved; negative where it comes earlier."""
    return next((d.days for d in differences if d.part.name == "train" and d.fact == "end"), 0)


def slip_in_words(days: int) -> str:
    """What became of the end: "The end stays", "The end is 7 days later: 7 days are lost"."""
    if not days:
        return "The end stays where it was"
    count = abs(days)
    verb = "day is" if count == 1 else "days are"
    lost = "lost" if days > 0 else "gained"
    return f"The end is {shift_in_words(days)}: {count} {verb} {lost}"


def summary(differences: list[Difference]) -> str:
    """How much there is of what: "2 added, 1 moved"; "No difference" where there is none."""
    counts = Counter(difference.kind for difference in differences)
    told = [f"{counts[kind]} {kind}" for kind in LOOKS if counts[kind]]
    return ", ".join(told) or "No difference"


def transcript(
    title: str, differences: list[Difference], witnesses: dict[Difference, Any]
) -> Iterator[str]:
    """The comparison as lines of plain text."""
    yield title
    yield f"{summary(differences)}. {slip_in_words(slip_of(differences))}."
    heading = ""
    for difference in differences:
        if difference.part.words != heading:
            heading = difference.part.words
            yield ""
            yield heading
        entry = witnesses.get(difference)
        who = f" {entry.actor}, {moment_in_words(entry.history_date)}." if entry else ""
        yield f"  {difference.sign} {difference.sentence}.{who}"
