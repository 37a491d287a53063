"""What is told of turnovers, of deployments, and of environments."""

from __future__ import annotations

from environments import rules as booking_rules
from releasemgr.accounts.roles import (
    DEVELOPER,
    PRODUCT_OWNER,
    RELEASE_ENGINEER,
    RELEASE_MANAGER,
)
from releasemgr.notices import rules
from releasemgr.notices.events.kinds import Event, Way
from turnovers import rules as turnover_rules

TURNOVERS, DEPLOYMENTS, ENVIRONMENTS = "Turnovers", "Deployments", "Environments"

EVENTS = (
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
        "turnover_promoted",
        "The next turnover was made from one of yours",
        TURNOVERS,
        "it is yours, and waits to be looked through and delivered",
        rules.while_in("draft"),
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
        "a train or a turnover of yours, or one in your environment, is held",
        rules.while_in("active"),
        Way.APP,
        {RELEASE_MANAGER: Way.MAIL, RELEASE_ENGINEER: Way.MAIL, DEVELOPER: Way.MAIL},
    ),
    Event(
        "hold_lifted",
        "The line goes on",
        DEPLOYMENTS,
        "a train or a turnover of yours, or one in your environment, was held",
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
    Event(
        "environment_offline",
        "An environment that you count on is out of use",
        ENVIRONMENTS,
        "it is yours, or is booked for a train or a turnover of yours",
        rules.while_in("offline", "decommissioned"),
    ),
)
