"""The demo's gates: criteria that are checked by themselves, waivers, evidence, a library."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from releasemgr.workflow.edit import create
from releasemgr.workflow.perform import perform
from trains import rounds
from trains.collecting import save_to_library
from trains.filing import add_evidence
from trains.models import Criterion, Evidence, Gate, Waiver
from trains.waivers import ask_waiver

if TYPE_CHECKING:
    from releasemgr.demo.story import Story
    from trains.models import Train

#: Title, gate, check, its parameters; the last one asks somebody whom nobody has allowed.
CHECKED: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("No environment is booked twice", "scoping", "clash", {}),
    ("Every work item is done", "construction", "work", {}),
    (
        "Error rate on stage below 1 %",
        "qa",
        "answer",
        {
            "url": "https://metrics.example/stage",
            "field": "errors",
            "compare": "at_most",
            "value": "1",
        },
    ),
)


def fill(story: Story, train: Train) -> None:
    """A train in Scoping: what is checked, what was asked to be let pass, and what shows it."""
    by = story.people["ines"]
    for title, stage, check, parameters in CHECKED:
        gate = Gate.objects.get(train=train, stage=stage)
        values = {"checked_by": check, "parameters": parameters, "owner": by}
        criterion = create(Criterion(gate=gate, title=title, **values), by=by)
        rounds.begin_anew(criterion, by=by)
        rounds.look(criterion.pk)
        save_to_library(criterion, by=by)
    first, *others = Criterion.objects.filter(gate__train=train, checked_by="").order_by("pk")
    note = Evidence(criterion=first, note="Agreed with all product owners on Monday.")
    add_evidence(note, None, by=story.people["mika"])
    for criterion, state in zip(others, ("granted", "requested"), strict=False):
        waiver = Waiver(
            criterion=criterion,
            reason="The supplier delivers its part a week later.",
            scope="Only the supplier's part; everything else is still asked for.",
            until=story.today + dt.timedelta(days=21),
        )
        waiver = ask_waiver(waiver, by=by)
        if state == "granted":
            perform(waiver, "grant", by=story.people["jonas"])
