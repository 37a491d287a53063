"""What somebody for whom nothing waits can do first, by role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from releasemgr.accounts.roles import (
    ADMINISTRATOR,
    APPROVER,
    DEVELOPER,
    PRODUCT_OWNER,
    RELEASE_ENGINEER,
    RELEASE_MANAGER,
)

if TYPE_CHECKING:
    from releasemgr.accounts.models import User


@dataclass(frozen=True)
class Welcome:
    """What will arrive here, and where to begin; ``route`` names the page."""

    text: str
    action: str
    route: str


#: The first role that a person holds decides.
WELCOMES = {
    RELEASE_MANAGER: Welcome(
        "Places to give, gates to pass and trains that can move on arrive here.",
        "Open the trains",
        "trains:list",
    ),
    RELEASE_ENGINEER: Welcome(
        "Turnovers to accept and to verify, bookings to confirm and your deployment tasks "
        "arrive here.",
        "Open the turnovers",
        "turnovers:list",
    ),
    PRODUCT_OWNER: Welcome(
        "Your application releases that can move on, criteria and milestones arrive here.",
        "Open the application releases",
        "trains:releases",
    ),
    DEVELOPER: Welcome(
        "Turnovers that come back to you and your deployment tasks arrive here.",
        "Open the turnovers",
        "turnovers:list",
    ),
    APPROVER: Welcome(
        "When a decision is yours to take, its question arrives here.",
        "Open the approvals",
        "approvals:inbox",
    ),
    ADMINISTRATOR: Welcome(
        "People, roles and release types are kept in the administration.",
        "Open the administration",
        "admin:index",
    ),
}
EVERYBODY = Welcome(
    "What you are asked to decide or to do arrives here. Follow a train to see it on this page.",
    "Open the trains",
    "trains:list",
)


def welcome(user: User) -> Welcome:
    """What an empty page says to this person."""
    return next((words for role, words in WELCOMES.items() if role in user.role_names), EVERYBODY)
