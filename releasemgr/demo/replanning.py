"""Fir is planned anew while it is built: what its plan versions have to tell."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from releasemgr.workflow.edit import create, edit
from trains.models import Milestone, Train
from trains.plan.baselines import keep
from trains.services import change_train

if TYPE_CHECKING:
    from releasemgr.demo.story import Story

TRAIN = "Fir 27.1"
WEEK = dt.timedelta(days=7)


def plan_anew(story: Story) -> None:
    """The plan is kept by hand, then its end moves by a week, and two milestones with it."""
    ines, jonas = story.people["ines"], story.people["jonas"]
    train = Train.objects.get(name=TRAIN)
    keep(train, by=ines, reason="Before the audit takes its week.")
    assert train.qa_end is not None  # noqa: S101 -- the scene before planned all of it
    assert train.end is not None  # noqa: S101
    change_train(
        train,
        by=ines,
        version=None,
        engineers=[member.person for member in train.crew.select_related("person")],
        qa_end=train.qa_end + WEEK,
        end=train.end + WEEK,
    )
    candidate = train.milestones.get(title="Release candidate")
    edit(candidate, by=jonas, due=candidate.due + WEEK, reason="The audit comes first.")
    audit = Milestone(train=train, title="Audit done", due=candidate.due, owner=jonas)
    create(audit, by=jonas, reason="Asked for by Security")
