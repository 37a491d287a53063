"""The gates of trains with their exit criteria: read from the file, and written back.

Criteria have no id in the file. They are told apart by their gate and their title, and by their
place among those of the same title; what the file said of them is kept with their train.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from releasemgr.exchange.held import (
    Held,
    Unfit,
    date,
    fitted,
    number,
    reference,
    text,
    values_of,
    web_address,
    with_changes,
)
from releasemgr.exchange.shape import in_order, kept_names
from releasemgr.exchange.words import TRAIN_STATES
from trains import checking
from trains.models import Criterion, Evidence, Gate
from trains.states import STAGES, CriterionState, GateStage

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from releasemgr.accounts.models import User
    from releasemgr.exchange.places import Object
    from trains.models import Train, Waiver

#: How the report calls them.
CRITERIA = "Exit criteria"
#: The check that is told an environment, which a file knows by its id and we by our key.
OF_ENVIRONMENT = {"verified": "environment"}
#: A year, in minutes, as the forms have it.
LONGEST = 366 * 24 * 60
#: What is taken of what people said, and only where the gate is behind the train.
DECIDED = {CriterionState.MET, CriterionState.REJECTED}

Key = tuple[str, str, int]


def check_key(raw: Object) -> str:
    """What finds out whether it is true, where it is known here and takes the parameters."""
    asked(raw)
    return str(raw.get("checked_by", ""))


def check_parameters(raw: Object) -> Object:
    try:
        return asked(raw)
    except Unfit:  # told once, with the check
        return {}


def asked(raw: Object) -> Object:
    """The parameters as the check's own form takes them. Raises ``Unfit``."""
    key = raw.get("checked_by", "")
    if not key:
        return {}
    check = checking.get(key)
    if check is None:
        raise Unfit(f"{key[:30]} is not known here: people decide", "")
    said = raw.get("parameters", {})
    said = said if isinstance(said, dict) else {}
    if key in OF_ENVIRONMENT:
        name = said.get(OF_ENVIRONMENT[key])
        if not isinstance(name, str):
            raise Unfit("it names no environment: people decide", "")
        return {OF_ENVIRONMENT[key]: name}
    form = check.form(said)
    if not form.is_valid():
        why = next(iter(form.errors.values()))[0]
        raise Unfit(f"{check.name} refuses its parameters ({why}): people decide", "")
    return dict(form.cleaned_data)


CRITERION_FIELDS: tuple[Held, ...] = (
    Held("title", lambda raw: fitted(raw["title"], 300), lambda value, raw: {"title": value}),
    text("description", 100_000),
    date("due", "own_due"),
    reference("environment", "environment"),
    Held("checked_by", check_key, lambda value, raw: {"checked_by": value} if value else {}),
    Held("parameters", check_parameters, lambda value, raw: {"parameters": value} if value else {}),
    number("check_every", range(1, LONGEST + 1), 15),
    number("good_for", range(1, LONGEST + 1), 60),
    number("green_for", range(LONGEST + 1), 0),
    text("evidence", 100_000),
    Held(
        "evidence_url",
        lambda raw: web_address(raw.get("evidence_url", ""), 500),
        lambda value, raw: {"evidence_url": value} if value else {},
    ),
)


def keyed(train: Object) -> dict[Key, Object]:
    """The criteria that the file tells of, by gate, title, and place among those of one title."""
    found: dict[Key, Object] = {}
    for gate in train.get("gates", []):
        seen: Counter[str] = Counter()
        for criterion in gate.get("criteria", []):
            title = criterion["title"]
            found[gate["stage"], title, seen[title]] = criterion
            seen[title] += 1
    return found


def gate_date(train: Object, stage: str) -> dt.date | None:
    """The gate's own date, as the file has it."""
    own: Object = next((gate for gate in train.get("gates", []) if gate["stage"] == stage), {})
    read: dt.date | None = date("date").read(own)
    return read


def state_of(train: Object, stage: str, raw: Object) -> str:
    """What people said counts where the gate is behind; before that it is for people here to say.

    Nothing is waived by a file: that takes two people.
    """
    state = CriterionState(raw.get("state", CriterionState.OPEN))
    return state if is_behind(train, stage) and state in DECIDED else CriterionState.OPEN


def is_behind(train: Object, stage: str) -> bool:
    """Whether the train, as the file has it, has passed the gate of a stage or is over."""
    reached = TRAIN_STATES[train["status"]]
    number = next((n for n, (_, states) in enumerate(STAGES) if reached in states), len(STAGES))
    return number > list(GateStage.values).index(stage)


