"""Write what a comparison planned: in one transaction, with author and reason on every row."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from releasemgr.exchange.comparison import compare
from releasemgr.exchange.mapping import (
    ENVIRONMENT,
    KINDS,
    MILESTONE,
    RELEASE,
    RESERVATION,
    TRAIN,
    TURNOVER,
)
from releasemgr.exchange.models import Dataset
from releasemgr.exchange.readings import earlier_plans
from releasemgr.exchange.taking_gates import change_gates, create_gates
from releasemgr.exchange.taking_tasks import change_contents, change_tasks, create_tasks
from releasemgr.workflow.edit import create, edit, remove
from releasemgr.workflow.perform import restate
from trains import inheritance
from trains.models import Boarding, Dependency, Milestone, ReleaseType, Train
from trains.states import BoardingState, ReleaseState, TrainState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from releasemgr.accounts.models import User
    from releasemgr.exchange.comparison import Change, Creation, Plan
    from releasemgr.exchange.mapping import Kind
    from releasemgr.exchange.places import Object

    Progress = Callable[[int, str], None]

BATCH = 500
#: The type of trains whose version does not tell one.
PLAIN_TYPE = "Imported"
NUMBERS_OF_A_VERSION = 3


def take(data: Object, *, by: User, reason: str, progress: Progress) -> Plan:
    """Compare checked data with what is here, and write the difference, whole or not at all."""
    with transaction.atomic():
        dataset, _ = Dataset.objects.get_or_create(name=data["dataset"])
        dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
        progress(0, "Comparing")
        plan = compare(data)
        _Writer(plan, by, reason, progress).write()
        _remember(dataset, plan)
    progress(100, "Done")
    return plan


def _remember(dataset: Dataset, plan: Plan) -> None:
    if (dataset.header, dataset.kept) != (plan.header, plan.kept):
        dataset.header, dataset.kept = plan.header, plan.kept
        dataset.imported_at = timezone.now()
        dataset.save()


class _Writer:
    """The plan on its way into the database: kind by kind, so that rows find each other."""

    def __init__(self, plan: Plan, by: User, reason: str, progress: Progress) -> None:
        self.plan, self.by, self.reason = plan, by, reason
        self._progress, self._done = progress, 0

    def write(self) -> None:
        for kind in KINDS:
            self._create_kind(kind)
        self._create_all(Dependency, [self._dependency(need) for need in self.plan.new_needs])
        self._hand_out_milestones()
        for kind in KINDS:
            for change in self.plan.changes[kind.name]:
                self._change(kind, change)
                self._say(1, kind.label)
        for dependency in self.plan.old_needs:
            remove(dependency, by=self.by, reason=self.reason)

    def _say(self, number: int, label: str) -> None:
        """Count up; the last per cent is the commit's."""
        before, self._done = self._done, self._done + number
        size = max(1, self.plan.size)
        if before * 100 // size != self._done * 100 // size:
            self._progress(min(99, self._done * 100 // size), label)

    # --- New rows ---

    def _create_all(self, model: Any, rows: list[Any]) -> list[Any]:
        """Store rows in few statements, each with its history row, author and reason."""
        made = model._default_manager.bulk_create(rows, batch_size=BATCH)
        self._keep_history(model, made)
        return list(made)

    def _keep_history(self, model: Any, rows: Iterable[Any], *, later: bool = False) -> None:
        model.history.bulk_history_create(
            rows,
            batch_size=BATCH,
            update=later,
            default_user=self.by,
            default_change_reason=self.reason,
            custom_historical_attrs={"actor": str(self.by)},
        )

    def _create_kind(self, kind: Kind) -> None:
        creations = self.plan.creations[kind.name]
        for start in range(0, len(creations), BATCH):
            part = creations[start : start + BATCH]
            rows = [self._row(kind, creation) for creation in part]
            if kind is MILESTONE:
                self._set_baselines(rows)
            made: Any = kind.model._default_manager.bulk_create(rows)
            self.plan.ids[kind.name].update((row.external_id, row.pk) for row in made)
            if kind is MILESTONE:
                self._keep_plans(made)
            elif kind is not ENVIRONMENT:
                self._keep_history(kind.model, made)
            self._create_around(kind, part)
            self._say(len(part), kind.label)
        if kind is ENVIRONMENT:
            self._place_in_parents(creations)

    def _set_baselines(self, milestones: list[Any]) -> None:
        """Once building has begun the date is the baseline, unless the file tells of an earlier."""
        ahead = [TrainState.SCOPING, TrainState.AWAITING_TRAIN]
        keys = {row.train_id for row in milestones}
        trains = Train.objects.filter(pk__in=keys).exclude(state__in=ahead)
        begun = set(trains.values_list("pk", flat=True))
        for row in milestones:
            row.version = len(earlier_plans(row.extra)) + 1
            if row.baseline is None and row.train_id in begun:
                row.baseline = row.due

    def _keep_plans(self, milestones: list[Any]) -> None:
        """Each with what was planned before, version by version, in the words of the file."""
        first: list[Any] = []
        later: list[Any] = []
        for row in milestones:
            for number, (at, due) in enumerate(earlier_plans(row.extra), start=1):
                plan = copy(row)
                plan.version, plan.due = number, due
                plan._change_reason = f"{self.reason}: as planned on {at}"
                (first if number == 1 else later).append(plan)
            (first if row.version == 1 else later).append(row)
        self._keep_history(Milestone, first)
        self._keep_history(Milestone, later, later=True)

    def _hand_out_milestones(self) -> None:
        """What is for all application releases goes to those aboard a train that is being built."""
        keys = [self.plan.ids["milestone"][one.item.id] for one in self.plan.creations["milestone"]]
        for start in range(0, len(keys), BATCH):
            flagged = Milestone.objects.filter(pk__in=keys[start : start + BATCH], for_all=True)
            for row in flagged.select_related("train"):
                if row.train is not None and not row.train.is_over:
                    inheritance.hand_out(row, row.train, self.by)

    def _row(self, kind: Kind, creation: Creation) -> Any:
        values = dict(creation.values)
        if kind is ENVIRONMENT:
            del values["parent"]  # it may come later in the file
        fields = self._fields(kind, values)
        if creation.state is not None:
            fields["state"] = creation.state
        if kind is TRAIN:
            fields |= self._type_facts(creation.item.raw.get("version", ""))
        if kind is RESERVATION:
            fields["exclusive"] = False
        item = creation.item
        return kind.model(dataset=self.plan.dataset, external_id=item.id, extra=item.raw, **fields)

    def _fields(self, kind: Kind, values: dict[str, Any]) -> dict[str, Any]:
        """Values of ours, with the ids of the file turned into keys."""
        refers_to = {held.attr: held.refers_to for held in kind.held if held.refers_to}
        return {
            (f"{attr}_id" if attr in refers_to else attr): (
                self._key(refers_to[attr], value) if attr in refers_to else value
            )
            for attr, value in values.items()
        }

    def _key(self, kind: str, name: str | None) -> int | None:
        return None if name is None else self.plan.ids[kind][name]

    def _place_in_parents(self, creations: list[Creation]) -> None:
        """Environments may stand before what they are part of, so they find it when all exist."""
        keys = self.plan.ids["environment"]
        made: Any = ENVIRONMENT.model._default_manager.in_bulk(
            [keys[creation.item.id] for creation in creations]
        )
        for creation in creations:
            row = made[keys[creation.item.id]]
            row.parent_id = self._key("environment", creation.values["parent"])
        rows = list(made.values())
        ENVIRONMENT.model._default_manager.bulk_update(rows, ["parent"], batch_size=BATCH)
        self._keep_history(ENVIRONMENT.model, rows)

    def _create_around(self, kind: Kind, creations: list[Creation]) -> None:
        """What comes with a row: gates with trains, places with releases, tasks with turnovers."""
        if kind is TRAIN:
            create_gates(self.plan, creations, self._create_all, self.by)
        elif kind is RELEASE:
            places = [self._place(creation.item.raw, creation.state) for creation in creations]
            self._create_all(Boarding, places)
        elif kind is TURNOVER:
            create_tasks(self.plan, creations, self._create_all)

    def _type_facts(self, version: str) -> dict[str, Any]:
        """The train's type, as its version tells it, and the approvals that the type asks for."""
        numbers = version.split("-", maxsplit=1)[0].split(".")
        name = PLAIN_TYPE
        if len(numbers) == NUMBERS_OF_A_VERSION and all(n.isdecimal() for n in numbers):
            _, minor, patch = (n.strip("0") for n in numbers)
            name = "Patch" if patch else "Minor" if minor else "Major"
        kind = ReleaseType.objects.filter(name=name).first() or self._make_type(name)
        needs = ("needs_train_approval", "needs_development_approval", "needs_executive_approval")
        return {"release_type": kind} | {need: getattr(kind, need) for need in needs}

    def _make_type(self, name: str) -> ReleaseType:
        last = ReleaseType.objects.count()
        return create(ReleaseType(name=name, position=last), by=self.by, reason=self.reason)

    def _place(self, raw: Object, state: str | None) -> Boarding:
        """Its place on the train of the file; what was cancelled has left it."""
        has_left = state == ReleaseState.CANCELLED
        return Boarding(
            train_id=self.plan.ids["train"][raw["train"]],
            release_id=self.plan.ids["application_release"][raw["id"]],
            state=BoardingState.LEFT if has_left else BoardingState.ABOARD,
        )

    def _dependency(self, need: Any) -> Dependency:
        keys = self.plan.ids["application_release"]
        return Dependency(
            release_id=keys[need.release],
            needs_id=keys[need.needs],
            kind=need.kind,
            extra=need.raw,
        )

    # --- Rows that change ---

    def _change(self, kind: Kind, change: Change) -> None:
        fields = self._fields(kind, change.values)
        row = edit(change.row, by=self.by, reason=self.reason, extra=change.item.raw, **fields)
        if change.state is not None:
            row = restate(row, change.state, by=self.by, reason=self.reason)
        if kind is RELEASE:
            self._change_place(row, change)
        elif kind is TURNOVER:
            change_tasks(self.plan, row, change, by=self.by, reason=self.reason)
            change_contents(self.plan, row, change, by=self.by, reason=self.reason)
        elif kind is TRAIN:
            change_gates(self.plan, row, change, by=self.by, reason=self.reason)
        elif kind is MILESTONE:
            inheritance.tell_copies(row, by=self.by)

    def _change_place(self, release: Any, change: Change) -> None:
        """Follow the release to another train, or off it; a place steered here stays."""
        raw = change.item.raw
        has_left = release.state == ReleaseState.CANCELLED
        moved = change.before.get("train") != raw["train"]
        for place in release.boardings.live():
            if not (moved or has_left):
                continue
            if place.history.exclude(transition="").exists():
                self.plan.report.note(change.item.place, "its place is steered here and stays.")
                return
            restate(place, BoardingState.LEFT, by=self.by, reason=self.reason)
        is_back = change.state is not None and not has_left
        if moved or (is_back and not release.boardings.live().exists()):
            create(self._place(raw, release.state), by=self.by, reason=self.reason)
