"""What upper apps show on an environment's page; they plug in from ``ready()``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from environments.models import Environment
    from releasemgr.workflow.states import Status


@dataclass(frozen=True)
class Deployed:
    """Something that was deployed there, as a row of the page."""

    name: str
    url: str
    version: str
    status: Status
    by: str
    by_url: str
    at: datetime | None


@dataclass(frozen=True)
class Queued:
    """Something that deploys there, or will when its turn comes."""

    name: str
    ref: str
    url: str
    status: Status
    at: datetime | None


@dataclass(frozen=True)
class Frozen:
    """A period in which nothing is deployed to an environment."""

    environment_id: int
    name: str
    url: str
    starts: datetime
    ends: datetime | None
    words: str


#: Each answers with the freezes of these environments that touch ``[starts, ends)``, by their time,
#: in one query.
freezes: list[Callable[[Collection[Environment], datetime, datetime], Iterable[Frozen]]] = []
#: How much of a queue the page shows.
MOST_QUEUED = 20
#: Each answers with the first ``MOST_QUEUED`` of what deploys there or waits to, in its order.
queues: list[Callable[[Environment], Iterable[Queued]]] = []
#: Each answers with what is in the environment now, newest first, in a constant number of queries.
deployed: list[Callable[[Environment], Iterable[Deployed]]] = []


def deployed_in(environment: Environment) -> list[Deployed]:
    """What is in the environment now, as every upper app knows it."""
    return [row for answer in deployed for row in answer(environment)]


def queue_of(environment: Environment) -> list[Queued]:
    """What deploys there and what waits to, as every upper app knows it."""
    return [row for answer in queues for row in answer(environment)]


def frozen_in(
    environments: Collection[Environment], starts: datetime, ends: datetime
) -> list[Frozen]:
    """When nothing is deployed to these environments, as every upper app knows it."""
    found = [row for answer in freezes for row in answer(environments, starts, ends)]
    return sorted(found, key=lambda row: (row.starts, row.name, row.environment_id))
