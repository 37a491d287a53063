"""What must hold for templates and cadences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from releasemgr.accounts.roles import RELEASE_MANAGER
from releasemgr.workflow.rules import Blocker, guard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trains.models import Cadence


@guard
def its_template_is_offered(cadence: Cadence) -> Iterator[Blocker]:
    if not cadence.template.is_active:
        yield Blocker(
            f"The template {cadence.template} is no longer offered",
            needed="A template that new trains may be made from.",
            owner=RELEASE_MANAGER,
            action="Choose another",
            url=cadence.get_absolute_url(),
        )


def cadence_goes_on(cadence: Cadence) -> Iterator[Blocker]:
    """What stops an edit: an ended cadence stays as it was."""
    if cadence.state == "ended":
        yield Blocker(f"{cadence} has ended", now="What is over is read-only.")
