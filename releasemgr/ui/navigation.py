"""What the sidebar shows. Upper apps plug in counts and followed trains from ``ready()``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from releasemgr.workflow.states import Status


@dataclass(frozen=True)
class Place:
    """One entry of the navigation; its name is the route it leads to."""

    name: str
    label: str
    icon: str
    #: The second key of the sequence "G, then …".
    key: str = ""
    #: The beginnings of the route names for which this entry is the current one.
    covers: tuple[str, ...] = ()
    permission: str = ""
    #: Opens it as well.
    or_permission: str = ""
    on_phone: bool = False
    #: Stands at the top of a phone's page instead, with its count.
    on_top: bool = False
    #: A count of what waits for the reader is loud; other counts are quiet.
    loud: bool = False


class Followed(Protocol):
    """A record that a person follows, as the sidebar lists it."""

    @property
    def status(self) -> Status: ...

    def get_absolute_url(self) -> str: ...


PLACES = (
    Place("portal:work", "My work", "inbox", "m", ("portal:work",), on_phone=True, loud=True),
    Place("notices:list", "Notices", "bell", "n", ("notices:",), on_top=True),
    Place("approvals:inbox", "Approvals", "stamp", "a", ("approvals:",), on_phone=True),
    Place("trains:list", "Trains", "train-front", "t", ("trains:",), on_phone=True),
    Place("turnovers:list", "Turnovers", "rocket", "o", ("turnovers:",), on_phone=True),
    Place(
        "environments:list",
        "Environments",
        "server",
        "e",
        ("environments:", "trains:freeze", "turnovers:freeze"),
        on_phone=True,
    ),
    Place("trains:applications", "Applications", "package", "p", ("trains:application",)),
    Place(
        "exchange:new",
        "Import",
        "file-up",
        covers=("exchange:",),
        permission="exchange.import_data",
    ),
    Place(
        "exchange:exports",
        "Export",
        "download",
        covers=("exchange:exports",),
        permission="exchange.export_data",
    ),
    Place(
        "operations:status",
        "Status",
        "monitor",
        covers=("operations:",),
        permission="turnovers.run_turnover",
        or_permission="accounts.view_user",
    ),
)

#: Each answers how many things wait for a person, by the route names of places; one query each.
counters: list[Callable[[Any], dict[str, int]]] = []

#: Each answers with the records that a person follows; at most one query each.
following: list[Callable[[Any], Iterable[Followed]]] = []


def is_offered(place: Place, user: Any) -> bool:
    """Whether the place is in this person's menu."""
    wanted = [name for name in (place.permission, place.or_permission) if name]
    return not wanted or any(user.has_perm(name) for name in wanted)


def current_place(view_name: str) -> str:
    """The place that a route belongs to: the one that names it most exactly."""
    matches = [
        (len(start), place.name)
        for place in PLACES
        for start in place.covers
        if view_name.startswith(start)
    ]
    return max(matches, default=(0, ""))[1]
