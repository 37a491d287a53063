"""Gates and their criteria, on their way from a file into the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from releasemgr.exchange import gates
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.perform import restate
from trains import rounds
from trains.models import Criterion, Evidence, Gate, Watch
from trains.outline import CHECK_FIELDS
from trains.states import GateStage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from releasemgr.accounts.models import User
    from releasemgr.exchange.comparison import Change, Creation, Plan
    from releasemgr.exchange.places import Object
    from trains.models import Train

    CreateAll = Callable[[Any, list[Any]], list[Any]]


def create_gates(plan: Plan, trains: Iterable[Creation], create_all: CreateAll, by: User) -> None:
    """The gates of new trains, with all that the file says of their criteria."""
    raws = {plan.ids["train"][creation.item.id]: creation.item.raw for creation in trains}
    made: dict[int, dict[str, Gate]] = {key: {} for key in raws}
    new = [
        Gate(train_id=key, stage=stage, date=gates.gate_date(raw, stage))
        for key, raw in raws.items()
        for stage in GateStage.values
    ]
    for gate in create_all(Gate, new):
        made[gate.train_id][gate.stage] = gate
    environments = plan.ids["environment"]
    pairs = [
        (criterion, said, gates.is_behind(raw, criterion.gate.stage))
        for key, raw in raws.items()
        for criterion, said in gates.new_criteria(made[key], raw, environments)
    ]
    create_all(Criterion, [criterion for criterion, _, _ in pairs])
    evidence = [one for row, said, _ in pairs for one in gates.evidence_of(row, said, by)]
    create_all(Evidence, evidence)
    now = timezone.now()
    watches = [
        Watch(criterion=row, claim=1, next_at=None if is_behind else now)
        for row, _, is_behind in pairs
        if row.is_automatic
    ]
    Watch.objects.bulk_create(watches)


def change_gates(plan: Plan, train: Train, change: Change, *, by: User, reason: str) -> None:
    """Follow what the file changed, for gates that are ahead and what nobody changed here."""
    before, now = change.before, change.item.raw
    if (before.get("gates"), before["status"]) == (now.get("gates"), now["status"]):
        return
    rows = {gate.stage: gate for gate in train.gates.select_related("train")}
    _change_dates(rows, before, now, by, reason)
    old, here = gates.keyed(before), gates.found_here(train)
    for key, raw in gates.keyed(now).items():
        stage, title, _ = key
        row = here.get(key) if key in old else None
        if row is not None:
            was, new = gates.state_of(before, stage, old[key]), gates.state_of(now, stage, raw)
            if new != was == row.state and not row.history.exclude(transition="").exists():
                row = restate(row, new, by=by, reason=reason)
        if raw == old.get(key):
            continue
        if not rows[stage].is_ahead:
            where = f"{change.item.place}, criterion “{title[:60]}”"
            plan.report.note(where, "its gate is not ahead here; its criteria stay.")
        elif row is not None:
            _change(plan, row, old[key], raw, by, reason)
        elif key not in here and key not in old:
            _add(plan, rows[stage], raw, by, reason)


def _change_dates(
    rows: dict[str, Gate], before: Object, now: Object, by: User, reason: str
) -> None:
    """The dates of gates that are ahead, unless people have set others here."""
    for stage, gate in rows.items():
        was, new = gates.gate_date(before, stage), gates.gate_date(now, stage)
        if gate.is_ahead and new != was == gate.date:
            edit(gate, by=by, reason=reason, date=new)


def _add(plan: Plan, gate: Gate, raw: Object, by: User, reason: str) -> None:
    fields = gates.criterion_fields(raw, plan.ids["environment"])
    criterion = create(Criterion(gate=gate, **fields), by=by, reason=reason)
    for evidence in gates.evidence_of(criterion, raw, by):
        create(evidence, by=by, reason=reason)
    if criterion.is_automatic:
        rounds.begin_anew(criterion, by=by)


def _change(plan: Plan, row: Criterion, before: Object, raw: Object, by: User, reason: str) -> None:
    """Set what the file changed, unless people have set it to something else here."""
    environments = plan.ids["environment"]
    was = gates.criterion_fields(before, environments)
    new = gates.criterion_fields(raw, environments)
    changed = {
        attr: value
        for attr, value in new.items()
        if value != was[attr] and getattr(row, attr) == was[attr]
    }
    check = {attr: changed.pop(attr) for attr in CHECK_FIELDS if attr in changed}
    if check:
        row = rounds.set_check(row, by=by, version=None, **check)
    edit(row, by=by, reason=reason, **changed)
