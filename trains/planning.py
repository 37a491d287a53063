"""Making trains from outlines: from a template, as a copy, by a cadence."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group

from approvals.services import LevelPlan
from releasemgr.accounts.models import User
from releasemgr.workflow.edit import create, edit
from releasemgr.workflow.locks import one_transaction
from releasemgr.workflow.perform import record
from trains import rounds
from trains.freezes import declare
from trains.models import (
    Calendar,
    Criterion,
    Freeze,
    Milestone,
    Team,
    Template,
    TemplateVersion,
    Train,
)
from trains.outline import (
    CHECK_FIELDS,
    USUAL_LENGTHS,
    CriterionOutline,
    FreezeOutline,
    LevelOutline,
    MilestoneOutline,
    Outline,
)
from trains.services import create_train, define_approval
from trains.states import FreezeScope
from trains.workdays import EVERY_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trains.workdays import Workdays

#: The dates of a schedule in their order.
SCHEDULE = ("start", "scoping_end", "construction_end", "qa_end", "end")
APPROVALS = ("train", "development", "executive")

# --- Outlines -------------------------------------------------------------------------------------


def outline_of(train: Train, workdays: Workdays | None = None) -> Outline:
    """The train's plan without its dates, counted in ``workdays``. Reads all of it."""
    first = first_day(train)
    workdays = workdays or counted_in(train, Calendar.objects.filter(is_default=True).first())
    away = {name: _away(workdays, first, getattr(train, name)) for name in SCHEDULE}
    gates = list(train.gates.all())
    return Outline(
        lengths=_lengths(away),
        needs={which: getattr(train, f"needs_{which}_approval") for which in APPROVALS},
        levels={which: _levels(sheet) for which, sheet in train.signoffs if sheet is not None},
        overrides=tuple(
            which for which, sheet in train.signoffs if sheet and sheet.allows_override
        ),
        gates={
            gate.stage: days
            for gate in gates
            if (days := _away(workdays, first, gate.date)) is not None
        },
        criteria=tuple(
            CriterionOutline(
                gate.stage,
                criterion.title,
                criterion.description,
                criterion.owner_id,
                _away(workdays, first, criterion.own_due),
                criterion.environment_id,
                **{name: getattr(criterion, name) for name in CHECK_FIELDS},
            )
            for gate in gates
            for criterion in gate.criteria.order_by("pk")
        ),
        milestones=tuple(
            MilestoneOutline(
                milestone.title,
                workdays.between(first, milestone.due),
                milestone.owner_id,
                milestone.same_role,
                milestone.for_all,
                # Those of a train that is over were lifted when it ended.
                tuple(
                    _freeze_outline(freeze)
                    for freeze in milestone.freezes.all()
                    if freeze.is_in_force or train.is_over
                ),
            )
            for milestone in train.milestones.order_by("due", "pk").prefetch_related("freezes")
        ),
    )


def _freeze_outline(freeze: Freeze) -> FreezeOutline:
    length = freeze.ends - freeze.begins if freeze.ends else None
    return FreezeOutline(
        freeze.name,
        freeze.stops,
        freeze.reason,
        int(length.total_seconds()) if length is not None else None,
        freeze.team_id,
        freeze.time_zone,
    )


def counted_in(train: Train, otherwise: Calendar | None) -> Workdays:
    """The days in which a train's plan is counted: by its own calendar, or else by another.

    Counted in all days and planned again in working days, a plan would grow by two days a week.
    """
    calendar = train.calendar or otherwise
    return calendar.workdays if calendar else EVERY_DAY


def first_day(train: Train) -> dt.date:
    """The day from which a train's other days are counted: its start, or its first date."""
    known = [day for name in SCHEDULE if (day := getattr(train, name)) is not None]
    known += list(train.milestones.values_list("due", flat=True)[:1])
    return known[0] if known else dt.date.min.replace(year=2000)


def _away(workdays: Workdays, first: dt.date, day: dt.date | None) -> int | None:
    return None if day is None else workdays.between(first, day)


def _lengths(away: dict[str, int | None]) -> tuple[int, int, int, int]:
    """How long each stage takes; a date that is missing leaves its stage no time."""
    if away["end"] is None:
        return USUAL_LENGTHS
    lengths, reached = [], 0
    for name in SCHEDULE[1:]:
        there = away[name]
        day = reached if there is None else max(there, reached)
        lengths.append(day - reached)
        reached = day
    first, second, third, fourth = lengths
    return first, second, third, fourth


def _levels(sheet: Any) -> tuple[LevelOutline, ...]:
    found = []
    for level in sheet.levels.order_by("number"):
        votes = list(level.rules.all())
        people = tuple(vote.person_id for vote in votes if vote.person_id)
        groups = tuple((vote.group_id, vote.needed) for vote in votes if vote.group_id)
        found.append(LevelOutline(level.name, people, groups))
    return tuple(found)