# --- What an import would do ----------------------------------------------------------------------


@dataclass
class Told:
    """What a report says of the criteria of a train: how many are new, and what did not fit."""

    new: list[str] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)


def look(before: Object, now: Object, place: str) -> Told:
    """Compare what the file said of a train's criteria with what it says now."""
    told, old, silent = Told(), keyed(before), kept_names("criterion")
    for (stage, title, nth), raw in keyed(now).items():
        told.kept.update(("criterion", name) for name in raw if name in silent)
        if raw == old.get((stage, title, nth)):
            continue
        where = f"{place}, criterion “{title[:60]}” of the {stage} gate"
        if (stage, title, nth) not in old:
            told.new.append(f"{stage}: {title}"[:300])
        told.notes += [
            (f"{where}, {attr.replace('_', ' ')}", f"{why}.")
            for attr, why in values_of(CRITERION_FIELDS, raw)[1]
        ]
        if raw.get("state", "open") != state_of(now, stage, raw):
            told.notes.append((where, f"{raw['state']} elsewhere; it is open here."))
    return told


# --- Rows -----------------------------------------------------------------------------------------


def criterion_fields(raw: Object, environments: dict[str, int]) -> dict[str, Any]:
    """Our fields of a criterion, with keys for the ids of environments."""
    values = values_of(CRITERION_FIELDS, raw)[0]
    name = values.pop("environment")
    values["environment_id"] = None if name is None else environments.get(name)
    key = OF_ENVIRONMENT.get(values["checked_by"])
    if key is not None:
        pk = environments.get(values["parameters"][key])
        if pk is None:
            return values | {"checked_by": "", "parameters": {}}
        values["parameters"] = {key: str(pk)}
    return values


def new_criteria(
    gates: dict[str, Gate], train: Object, environments: dict[str, int]
) -> list[tuple[Criterion, Object]]:
    """Rows to be, not stored yet, for all criteria that the file tells of, each with its words."""
    return [
        (
            Criterion(
                gate=gates[stage],
                state=state_of(train, stage, raw),
                **criterion_fields(raw, environments),
            ),
            raw,
        )
        for (stage, _, _), raw in keyed(train).items()
    ]


def evidence_of(criterion: Criterion, raw: Object, by: User) -> list[Evidence]:
    """Rows to be for what was filed; who brought the file brought them, and the note says whose."""
    return [
        Evidence(criterion=criterion, added_by=by, **fields)
        for entry in raw.get("filed", [])
        if any((fields := evidence_fields(entry)).values())
    ]


def evidence_fields(raw: Object) -> dict[str, str]:
    told = [f"By {raw['added_by']}" if raw.get("added_by") else "", raw.get("added_at", "")[:10]]
    lines = [
        raw.get("note", ""),
        f"File {raw['file']}, which stayed where it was." if raw.get("file") else "",
        f"({', '.join(filter(None, told))})" if any(told) else "",
    ]
    try:
        url = web_address(raw.get("url", ""), 500)
    except Unfit:
        lines.insert(1, raw["url"])
        url = ""
    return {"note": "\n".join(filter(None, lines)), "url": url}


def found_here(train: Train) -> dict[Key, Criterion]:
    """The train's criteria, known as a file would know them."""
    found: dict[Key, Criterion] = {}
    seen: Counter[tuple[str, str]] = Counter()
    rows = Criterion.objects.filter(gate__train=train).select_related("gate")
    for row in rows.order_by("pk"):
        name = (row.gate.stage, row.title)
        found[*name, seen[name]] = row
        seen[name] += 1
    return found


# --- Writing --------------------------------------------------------------------------------------


