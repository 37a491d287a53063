"""Finding records of every kind that has a page, pages, and commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from environments.models import Booking, Environment
from releasemgr.ui.navigation import PLACES, is_offered
from trains.models import (
    Application,
    ApplicationRelease,
    Cadence,
    Freeze,
    PlanVersion,
    Template,
    Train,
    Waiver,
)
from turnovers.models import Turnover

if TYPE_CHECKING:
    from collections.abc import Callable

    from releasemgr.accounts.models import User

#: A reference as people write it: the letters of its kind, and its number.
REFERENCE = re.compile(r"(RT|AR|TO|EB|FR)[-\s]?0*([1-9][0-9]{0,8})", re.ASCII | re.IGNORECASE)
REFERRED: dict[str, Any] = {
    "RT": Train,
    "AR": ApplicationRelease,
    "TO": Turnover,
    "EB": Booking,
    "FR": Freeze,
}


@dataclass(frozen=True)
class Result:
    """One line of the answer."""

    label: str
    url: str
    icon: str
    ref: str = ""
    keys: str = ""
    status: Any = None


@dataclass(frozen=True)
class Command:
    """Something that a person may begin from anywhere."""

    label: str
    route: str
    icon: str
    permission: str


COMMANDS = (
    Command("New train", "trains:new", "plus", "trains.steer_train"),
    Command("New template", "trains:template-new", "plus", "trains.steer_train"),
    Command("New cadence", "trains:cadence-new", "plus", "trains.steer_train"),
    Command("New application release", "trains:release-new", "plus", "trains.own_release"),
    Command("New application", "trains:application-new", "plus", "trains.edit_application"),
    Command("New turnover", "turnovers:new", "plus", "turnovers.write_turnover"),
    Command(
        "Book an environment", "environments:book", "calendar-plus", "environments.book_environment"
    ),
    Command("Declare a freeze", "trains:freeze-new", "plus", "trains.manage_freeze"),
    Command("New environment", "environments:new", "plus", "environments.manage_environment"),
)
#: Pages that the sidebar does not list.
PAGES = (
    ("Application releases", "trains:releases", "package"),
    ("Templates", "trains:templates", "layers"),
    ("Cadences", "trains:cadences", "refresh-cw"),
    ("Bookings", "environments:bookings", "calendar-days"),
    ("Freezes", "trains:freezes", "lock"),
    ("Holds", "turnovers:holds", "pause"),
    ("Your settings", "accounts:me", "settings"),
)


def referred_to(user: User, words: str) -> Any:
    """The one record that the words are the reference of, such as RT-142, if there is such."""
    match = REFERENCE.fullmatch(words.strip())
    if match is None:
        return None
    model = REFERRED[match[1].upper()]
    return _seen(model, user).filter(pk=int(match[2])).first()


def answer(user: User, words: str, most: int) -> list[tuple[str, list[Result]]]:
    """What the words find, kind by kind, up to ``most`` of each; without words, where to go."""
    groups = [("Go to", _pages(user, words)), ("Do", _commands(user, words))]
    if not words:
        return [(title, rows) for title, rows in groups if rows]
    found = [
        (title, [_result(row, icon) for row in rows(user).matching(words)[:most]])
        for title, icon, rows in KINDS
    ]
    if (record := referred_to(user, words)) is not None:
        found.insert(0, ("By its number", [_result(record, "corner-down-left")]))
    return [(title, rows) for title, rows in found + groups if rows]


def _result(row: Any, icon: str) -> Result:
    label = f"{row.train}, {row}: {row.reason}" if isinstance(row, PlanVersion) else str(row)
    return Result(
        label,
        row.get_absolute_url(),
        icon,
        ref=getattr(row, "ref", ""),
        status=getattr(row, "status", None),
    )


def _pages(user: User, words: str) -> list[Result]:
    places = [
        Result(place.label, reverse(place.name), place.icon, keys=_keys(place.key))
        for place in PLACES
        if is_offered(place, user)
    ]
    places += [Result(label, reverse(route), icon) for label, route, icon in PAGES]
    return [place for place in places if _says(place.label, words)]


def _keys(key: str) -> str:
    return f"G {key.upper()}" if key else ""


def _commands(user: User, words: str) -> list[Result]:
    return [
        Result(command.label, reverse(command.route), command.icon)
        for command in COMMANDS
        if user.has_perm(command.permission) and _says(command.label, words)
    ]


def _says(label: str, words: str) -> bool:
    """Whether the label holds every word."""
    return all(word in label.casefold() for word in words.casefold().split())


def _seen(model: Any, user: User) -> Any:
    related = {ApplicationRelease: ("application",), Booking: ("environment",)}
    rows = model.objects.visible_to(user)
    return rows.select_related(*related[model]) if model in related else rows


KINDS: tuple[tuple[str, str, Callable[[User], Any]], ...] = (
    ("Trains", "train-front", lambda user: _seen(Train, user)),
    ("Application releases", "package", lambda user: _seen(ApplicationRelease, user)),
    ("Turnovers", "rocket", lambda user: _seen(Turnover, user)),
    ("Environments", "server", lambda user: _seen(Environment, user)),
    ("Bookings", "calendar-days", lambda user: _seen(Booking, user)),
    ("Freezes", "lock", lambda user: _seen(Freeze, user)),
    ("Applications", "boxes", lambda user: _seen(Application, user)),
    ("Templates", "layers", lambda user: _seen(Template, user)),
    ("Cadences", "refresh-cw", lambda user: _seen(Cadence, user)),
    ("Waivers", "shield-check", lambda user: _seen(Waiver, user)),
    ("Plan versions", "git-compare-arrows", lambda user: _seen(PlanVersion, user)),
)
