"""Every address of the site, and one row of each kind that the addresses can name."""

import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from releasemgr.exchange.models import Dataset, Upload
from releasemgr.workflow.views import take_step
from tests.factories import (
    BoardingFactory,
    BookingFactory,
    CadenceFactory,
    CriterionFactory,
    DeputyFactory,
    FreezeExceptionFactory,
    FreezeFactory,
    GateFactory,
    HoldFactory,
    LevelFactory,
    MilestoneFactory,
    NoticeFactory,
    ReleaseFactory,
    ReviewActionFactory,
    RuleFactory,
    RunFactory,
    SignoffFactory,
    TaskFactory,
    TaskRunFactory,
    TemplateFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
    WaiverFactory,
    WorkItemFactory,
)
from trains.filing import add_evidence
from trains.models import Dependency, Evidence
from trains.plan.baselines import take
from turnovers.models import Callback

#: What the address of a call back ends with.
TOKEN = "token-of-the-call-back"

#: What a word in an address can be, where it is not the name of a step.
WORDS = {
    ("trains:tab", "tab"): (
        "releases",
        "turnovers",
        "work",
        "gates",
        "milestones",
        "approvals",
        "reservations",
        "history",
    ),
    ("trains:release-tab", "tab"): ("work", "milestones", "dependencies", "turnovers", "history"),
    ("trains:approval-define", "which"): ("train", "development", "executive"),
    ("trains:approval-renew", "which"): ("train", "development", "executive"),
    ("trains:template-approval", "which"): ("train", "development", "executive"),
    ("turnovers:callback", "token"): (TOKEN,),
    ("turnovers:tab", "tab"): ("contents", "work", "runs", "history"),
}


@dataclass(frozen=True)
class Route:
    """A named route of ours, with the names of what its address holds."""

    name: str
    pattern: str
    holds: tuple[str, ...]
    is_step: bool


def routes() -> dict[str, Route]:
    """All routes by name, the administration apart, which Django guards."""
    return {route.name: route for route in _walk(get_resolver(), "", "")}


def pages() -> dict[str, Route]:
    """All routes but those of steps, which have a table of their own."""
    return {name: route for name, route in routes().items() if not route.is_step}


def _walk(resolver: Any, before: str, namespace: str) -> Any:
    for entry in resolver.url_patterns:
        pattern = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            holds = tuple(re.findall(r"<(?:\w+:)?(\w+)>", pattern))
            is_step = entry.callback is take_step
            yield Route(f"{namespace}{entry.name}", pattern, holds, is_step)
        elif entry.app_name != "admin":
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, pattern, inner)


class World:
    """One row of each kind; nobody who visits made, owns or asked for any of them."""

    def __init__(self) -> None:
        self.signoff, *others = [_asked_for() for _ in range(3)]
        self.train = TrainFactory(
            train_signoff=self.signoff, development_signoff=others[0], executive_signoff=others[1]
        )
        self.deputy = DeputyFactory()
        self.gate = GateFactory(train=self.train)
        self.criterion = CriterionFactory(gate=self.gate)
        self.evidence = _filed(self.criterion)
        self.waiver = WaiverFactory(criterion=self.criterion)
        self.milestone = MilestoneFactory(train=self.train)
        self.boarding = BoardingFactory(train=self.train, release__state="executing")
        self.release = self.boarding.release
        self.application = self.release.application
        take(self.train, "Kept by hand", by=self.train.manager)
        self.release_milestone = MilestoneFactory(train=None, release=self.release)
        self.dependency = Dependency.objects.create(release=self.release, needs=ReleaseFactory())
        self.item = WorkItemFactory(release=self.release)
        self.booking = BookingFactory()
        self.environment = self.booking.environment
        self.turnover = TurnoverFactory(release=self.release)
        self.task = TaskFactory(turnover=self.turnover)
        self.removed_task = TaskFactory(turnover=self.turnover, removed_at=timezone.now())
        self.content = self.turnover.contents.create(release=self.release, version_name="1.0")
        self.run = RunFactory()
        self.task_run = TaskRunFactory(run=self.run)
        self.action = ReviewActionFactory(run=self.run)
        Callback.objects.create(
            attempt=self.task_run.tries.create(
                fence=1, key="1:1:1", worker="w", claimed_at=timezone.now()
            ),
            token_digest=hashlib.sha256(TOKEN.encode()).hexdigest(),
        )
        self.template = TemplateFactory()
        self.cadence = CadenceFactory(template=self.template)
        self.exception = FreezeExceptionFactory(freeze__scope="kind", freeze__kind="none")
        self.freeze = self.exception.freeze
        self.scope_freeze = FreezeFactory(scope="train", train=TrainFactory(), stops="scope")
        self.hold = HoldFactory(scope="train", train=self.train)
        self.dataset = Dataset.objects.create(name="Data set", header={"snapshot": "2026-01-01"})
        self.notice = NoticeFactory(person=self.train.manager)
        self.upload = Upload.objects.create(name="a.json", size=1, uploaded_by=self.train.manager)

    def addresses(self, route: Route, row: str = "") -> list[str]:
        """The route's address for the row of that name; several where a word in it may differ."""
        given: dict[str, Any] = {}
        words: tuple[str, tuple[str, ...]] | None = None
        for name in route.holds:
            if name == "pk":
                given["pk"] = getattr(self, row).pk
            elif (route.name, name) in WORDS:
                words = (name, WORDS[route.name, name])
            else:
                given[name] = getattr(self, name.removesuffix("_pk")).pk
        if words is None:
            return [reverse(route.name, kwargs=given)]
        name, values = words
        return [reverse(route.name, kwargs=given | {name: value}) for value in values]


def _asked_for() -> Any:
    sheet = SignoffFactory(state="ready", round=1, open_level=1)
    RuleFactory(level=LevelFactory(signoff=sheet))
    return sheet


def _filed(criterion: Any) -> Any:
    evidence = Evidence(criterion=criterion, note="Seen.")
    return add_evidence(evidence, SimpleUploadedFile("a.txt", b"a"), by=UserFactory())


@contextmanager
def unguarded():
    """Let what was recorded be rewritten, also where the database itself refuses that."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def let_go(answer):
    """Close the file that the answer would send: nobody reads it here."""
    # Not ``answer.close()``: that is also the end of the request, which lets the connection go.
    for close in answer._resource_closers:
        close()
