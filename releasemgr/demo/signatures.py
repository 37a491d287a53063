"""What the demo's organisation asks of its approvals, and who decides for whom."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.utils import timezone

from approvals.models import Policy
from releasemgr.accounts.models import Deputy
from releasemgr.workflow.edit import create, edit
from trains.models import ReleaseType

if TYPE_CHECKING:
    from releasemgr.accounts.models import User

#: Hours to answer, between reminders and until escalation, by the names of release types.
HASTE = {"Planned change": (48, 24, 96), "Emergency change": (4, 1, 2)}


def write_policies(people: dict[str, User]) -> None:
    """Two policies: one for what is planned, one for what cannot wait."""
    by = people["ada"]
    for name, (answer, remind, escalate) in HASTE.items():
        policy = Policy(
            name=name,
            answer_hours=answer,
            remind_hours=remind,
            escalate_hours=escalate,
            escalate_to=people["grace"],
            lapse_days=30,
            valid_days=90,
        )
        create(policy, by=by)
        is_urgent = name.startswith("Emergency")
        for release_type in ReleaseType.objects.filter(is_emergency=is_urgent):
            edit(release_type, by=by, approval_policy=policy)


def go_away(people: dict[str, User]) -> None:
    """Lena is away, and Hugo decides for her."""
    now = timezone.now()
    away = Deputy(
        person=people["lena"],
        deputy=people["hugo"],
        starts=now - dt.timedelta(days=1),
        ends=now + dt.timedelta(days=9),
        note="At a conference. Ring me if a condition is needed.",
    )
    create(away, by=people["lena"])
