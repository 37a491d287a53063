"""What Tarnwick Mutual runs, and where."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from django.conf import settings

from environments.models import Environment
from releasemgr.workflow.edit import create
from releasemgr.workflow.perform import perform
from trains.models import Application, Team
from turnovers.models import AllowedCommand

if TYPE_CHECKING:
    from releasemgr.accounts.models import User

# name, kind, production, restricted, owner, description
ENVIRONMENTS = (
    ("dev-1", "development", False, False, "tomas", "Every commit of the main branches."),
    ("test-1", "test", False, False, "tomas", "Functional tests, masked data of one country."),
    ("test-2", "test", False, False, "noor", "Functional tests, masked data of all countries."),
    ("perf-1", "test", False, False, "noor", "Load tests; as large as production."),
    ("stage-eu", "staging", False, False, "tomas", "The rehearsal of prod-eu."),
    ("stage-us", "staging", False, False, "noor", "The rehearsal of prod-us."),
    ("prod-eu", "production", True, True, "tomas", "Customers in Europe."),
    ("prod-us", "production", True, True, "noor", "Customers in North America."),
)
TEAMS = {
    "Underwriting": ("Quotes", "Policies"),
    "Service": ("Claims", "Documents", "Customer portal", "Broker portal"),
    "Platform": ("Identity", "Ledger", "Payments"),
}


def build_environments(people: dict[str, User]) -> dict[str, Environment]:
    found = {}
    for position, (name, kind, production, restricted, owner, words) in enumerate(ENVIRONMENTS):
        environment = Environment(
            name=name,
            kind=kind,
            is_production=production,
            is_restricted=restricted,
            owner=people[owner],
            description=words,
            position=position,
        )
        create(environment, by=people[owner])
        found[name] = perform(environment, "place_online", by=people[owner])
    found["perf-1"] = perform(
        found["perf-1"], "take_offline", by=people["noor"], reason="New load generators"
    )
    return found


def build_applications(people: dict[str, User]) -> dict[str, Application]:
    found = {}
    for team_name, names in TEAMS.items():
        team = create(Team(name=team_name), by=people["ada"])
        for name in names:
            owner = people["mika" if team_name == "Service" else "rosa"]
            application = Application(name=name, team=team, owner=owner, kind="service")
            found[name] = create(application, by=people["mika"])
    return found


def allow_commands(people: dict[str, User]) -> AllowedCommand:
    """The one program that the demo's automated tasks run."""
    command = AllowedCommand(
        name="pretend-deployment",
        description="Prints what a deployment would print, and changes nothing.",
        program=sys.executable,
        arguments=["-m", "releasemgr.demo.pretend"],
        takes_arguments=True,
        directory=str(settings.BASE_DIR),
    )
    return create(command, by=people["ada"])
