"""Years of finished work, to see how the lists behave with it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from simple_history.utils import bulk_create_with_history

from trains.models import Train
from trains.states import TrainState
from turnovers.models import Turnover
from turnovers.states import TurnoverState

if TYPE_CHECKING:
    from releasemgr.demo.story import Story

TREES = [
    "Almond",
    "Ash",
    "Aspen",
    "Beech",
    "Box",
    "Buckthorn",
    "Cherry",
    "Cypress",
    "Dogwood",
    "Elm",
    "Hawthorn",
    "Holly",
    "Hornbeam",
    "Larch",
    "Lime",
    "Maple",
    "Medlar",
    "Mulberry",
    "Oak",
    "Pear",
    "Pine",
    "Plane",
    "Plum",
    "Quince",
    "Rowan",
    "Spruce",
    "Walnut",
    "Willow",
]
TRAINS = 600
EVERY = 6  # days


def add_years(story: Story) -> None:
    """Closed trains, one every six days into the past, each with one closed turnover."""
    manager, production = story.people["jonas"], story.environments["prod-us"]
    kinds = list(story.types.values())
    trains = []
    for number in range(TRAINS):
        end = story.today - dt.timedelta(days=90 + number * EVERY)
        name = f"{TREES[number % len(TREES)]} {end:%y}.{end.isocalendar().week}"
        trains.append(
            Train(
                name=name,
                version_name=f"{end:%y}.{end.isocalendar().week}",
                purpose="Regular release.",
                release_type=kinds[number % len(kinds)],
                manager=manager,
                start=end - dt.timedelta(days=77),
                scoping_end=end - dt.timedelta(days=63),
                construction_end=end - dt.timedelta(days=28),
                qa_end=end - dt.timedelta(days=7),
                end=end,
                state=TrainState.CLOSED,
            )
        )
    reason = "Taken over from the archive"
    trains = bulk_create_with_history(
        trains, Train, default_user=manager, default_change_reason=reason
    )
    turnovers = [
        Turnover(
            title=f"{train.name} to {production.name}",
            train=train,
            environment=production,
            author=story.people["yuki"],
            state=TurnoverState.CLOSED,
        )
        for train in trains
    ]
    bulk_create_with_history(
        turnovers, Turnover, default_user=manager, default_change_reason=reason
    )
