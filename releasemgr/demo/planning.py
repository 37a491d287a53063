"""What the demo's trains to come are made from: holidays, templates, a cadence, a held train."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group

from releasemgr.workflow.edit import create, edit
from trains.cadences import make_due_trains
from trains.models import Cadence, Calendar, Holiday, Template, Train
from trains.outline import CriterionOutline, LevelOutline, MilestoneOutline, Outline
from trains.planning import keep_template, outline_of
from turnovers.models import Hold
from turnovers.states import HoldScope

if TYPE_CHECKING:
    from releasemgr.demo.story import Story

#: Day, month and name of days on which the demo's people do not work, every year.
FEASTS = (
    (1, 1, "New Year’s Day"),
    (1, 5, "May Day"),
    (25, 12, "Christmas"),
    (26, 12, "Boxing Day"),
)
#: The train that waits for its supplier, and the one whose manager says how it does.
HELD, JUDGED = "Hazel", "Damson"


def plan_ahead(story: Story) -> None:
    """After the scenes: what planners use, and what they have said of some trains."""
    calendar = _holidays(story)
    patches = _patches(story)
    _as_the_last_minor(story)
    cadence = Cadence(
        name="Security patches",
        template=patches,
        train_name="Patches {year}.{number}",
        manager=story.people["ines"],
        calendar=calendar,
        first_start=story.today + dt.timedelta(days=12),
        every=4,
        unit=Cadence.Unit.WEEKS,
        days_ahead=14,
    )
    create(cadence, by=story.people["ines"])
    make_due_trains()
    _judge_and_hold(story)


def _holidays(story: Story) -> Calendar:
    calendar = Calendar.objects.get(is_default=True)
    for year in (story.today.year, story.today.year + 1):
        for day, month, name in FEASTS:
            holiday = Holiday(calendar=calendar, day=dt.date(year, month, day), name=name)
            create(holiday, by=story.people["ines"])
    return calendar


def _patches(story: Story) -> Template:
    board = Group.objects.get(name="Release engineer")
    outline = Outline(
        lengths=(2, 4, 3, 1),
        needs={"train": False, "development": False, "executive": True},
        levels={"executive": (LevelOutline("Release engineering", (), ((board.pk, 1),)),)},
        criteria=(
            CriterionOutline(
                "scoping", "Every finding has an owner", owner=story.people["noor"].pk
            ),
            CriterionOutline("qa", "The scanner finds nothing critical"),
        ),
        milestones=(MilestoneOutline("Patches merged", 5, for_all=True),),
    )
    template = Template(
        name="Security patches",
        description="Two weeks, one approval.",
        release_type=story.types["Patch"],
        is_standard=True,
    )
    return keep_template(template, outline, by=story.people["ines"])


def _as_the_last_minor(story: Story) -> None:
    """The train that went well, kept for the next ones."""
    train = Train.objects.filter(release_type=story.types["Minor"]).order_by("pk").first()
    if train is not None:
        template = Template(
            name="Usual minor release",
            description=f"As {train} went.",
            release_type=story.types["Minor"],
            is_standard=True,
        )
        keep_template(template, outline_of(train), by=story.people["ines"], made_from=train)


def _judge_and_hold(story: Story) -> None:
    by = story.people["ines"]
    judged = Train.objects.open().filter(name__startswith=JUDGED).first()
    if judged is not None:
        edit(
            judged,
            by=by,
            health_override="attention",
            health_note="The ledger’s supplier answers on Monday.",
            health_until=story.today + dt.timedelta(days=5),
        )
    held = Train.objects.open().filter(name__startswith=HELD).first()
    if held is not None:
        hold = Hold(
            scope=HoldScope.TRAIN,
            train=held,
            reason="The authority publishes the format anew; scope is being discussed.",
            placed_by=by,
        )
        create(hold, by=by)
