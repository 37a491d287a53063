"""What the views of trains share: finding what a person may see, and the head of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Prefetch, Q, prefetch_related_objects
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from approvals.models import Signoff
from trains import health, journey, panels, rules
from trains.models import ApplicationRelease, Dependency, Train, WorkItem

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest
    from releasemgr.workflow.models import StepView
    from releasemgr.workflow.rules import Permission

TABS = {
    "": "Overview",
    "releases": "Application releases",
    "turnovers": "Turnovers",
    "work": "Work items",
    "gates": "Gates",
    "milestones": "Milestones",
    "approvals": "Approvals",
    "reservations": "Reservations",
    "history": "History",
}


def demand(rule: Permission, row: Any, user: User) -> None:
    """Answer 403 with the rule's own sentence where it does not let the user."""
    if not rule(row, user):
        raise PermissionDenied(rule.sentence)


def train_or_404(user: User, pk: int) -> Train:
    """The train, with what its pages read of it."""
    trains = panels.with_holds(Train.objects.visible_to(user).with_page_facts(user))
    train = get_object_or_404(trains, pk=pk)
    if getattr(train, "is_held", False):
        prefetch_related_objects([train], *(holders() for holders in panels.holders))
    for gate in train.gates.all():
        gate.train = train
    return train  # type: ignore[no-any-return]


def steered_train_or_403(user: User, pk: int) -> Train:
    """The train, for those who plan it."""
    train = train_or_404(user, pk)
    demand(rules.may_steer, train, user)
    return train


def crumbs(train: Train, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The way here: the list, the train, and then what is given."""
    if not more:
        return [("Trains", reverse("trains:list")), (train.ref, "")]
    return [
        ("Trains", reverse("trains:list")),
        (f"{train.ref} {train}", train.get_absolute_url()),
        *more,
    ]


def train_page(
    request: UserRequest, train: Any, tab: str, template: str, **context: Any
) -> HttpResponse:
    """One tab of a train, under the head that all of them share.

    ``steps`` may be given by whoever has asked for them already: guards are dear.
    """
    gates = list(train.gates.all())
    if "steps" not in context:
        context["steps"] = shown_steps(train, request.user)
    context |= {
        "train": train,
        "crumbs": context.get("crumbs", crumbs(train)),
        "health": health.of(train),
        "held": rules.it_is_not_held.blockers(train),
        "gates": gates,
        "stages": journey.stages(train, gates),
        "work": (work := _work(train)),
        "tabs": _tabs(train, tab, {"releases": train.aboard_count or 0, "work": work["total"]}),
        "aboard_count": train.aboard_count or 0,
        "may_steer": rules.may_steer(train, request.user) and not train.is_over,
        "follows": train.is_followed,
    }
    return render(request, template, context)


def shown_steps(train: Train, user: User) -> list[StepView]:
    """The steps the user may take, without those that are not the way now; the next one last."""
    following = journey.next_step(train)
    steps = train.steps(user, without=journey.detours(train))
    return sorted(steps, key=lambda step: (step.name == following, not step.danger))


def _tabs(train: Train, tab: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "url": train.tab_url(name) if name else train.get_absolute_url(),
            "current": name == tab,
            "count": counts.get(name),
        }
        for name, label in TABS.items()
    ]


def _work(train: Train) -> dict[str, int]:
    """How many work items ride along, and how many of them are settled."""
    settled = Q(state__in=["done", "deferred"])
    items: Any = WorkItem.objects.of_train(train)
    return dict(items.aggregate(total=Count("pk"), settled=Count("pk", filter=settled)))


def sheets_of(train: Train) -> list[tuple[str, Signoff | None]]:
    """Its approval sheets, with all that showing their progress, or guarding it, reads."""
    Signoff.objects.give_levels([sheet for _, sheet in train.signoffs if sheet])
    return train.signoffs


def reservations_of(train: Train) -> Any:
    """Its reservations, with their bookings."""
    return train.reservations.select_related("booking__environment", "booking__requested_by")


def releases_of(train: Train) -> Any:
    """What is aboard, with the facts of a row of the overview."""
    releases: Any = ApplicationRelease.objects.aboard(train).with_work_counts()
    needs = Dependency.objects.select_related("needs__application")
    return releases.select_related("application", "owner").prefetch_related(
        "milestones", Prefetch("dependencies", needs)
    )
