"""What people can be told: each event with its words, who it is for, and how it comes by default.

Whoever adds one adds a line here, and tells of it from a receiver or from a source of reminders.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models

from environments import rules as booking_rules
from releasemgr.accounts.roles import (
    APPROVER,
    DEVELOPER,
    PRODUCT_OWNER,
    RELEASE_ENGINEER,
    RELEASE_MANAGER,
)
from releasemgr.notices import rules
from turnovers import rules as turnover_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from releasemgr.accounts.models import User


class Way(models.TextChoices):
    """How somebody wants to be told, from quiet to loud."""

    NONE = "none", "Not at all"
    APP = "app", "Here only"
    DIGEST = "digest", "Here and in the daily digest"
    MAIL = "mail", "Here and by mail at once"


LOUDNESS = list(Way.values)


@dataclass(frozen=True)
class Event:
    """One thing that can happen to somebody.

    ``why`` is the end of "You are told because …". ``still`` answers, of people, for whom it is
    still true. What is ``urgent`` holds up a deployment, and may come in quiet hours.
    """

    key: str
    label: str
    group: str
    why: str
    still: Callable[[Any, Iterable[User]], list[User]]
    default: Way = Way.MAIL
    by_role: dict[str, Way] = field(default_factory=dict)
    urgent: bool = False

    def way_for(self, roles: Iterable[str]) -> Way:
        """How it comes to somebody who has chosen nothing: of their roles, the loudest decides."""
        ways = [self.by_role[role] for role in roles if role in self.by_role]
        return max(ways or [self.default], key=lambda way: LOUDNESS.index(way.value))


APPROVALS, TRAINS, TURNOVERS, DEPLOYMENTS, ENVIRONMENTS = (
    "Approvals",
    "Trains",
    "Turnovers",
    "Deployments",
    "Environments",
)

_ALL = (
    Event(
        "approval_asked",
        "An approval reaches your level",
        APPROVALS,
        "you are named on the level that is open, and have not decided",
        rules.whose_turn,
    ),
    Event(
        "approval_renewed",
        "An approval is asked again, for other content",
        APPROVALS,
        "you are named on the level that is open, and what you may have seen before has changed",
        rules.whose_turn,
    ),
    Event(
        "approval_due",
        "An approval that waits for you is due tomorrow, or late",
        APPROVALS,
        "it waits for your decision",
        rules.whose_turn,
        Way.DIGEST,
        {APPROVER: Way.MAIL},
    ),
    Event(
        "approval_given",
        "An approval you asked for was given",
        APPROVALS,
        "you asked for it",
        rules.while_in("approved"),
        Way.APP,
        {RELEASE_MANAGER: Way.DIGEST},
    ),
    Event(
        "approval_refused",
        "An approval you asked for was rejected",
        APPROVALS,
        "you asked for it, or manage the train it is about",
        rules.while_in("rejected", "void", "draft"),
    ),
    Event(
        "approval_void",
        "An approval you asked for was withdrawn",
        APPROVALS,
        "you asked for it",
        rules.while_in("void"),
        Way.APP,
        {RELEASE_MANAGER: Way.DIGEST},
    ),
    Event(
        "train_returned",
        "A train went back to the stage before",
        TRAINS,
        "you manage the train, or own an application release aboard",
        rules.while_in("scoping", "construction", "verification"),
    ),
    Event(
        "train_cancelled",
        "A train was cancelled",
        TRAINS,
        "you managed the train, or were one of its release engineers",
        rules.while_in("cancelled"),
    ),
    Event(
        "criterion_open",
        "A criterion of yours is to be answered",
        TRAINS,
        "it is yours to answer, and the train stands before its gate",
        rules.who_answers_criterion,
        Way.DIGEST,
    ),
    Event(
        "criterion_rejected",
        "A criterion of a train you manage was rejected",
        TRAINS,
        "you manage the train, which cannot pass the gate",
        rules.while_in("rejected"),
    ),
    Event(
        "milestone_due",
        "A milestone of yours is due tomorrow, or late",
        TRAINS,
        "it is yours to reach",
        rules.who_acts_on_milestone,
        Way.DIGEST,
    ),
    Event(
        "boarding_asked",
        "Somebody asks for a place on your train",
        TRAINS,
        "you manage the train",
        rules.whose_turn,
    ),
    Event(
        "boarding_answered",
        "Your request for a place was answered",
        TRAINS,
        "you asked for the place, or own the application release",
        rules.while_in("aboard", "rejected", "left"),
    ),
    Event(
        "turnover_delivered",
        "A turnover waits to be accepted",
        TURNOVERS,
        "you may accept or return it",
        rules.while_in("delivered", may=turnover_rules.may_judge),
    ),
    Event(
        "turnover_returned",
        "A turnover of yours came back",
        TURNOVERS,
        "it is yours",
        rules.while_in("draft"),
    ),
    Event(
        "turnover_cancelled",
        "A turnover of yours was cancelled",
        TURNOVERS,
        "it is yours",
        rules.while_in("cancelled"),
    ),
    Event(
        "turnover_deployed",
        "A turnover waits to be verified",
        TURNOVERS,
        "you may verify it or send it back",
        rules.while_in("deployed", may=turnover_rules.may_verify),
        Way.DIGEST,
    ),
    Event(
        "turnover_failed",
        "A deployment failed",
        DEPLOYMENTS,
        "you decide how it goes on, or the turnover is yours",
        rules.while_in("failed"),
        by_role={RELEASE_ENGINEER: Way.MAIL, DEVELOPER: Way.MAIL, PRODUCT_OWNER: Way.DIGEST},
        urgent=True,
    ),
    Event(
        "turnover_late",
        "A turnover is due and has not started",
        DEPLOYMENTS,
        "you can see what stands in its way, and may clear it",
        rules.while_in("ready"),
        urgent=True,
    ),
    Event(
        "task_ready",
        "A deployment task is your turn",
        DEPLOYMENTS,
        "it is yours, or belongs to a group of yours, and the deployment waits for you",
        rules.who_does_task,
        urgent=True,
    ),
    Event(
        "ending_unknown",
        "The ending of a deployment task is unknown",
        DEPLOYMENTS,
        "you may say what became of it; two people have to agree before the run goes on",
        rules.while_in("unknown", may=rules.may_settle),
        urgent=True,
    ),
    Event(
        "hold_placed",
        "The line is stopped",
        DEPLOYMENTS,
        "a turnover of yours, of your train or of your environment is held",
        rules.while_in("active"),
        Way.APP,
        {RELEASE_MANAGER: Way.MAIL, RELEASE_ENGINEER: Way.MAIL, DEVELOPER: Way.MAIL},
    ),
    Event(
        "hold_lifted",
        "The line goes on",
        DEPLOYMENTS,
        "a turnover of yours, of your train or of your environment was held",
        rules.while_in("lifted"),
        Way.APP,
        {RELEASE_MANAGER: Way.MAIL, RELEASE_ENGINEER: Way.MAIL, DEVELOPER: Way.MAIL},
    ),
    Event(
        "action_due",
        "Something from a review is due tomorrow, or late",
        DEPLOYMENTS,
        "it was given to you in the review of a run",
        rules.whose_turn,
        Way.DIGEST,
    ),
    Event(
        "booking_asked",
        "A booking waits to be confirmed",
        ENVIRONMENTS,
        "you may confirm or decline it",
        rules.while_in("requested", may=booking_rules.may_confirm),
        Way.DIGEST,
    ),
    Event(
        "booking_answered",
        "A booking you asked for was confirmed or declined",
        ENVIRONMENTS,
        "you asked for it",
        rules.while_in("confirmed", "declined", "released"),
        Way.DIGEST,
    ),
)
EVENTS = {event.key: event for event in _ALL}


def by_group() -> dict[str, list[Event]]:
    """All events under the headings of the settings page."""
    groups: dict[str, list[Event]] = {}
    for event in _ALL:
        groups.setdefault(event.group, []).append(event)
    return groups
