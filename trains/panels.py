"""What the apps above show on the pages of trains and of application releases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django.db.models import Exists, Prefetch

    from environments.models import Environment
    from releasemgr.accounts.models import User
    from releasemgr.workflow.states import Status
    from trains.models import ApplicationRelease, Freeze, Train


@dataclass(frozen=True)
class Installed:
    """What is in an environment of an application; some other release of it has no status."""

    release_id: int
    environment: Environment
    version: str
    status: Status | None


#: The turnovers of a train, newest first: a queryset or a list, of which pages take slices.
turnover_rows: list[Callable[[Train], Any]] = []
#: The same of an application release.
release_turnover_rows: list[Callable[[ApplicationRelease], Any]] = []

#: The histories of what upper apps keep about a train, for its History tab.
histories: list[Callable[[Train], Any]] = []
#: What pages of a train fetch with it: whether an upper app holds it, and if so, by what.
held: list[Exists] = []
holders: list[Callable[[], Prefetch[Any]]] = []


#: What is where of the applications of some releases, in a constant number of queries.
installed: list[Callable[[Sequence[ApplicationRelease]], Iterable[Installed]]] = []


def with_holds(trains: Any) -> Any:
    """The trains, each with ``is_held``: whether an upper app holds it. No query more."""
    for is_held in held:
        trains = trains.annotate(is_held=is_held)
    return trains


def turnovers_of(train: Train) -> Any:
    """What the app above knows of the train's turnovers; nothing where there is none."""
    return next((rows(train) for rows in turnover_rows), [])


def turnovers_of_release(release: ApplicationRelease) -> Any:
    return next((rows(release) for rows in release_turnover_rows), [])


def what_is_where(
    releases: Sequence[ApplicationRelease], reserved: Iterable[Environment]
) -> tuple[list[Environment], dict[int, list[Installed | None]]]:
    """The environments that matter to the releases, in order, and what each has of a release."""
    rows = [row for answer in installed for row in answer(releases)]
    environments = sorted(
        {*reserved, *(row.environment for row in rows)},
        key=lambda environment: (environment.position, environment.name),
    )
    found = {(row.release_id, row.environment.pk): row for row in rows}
    places = {
        release.pk: [found.get((release.pk, environment.pk)) for environment in environments]
        for release in releases
    }
    return environments, places


#: The turnovers, as upper apps know them, that a freeze stops now or would; each a queryset.
stopped: list[Callable[[Freeze, User], Any]] = []
#: The exceptions that were asked for from a freeze, newest first.
exceptions: list[Callable[[Freeze, User], Any]] = []
#: The same that were asked for an application release.
release_exceptions: list[Callable[[ApplicationRelease, User], Any]] = []
#: How many of them a page shows.
MOST_STOPPED = 25


def stopped_by(freeze: Freeze, user: User) -> list[Any]:
    """What waits for the end of the freeze, or would; one more than shown where there is more."""
    return [row for rows in stopped for row in rows(freeze, user)[: MOST_STOPPED + 1]]


def exceptions_from(freeze: Freeze, user: User) -> list[Any]:
    """What was asked to pass the freeze; one more than shown where there is more."""
    return [row for rows in exceptions for row in rows(freeze, user)[: MOST_STOPPED + 1]]


def exceptions_of_release(release: ApplicationRelease, user: User) -> list[Any]:
    """From which freezes it was asked to be let pass."""
    return [row for rows in release_exceptions for row in rows(release, user)[:MOST_STOPPED]]
