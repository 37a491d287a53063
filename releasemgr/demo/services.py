"""Making the demo: an invented organisation with something in every state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from releasemgr.accounts.models import User
from releasemgr.demo import crowd, freezing, landscape, people, planning, scenes, signatures, told
from releasemgr.demo.story import Story
from trains.models import Train

if TYPE_CHECKING:
    from collections.abc import Mapping


class DemoRefused(Exception):
    """The demo does not belong here."""


def is_empty() -> bool:
    """Whether nobody has begun to use this installation."""
    return not User.objects.people().exists() and not Train.objects.exists()


def make_demo(*, size: str = "small", anywhere: bool = False) -> list[Mapping[str, str]]:
    """Make the demo in one transaction and return its sign-ins, each with its password.

    Raises ``DemoRefused`` where there are real data, or where others can reach the installation
    and ``anywhere`` does not say that this is meant.
    """
    if not is_empty():
        raise DemoRefused(
            "There are people or trains in this database already. The demo only goes into an "
            "empty one; nothing was changed."
        )
    if not settings.ON_LAPTOP and not anywhere:
        raise DemoRefused(
            "Others can reach this installation (BASE_URL). Say --i-know to put the demo here."
        )
    password = people.passphrase()
    with transaction.atomic():
        staff = people.hire(password)
        environments = landscape.build_environments(staff)
        applications = landscape.build_applications(staff)
        landscape.allow_commands(staff)
        signatures.write_policies(staff)
        story = Story(staff, environments, applications)
        scenes.play(story)
        signatures.go_away(staff)
        planning.plan_ahead(story)
        if size == "large":
            crowd.add_years(story)
        freezing.declare_all(story)
        told.tidy(staff)
    return list(people.sign_ins(password))
