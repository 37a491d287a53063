"""What people can be told: each event with its words, who it is for, and how it comes by default.

Whoever adds one adds a line here, and tells of it from a step (``told``) or from a source of
reminders (``sources``).
"""

from __future__ import annotations

from releasemgr.notices.events import approvals, freezes, gates, trains, turnovers
from releasemgr.notices.events.kinds import LOUDNESS, Event, Way

__all__ = ["EVENTS", "LOUDNESS", "Event", "Way", "by_group"]

_ALL = (*approvals.EVENTS, *trains.EVENTS, *gates.EVENTS, *turnovers.EVENTS, *freezes.EVENTS)
EVENTS = {event.key: event for event in _ALL}


def by_group() -> dict[str, list[Event]]:
    """All events under the headings of the settings page."""
    groups: dict[str, list[Event]] = {}
    for event in _ALL:
        groups.setdefault(event.group, []).append(event)
    return groups
