"""What the plan of a train says of its turnovers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trains.plan.facts import Part, moment
from turnovers.models import Turnover
from turnovers.states import TurnoverState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trains.models import Train
    from trains.plan.facts import Item


def _turnovers(train: Train) -> Iterator[Item]:
    """All but the cancelled ones: those of the train, and those of what is aboard."""
    planned = Turnover.objects.of_train(train).exclude(state=TurnoverState.CANCELLED)
    for turnover in planned.select_related("environment").order_by("pk"):
        yield (
            turnover.pk,
            {
                "name": turnover.title,
                "environment": turnover.environment.name,
                "earliest": moment(turnover.earliest),
                "latest": moment(turnover.latest),
                "state": turnover.status.label,
            },
        )


def _history(train: int) -> Any:
    # What belongs to a train depends on what rides it; whoever asks names the turnovers anyhow.
    return Turnover.history.all()


TURNOVERS = Part(
    name="turnovers",
    words="Turnover",
    items=_turnovers,
    facts={
        "name": ("Title", "title"),
        "environment": ("Environment", "environment_id"),
        "earliest": ("Earliest start", "earliest"),
        "latest": ("Latest start", "latest"),
        "state": ("State", "state"),
    },
    history=_history,
)