class Exported:
    """The gates of a train on their way back into the terms of the file."""

    def __init__(self, train: Train, raw: Object, environments: dict[int, str]) -> None:
        self.raw, self.environments = raw, environments
        self.gates = {gate.stage: gate for gate in train.gates.all()}
        self.rows: dict[str, list[tuple[Key, Criterion]]] = defaultdict(list)
        rows = Criterion.objects.filter(gate__train=train).select_related("gate", "owner")
        seen: Counter[tuple[str, str]] = Counter()
        for row in rows.prefetch_related(
            "filed__added_by", "waivers__asked_by", "waivers__decided_by"
        ).order_by("pk"):
            name = (row.gate.stage, row.title)
            self.rows[row.gate.stage].append(((*name, seen[name]), row))
            seen[name] += 1

    def gates_said(self) -> list[Object]:
        """Each gate of which there is something to say; those of the file first."""
        stages = [gate["stage"] for gate in self.raw.get("gates", [])]
        stages += [stage for stage in GateStage.values if stage not in stages]
        return [gate for stage in stages if (gate := self._gate(stage))]

    def _gate(self, stage: str) -> Object:
        before: Object = next((g for g in self.raw.get("gates", []) if g["stage"] == stage), {})
        said: Object = {"stage": stage}
        if stage in self.gates and (own := self.gates[stage].date) is not None:
            said["date"] = own.isoformat()
        if criteria := list(self._criteria(stage)):
            said["criteria"] = criteria
        if "criteria" in before:
            said.setdefault("criteria", [])
        return in_order("gate", said) if before or len(said) > 1 else {}

    def _criteria(self, stage: str) -> Iterator[Object]:
        known = keyed(self.raw)
        for key, row in self.rows[stage]:
            yield self._criterion(row, stage, known.get(key, {}))

    def _criterion(self, row: Criterion, stage: str, raw: Object) -> Object:
        values = {one.attr: getattr(row, one.attr) for one in CRITERION_FIELDS if not one.refers_to}
        values["environment"] = self.environments.get(row.environment_id or 0)
        if (name := OF_ENVIRONMENT.get(row.checked_by)) is not None:
            place = self.environments.get(int(row.parameters.get(name) or 0))
            values["parameters"] = {name: place} if place else {}
        if raw:
            if not row.checked_by and not row.history.exclude(checked_by="").exists():
                # It could not be taken then, whatever could be taken now: nobody changed it here.
                before, _ = values_of(CRITERION_FIELDS, raw)
                values |= {name: before[name] for name in ("checked_by", "parameters")}
            said = with_changes(CRITERION_FIELDS, raw, values)
        else:
            said = {}
            for one in CRITERION_FIELDS:
                said |= one.write(values[one.attr], {})
        if row.state != (state_of(self.raw, stage, raw) if raw else CriterionState.OPEN):
            said["state"] = row.state
        if row.owner is not None:
            said["owner"] = str(row.owner)
        filed = _filed(row, raw)
        waivers = _merged(raw.get("waivers", []), map(_waiver, row.waivers.all()))
        said = {k: v for k, v in said.items() if k not in {"filed", "waivers"}}
        said |= {"filed": filed} if filed else {}
        said |= {"waivers": waivers} if waivers else {}
        return in_order("criterion", said)


def _filed(row: Criterion, raw: Object) -> list[Object]:
    """The file's own entries that are still here, then those filed here."""
    here = {(one.note, one.url): one for one in row.filed.all() if not one.stored_as}
    kept = []
    for entry in raw.get("filed", []):
        fields = evidence_fields(entry)
        if here.pop((fields["note"], fields["url"]), None) is not None:
            kept.append(in_order("evidence", entry))
    new = [*here.values(), *(one for one in row.filed.all() if one.stored_as)]
    return kept + [_evidence(one) for one in sorted(new, key=lambda one: one.pk)]


def _evidence(row: Evidence) -> Object:
    said = {"note": row.note, "url": row.url, "file": row.name, "added_by": str(row.added_by)}
    said["added_at"] = _moment(row.added_at)
    return {name: value for name, value in said.items() if value}


def _waiver(row: Waiver) -> Object:
    said = {
        "reason": row.reason,
        "scope": row.scope,
        "until": row.until.isoformat(),
        "state": row.state,
        "asked_by": str(row.asked_by),
        "asked_at": _moment(row.asked_at),
    }
    if row.decided_at is not None:
        said |= {"decided_by": str(row.decided_by), "decided_at": _moment(row.decided_at)}
    return said


def _merged(said: list[Object], here: Iterable[Object]) -> list[Object]:
    """The file's own, each as it is now where it is one of those here, then the others of here."""
    now = {(one["reason"], one["asked_at"]): one for one in sorted(here, key=_asked_at)}
    kept = [now.pop((one["reason"], one.get("asked_at", "")), one) for one in said]
    return [in_order("waiver", one) for one in [*kept, *now.values()]]


def _asked_at(waiver: Object) -> str:
    return str(waiver["asked_at"])


def _moment(value: dt.datetime) -> str:
    return value.isoformat(timespec="seconds")