def dates_of(
    outline: Outline, start: dt.date, workdays: Workdays, *, is_short: bool = False
) -> dict[str, dt.date]:
    """The five dates of a train that begins on ``start``; of a short path the first and the last.

    Raises ``OverflowError`` where no calendar reaches.
    """
    days = 0
    dates = {"start": workdays.forward(start)}
    for name, length in zip(SCHEDULE[1:], outline.lengths, strict=True):
        days += length
        dates[name] = workdays.add(start, days)
    if is_short:
        return {"start": dates["start"], "end": dates["end"]}
    return dates


# --- Trains from outlines -------------------------------------------------------------------------


def create_planned(
    train: Train,
    outline: Outline | None,
    *,
    by: User,
    engineers: Iterable[User] = (),
    criteria: dict[str, list[str]],
) -> Train:
    """Store a new train with its crew, gates and ``criteria``, and the rest of its outline.

    A criterion that the outline knows by its title brings its details along. Who has left the
    organisation meanwhile owns and approves nothing.
    """
    outline = outline or Outline()
    with one_transaction(train):
        create_train(train, by=by, engineers=engineers, criteria={})
        first, workdays = first_day(train), train.workdays
        here = set(_people_of(outline))
        known = {(one.stage, one.title): one for one in outline.criteria}
        for gate in train.gates.all():
            if (days := outline.gates.get(gate.stage)) is not None:
                edit(gate, by=by, date=workdays.add(first, days))
            for title in criteria.get(gate.stage, []):
                one = known.get((gate.stage, title), CriterionOutline(gate.stage, title))
                criterion = Criterion(
                    gate=gate,
                    title=title,
                    description=one.description,
                    owner_id=one.owner if one.owner in here else None,
                    own_due=None if one.days is None else workdays.add(first, one.days),
                    environment_id=one.environment,
                    **one.check,
                )
                create(criterion, by=by)
                if criterion.is_automatic:
                    rounds.begin_anew(criterion, by=by)
        for planned in outline.milestones:
            milestone = Milestone(
                train=train,
                title=planned.title,
                due=workdays.add(first, planned.days),
                owner_id=planned.owner if planned.owner in here else None,
                same_role=planned.same_role,
                for_all=planned.for_all,
            )
            create(milestone, by=by)
            for freeze in planned.freezes:
                _freeze_with(milestone, freeze, by=by)
        for which, levels in outline.levels.items():
            if plan := _level_plans(levels):
                is_overridable = which in outline.overrides
                define_approval(
                    train, which, plan, by=by, version=None, allows_override=is_overridable
                )
    return Train.objects.get(pk=train.pk)


def _freeze_with(milestone: Milestone, planned: FreezeOutline, *, by: User) -> Freeze:
    """The freeze of its train that begins with the milestone; of a team that is gone, of all."""
    freeze = Freeze(
        name=planned.name,
        reason=planned.reason,
        scope=FreezeScope.TRAIN,
        train=milestone.train,
        team=Team.objects.filter(pk=planned.team).first() if planned.team else None,
        stops=planned.stops,
        time_zone=planned.time_zone,
        milestone=milestone,
    )
    freeze.begins = freeze.begin_of(milestone.due)
    if planned.seconds is not None:
        freeze.ends = freeze.begins + dt.timedelta(seconds=planned.seconds)
    return declare(freeze, by=by)


def _people_of(outline: Outline) -> Iterable[int]:
    """Those named as owners who still work here."""
    owners = [one.owner for one in outline.criteria] + [one.owner for one in outline.milestones]
    named = {owner for owner in owners if owner is not None}
    keys: Iterable[int] = User.objects.people().filter(pk__in=named).values_list("pk", flat=True)
    return keys


def _level_plans(levels: Iterable[LevelOutline]) -> list[LevelPlan]:
    """The levels with those who are still here; one that is left with nobody is dropped."""
    plans = []
    for level in levels:
        groups = Group.objects.in_bulk([group for group, _ in level.groups])
        plan = LevelPlan(
            level.name,
            list(User.objects.people().filter(pk__in=level.people)),
            [(groups[pk], needed) for pk, needed in level.groups if pk in groups],
        )
        if plan.people or plan.groups:
            plans.append(plan)
    return plans


# --- Templates ------------------------------------------------------------------------------------


def keep_template(
    template: Template,
    outline: Outline,
    *,
    by: User,
    version: int | None = None,
    made_from: Train | None = None,
    **changes: Any,
) -> Template:
    """Store a template, new or changed; an outline that differs becomes its next version.

    Earlier versions stay as they are, for the trains that began with them.
    """
    with one_transaction(template):
        if template._state.adding:
            create(template, by=by)
        else:
            template = edit(template, by=by, version=version, **changes)
        latest = template.versions.order_by("-number").first()
        if latest is None or latest.outline != outline:
            number = latest.number + 1 if latest else 1
            new = TemplateVersion(
                template=template, number=number, content=outline.to_json(), made_from=made_from
            )
            create(new, by=by)
            if latest is not None:
                # Its content stands in rows of its own; who looks at it sees one version of it.
                record(template, by=by, reason=f"Version {number}")
    return template
