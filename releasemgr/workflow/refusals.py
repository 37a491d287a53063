"""Why a step or an edit did not happen: exceptions that read as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from releasemgr.workflow.rules import Blocker

if TYPE_CHECKING:
    from collections.abc import Iterable


class TransitionRefused(Exception):
    """Not now. ``blockers`` says all that is in the way; nothing was changed."""

    def __init__(self, *blockers: Blocker | str) -> None:
        self.blockers = [Blocker(b) if isinstance(b, str) else b for b in blockers]
        super().__init__(" ".join(str(blocker) for blocker in self.blockers))


class Conflict(TransitionRefused):
    """Somebody else changed the row after the form was made. ``row`` is how it stands now."""

    def __init__(self, row: Any) -> None:
        self.row = row
        latest = row.history.order_by("-history_date", "-history_id").first()
        who = latest.actor if latest and latest.actor else "Somebody"
        super().__init__(
            Blocker(
                f"{who} changed {row} while you were looking at it",
                needed="The version you saw.",
                now="Look at what changed, then do it again. What you typed is kept.",
                action="See the change",
                url=row.get_absolute_url() if hasattr(row, "get_absolute_url") else "",
            )
        )


def sentence(blockers: Iterable[Blocker]) -> str:
    """All blockers on one line, for logs and reasons."""
    return " ".join(str(blocker) for blocker in blockers)
