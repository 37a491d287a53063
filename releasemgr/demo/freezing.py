"""The demo's freezes: one every week, one every year, one of a train with exceptions from it.

Those of deployments are about an environment to which nothing of the demo is deployed, so that its
turnovers run at any minute of any day.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from releasemgr.workflow.perform import perform
from trains.freezes import declare
from trains.models import Boarding, Freeze, Milestone
from trains.states import FreezeScope, FreezeStops, Recurrence
from turnovers.exceptions import ask_exception
from turnovers.models import FreezeException

if TYPE_CHECKING:
    from releasemgr.demo.story import Story

PLACE, ZONE = "prod-us", ZoneInfo("America/New_York")
#: The train that nobody boards or leaves any more.
FROZEN = "Damson 26.5"
FRIDAY, DECEMBER = 4, 12


def declare_all(story: Story) -> None:
    """After the scenes: what stops where, and who asks to pass."""
    friday = story.today - dt.timedelta(days=(story.today.weekday() - FRIDAY) % 7)
    _of_place(
        story,
        "Weekends in North America",
        "Support there works from Monday to Friday.",
        _at(friday, 18),
        _at(friday + dt.timedelta(days=3), 6),
        Recurrence.WEEKLY,
    )
    last_days = dt.date(story.today.year, DECEMBER, 18)
    _of_place(
        story,
        "End of year in North America",
        "Premiums of the year are closed.",
        _at(last_days, 0),
        _at(last_days + dt.timedelta(days=17), 0),
        Recurrence.YEARLY,
    )
    _of_train(story)


def _at(day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), ZONE)


def _of_place(
    story: Story, name: str, reason: str, begins: dt.datetime, ends: dt.datetime, again: Recurrence
) -> None:
    freeze = Freeze(
        name=name,
        reason=reason,
        scope=FreezeScope.ENVIRONMENT,
        environment=story.environments[PLACE],
        begins=begins,
        ends=ends,
        time_zone=str(ZONE),
        recurrence=again,
    )
    declare(freeze, by=story.people["ines"])


def _of_train(story: Story) -> None:
    """It began with a milestone; one release may still change, another one would like to."""
    milestone = Milestone.objects.get(train__name=FROZEN, title="Feature freeze")
    freeze = Freeze(
        name=f"Content of {FROZEN}",
        reason="Only what is tested now goes to production.",
        scope=FreezeScope.TRAIN,
        train=milestone.train,
        stops=FreezeStops.SCOPE,
        milestone=milestone,
    )
    freeze.begins = freeze.begin_of(milestone.due)
    declare(freeze, by=story.people["ines"])
    aboard = Boarding.objects.aboard().filter(train=milestone.train).select_related("release")
    for place, granted in zip(aboard.order_by("pk"), (True, False), strict=False):
        release = place.release
        assert release.owner is not None  # noqa: S101 -- board() names one
        asked = FreezeException(
            freeze=freeze,
            release=release,
            reason=f"{release} lacks the correction that the auditors asked for.",
            risk="Its regression suite runs again; two days of testing are lost.",
            rollback="The version that is aboard now.",
            expires=_at(story.today + dt.timedelta(days=10), 18),
        )
        asked = ask_exception(asked, by=release.owner)
        if granted:
            perform(asked, "grant", by=story.people["jonas"])
