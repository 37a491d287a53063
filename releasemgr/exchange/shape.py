"""The exchange format, field by field: what it may say, and what becomes of it here.

The reader checks files against these tables, and docs/exchange-format.md is printed from them.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "release-data/1"

#: What becomes of a value that has no field here.
KEPT = "kept"


@dataclass(frozen=True)
class Field:
    """A field of an object: ``type`` is a plain type, another object's name, or a list: ``x[]``."""

    name: str
    type: str
    use: str
    required: bool = False


def _must(name: str, type_: str, use: str) -> Field:
    return Field(name, type_, use, required=True)


def _may(name: str, type_: str, use: str = KEPT) -> Field:
    return Field(name, type_, use)


_CARRIED_OUT = (
    _may("executor", "text", "what carries it out, if it is known here; empty: a person"),
    _may("parameters", "any", "what the executor is told; where it refuses them, a person does it"),
    _may("timeout_seconds", "whole", "timeout, 1 to 86,400"),
    _may("attempts", "whole", "attempts, 1 to 20"),
    _may("repeat_safe", "flag", "true: may be repeated"),
)

#: Object -> its fields, in the order in which they are written.
SHAPE: dict[str, tuple[Field, ...]] = {
    "dataset": (
        _must("format", "text", f"always `{VERSION}`; another version is refused"),
        _must("dataset", "text", "which data set it is: the same word means the same data later"),
        _must("title", "text", "shown with the data set"),
        _must("license", "text", KEPT),
        _must("source", "source[]", "where the data were taken from; kept"),
        _must(
            "snapshot", "moment", "the moment the data show; earlier milestones count as reached"
        ),
        _must("derived", "text[]", "which values were computed, and how; kept"),
        _may("not_in_source", "text[]"),
        _may("teams", "team[]", "teams"),
        _may("applications", "application[]", "applications"),
        _may("environments", "environment[]", "environments"),
        _may("trains", "train[]", "release trains"),
        _may("runbooks", "runbook[]", "kept: this version has no runbooks"),
        _may("windows", "window[]", "kept: this version has no weekly windows"),
        _may("freezes", "freeze[]", "kept: this version has no freezes"),
        _may("reservations", "reservation[]", "bookings of environments"),
        _may("incidents", "incident[]", "kept: this version has no incidents"),
    ),
    "source": (
        _must("name", "text", KEPT),
        _must("url", "text", KEPT),
        _must("commit", "text", KEPT),
        _may("commit_date", "moment"),
        _must("license", "text", KEPT),
        _must("license_evidence", "text", KEPT),
        _must("paths", "text[]", KEPT),
    ),
    "team": (_must("id", "id", "what others refer to"), _must("name", "text", "name")),
    "application": (
        _must("id", "id", "what others refer to"),
        _must("name", "text", "name"),
        _may("team", "text", "its team, by id"),
        _may("type", "text", "kind"),
        _may("kind", "text", "kind, where there is no type"),
        _may("group", "text"),
        _may("product", "text"),
        _may("repositories", "text[]", "repositories"),
        _may("tracker", "text", "tracker"),
    ),
    "environment": (
        _must("id", "id", "what others refer to"),
        _must("name", "text", "name"),
        _must("kind", "text", "kind; “production” marks it as production"),
        _may("parent", "text", "the environment it is part of, by id; without circles"),
        _may("tier", "text", "“production” marks it as production"),
        _may("active", "flag", "false: Offline; else Online"),
        _may("disabled", "flag", "true: Offline"),
        _may("order", "whole", "order of promotion"),
        _may("description", "text", "description"),
        _may("owner", "text", "owner outside: no account is given anything by a file"),
        _may("host", "text", "host"),
        _may("services", "text[]", "services"),
        _may("location", "any"),
    ),
    "train": (
        _must("id", "id", "what others refer to"),
        _must("name", "text", "name"),
        _must("kind", "text", KEPT),
        _may("version", "text", "version; also tells a major, minor or patch release"),
        _may("purpose", "text", "purpose"),
        _must("status", "text", "state, see below"),
        _may("status_in_source", "text", "shown as the state outside"),
        _may("slurp", "flag"),
        _may("owner", "text", "kept: a release manager is an account here, named by a person"),
        _may("start", "date", "start"),
        _may("scoping_end", "date", "scoping complete; in order with the others"),
        _may("construction_end", "date", "construction complete"),
        _may("qa_end", "date", "QA complete"),
        _may("end", "date", "end; not before the start"),
        _may("recorded_at", "moment"),
        _may("stages", "stage[]"),
        _may("gates", "gate[]", "dates of its gates, and their exit criteria"),
        _may("milestones", "milestone[]", "milestones of the train"),
        _may("application_releases", "application_release[]", "application releases on it"),
        _may("turnovers", "turnover[]", "turnovers of the train"),
        _may("work_items", "work_item[]", "work items of the train itself"),
        _may("exceptions", "exception[]"),
        _may("metrics", "any"),
    ),
    "stage": (
        _must("name", "text", KEPT),
        _must("start", "date", KEPT),
        _may("end", "date"),
        _may("parent", "text"),
    ),
    "gate": (
        _must("stage", "text", "scoping, construction or qa; each once"),
        _may("date", "date", "its own date, where that is not the end of the stage"),
        _may("criteria", "criterion[]", "exit criteria, told apart by their titles"),
    ),
    "criterion": (
        _must("title", "text", "title"),
        _may("description", "text", "description"),
        _may("owner", "text", "kept: who owns it is an account here, named by a person"),
        _may("due", "date", "due, where that is not the date of the gate"),
        _may("environment", "text", "its environment, by id"),
        _may("checked_by", "text", "which check finds out whether it is true; empty: people say"),
        _may("parameters", "any", "what the check asks; an environment by id"),
        _may("check_every", "whole", "minutes between its looks"),
        _may("good_for", "whole", "minutes after which an answer is stale"),
        _may("green_for", "whole", "minutes for which it must have been true"),
        _may("state", "text", "state, see below: open, met, rejected or waived"),
        _may("evidence", "text", "evidence, where its state is taken"),
        _may("evidence_url", "text", "link of the evidence, where it is a web address"),
        _may("filed", "evidence[]", "evidence that was filed"),
        _may("waivers", "waiver[]", "kept: a waiver is granted here, by two people"),
    ),
    "evidence": (
        _may("note", "text", "note"),
        _may("url", "text", "link, where it is a web address"),
        _may("file", "text", "the name of a file, told in the note; the file itself stays behind"),
        _may("added_by", "text", "told in the note"),
        _may("added_at", "moment", "told in the note"),
    ),
    "waiver": (
        _must("reason", "text", KEPT),
        _may("scope", "text"),
        _may("until", "date"),
        _may("state", "text"),
        _may("asked_by", "text"),
        _may("asked_at", "moment"),
        _may("decided_by", "text"),
        _may("decided_at", "moment"),
    ),
    "milestone": (
        _must("id", "id", "what others refer to"),
        _must("name", "text", "title"),
        _may("date", "date", "due; without any date it is left out"),
        _may("end_date", "date", "due, where there is no date"),
        _may("instant", "moment", "due, where there is neither"),
        _may("zone", "text"),
        _may("window", "any", "the end of it is due, where nothing else says so"),
        _may("week", "text"),
        _may("date_basis", "text"),
        _may("scope", "text"),
        _may("owner", "text"),
        _may("baseline", "date", "what later dates are measured by"),
        _may("same_role", "flag", "true: others in a role of the owner may act too"),
        _may("for_all", "flag", "true: for all application releases"),
        _may("status", "text", "“removed-from-schedule”: left out"),
        _may("actual", "flag", "true: Completed"),
        _may("recorded_at", "moment"),
        _may("final_at", "moment"),
        _may("commit", "text"),
        _may("text", "text"),
        _may("source_text", "text"),
        _may("warnings", "text[]"),
        _may("text_dates_outside_week", "text[]"),
        _may(
            "history", "any[]", "earlier plans, oldest first: its history; the first its baseline"
        ),
    ),
    "application_release": (
        _must("id", "id", "what others refer to"),
        _must("application", "text", "its application, by id"),
        _may("version", "text", "version"),
        _may("status", "text", "state, see below"),
        _may("team", "text", "by id; kept"),
        _may("owner", "text"),
        _may("type", "text"),
        _may("model", "text"),
        _may("prerelease", "text"),
        _may("criticality", "text", "required, critical, desirable or optional"),
        _may("start", "date", "start"),
        _may("construction_end", "date", "construction complete"),
        _may("planned_date", "date", "end, where there is no date"),
        _may("date", "date", "end"),
        _may("recorded_at", "moment"),
        _may("milestone", "text", "by id; kept"),
        _may("first_train", "text"),
        _may("branch_created", "text"),
        _may("previous_version", "text"),
        _may("flags", "text[]"),
        _may("note", "text", "description"),
        _may("ref", "text"),
        _may("platforms", "text[]"),
        _may("working_directory", "text"),
        _may("commits_ahead", "whole"),
        _may("repositories", "text[]"),
        _may("commits", "any[]"),
        _may("cancelled_at", "moment"),
        _may("cancelled_commit", "text"),
        _may("added_at", "moment"),
        _may("depends_on", "dependency[]", "what it needs; without circles"),
        _may("work_items", "work_item[]", "work items of the application release"),
    ),
    "dependency": (
        _may("release", "text", "the application release needed, by id, in any train of the file"),
        _may("application", "text", "by id or, outside the file, by name; kept"),
        _may("version", "text"),
        _must("kind", "text", "kind"),
        _may("external", "flag", "true: outside the file; kept"),
        _may("unresolved", "flag"),
    ),
    "work_item": (
        _may("id", "text", "reference"),
        _may("title", "text", "title; without it the id or the address stands there"),
        _may("kind", "text", "request, task or defect, see below"),
        _may("kinds", "text[]"),
        _may("url", "text", "link, where it is a web address"),
        _may("state", "text", "state, see below"),
        _may("component", "text"),
        _may("teams", "text[]"),
        _may("areas", "text[]"),
        _may("action_required", "flag"),
        _may("created_at", "moment"),
        _may("merged_at", "moment"),
        _may("insertions", "whole"),
        _may("deletions", "whole"),
        _may("comments", "whole"),
        _may("review_seconds", "whole"),
    ),
    "turnover": (
        _must("id", "id", "what others refer to"),
        _must("name", "text", "title"),
        _may("environment", "text", "its environment, by id; without any it is left out"),
        _may("environments", "text[]", "by id; the first, where there is no single one"),
        _may("application_releases", "text[]", "contents, by id"),
        _may("scheduled_date", "date", "kept: a day is no window"),
        _may("description", "text", "description"),
        _may("scheduled_at", "moment", "earliest start"),
        _may("latest_at", "moment", "latest start; not before the earliest"),
        _may("if_late", "text", "what if it cannot start in its window: expire or wait"),
        _may("most_parallel", "whole", "tasks of one order at once, 1 to 100"),
        _may("actual_date", "date", "deployed on, where no moment is given; the turnover is over"),
        _may("actual_at", "moment", "deployed at, where it did not finish later; it is over"),
        _may("prepared_at", "moment"),
        _may("finished_at", "moment", "deployed at; it is over"),
        _may("owner", "text"),
        _may("actor", "text"),
        _may("direction", "text"),
        _may("from_version", "text"),
        _may("to_version", "text"),
        _may("outcome", "text", "it is over; which way is kept"),
        _may("reverted_by", "text", "by id; kept"),
        _may("wikis_changed", "whole"),
        _may("tickets", "text[]"),
        _may("runbook", "text", "by id; kept"),
        _may("tasks", "task[]", "deployment tasks"),
    ),
    "runbook": (
        _must("id", "id", KEPT),
        _must("name", "text", KEPT),
        _may("source_path", "text"),
        _must("tasks", "task[]", KEPT),
    ),
    "task": (
        _must("order", "whole", "order: 1, 2, 3 … without gaps"),
        _must("title", "text", "title"),
        _may("section", "text", "phase"),
        _may("parent", "whole", "a task before it; where that is a heading, the phase"),
        _may("depends", "whole[]", "tasks before it; kept: all that come earlier are waited for"),
        _may("mode", "text", "kept: the executor says whether it is automated here"),
        _may("group", "flag", "true: a heading; the tasks under it are in that phase"),
        _may("condition", "text", "first line of the instructions"),
        _may("kind", "text"),
        _may("status", "text"),
        _may("commands", "text[]", "instructions"),
        _may("due_offset_days", "whole"),
        _may("duration_minutes", "whole", "estimate"),
        _may("duration_minutes_max", "whole"),
        _may("application", "text"),
        _may("version", "text"),
        _may("owner", "text", "kept: who does it is an account here, named by a person"),
        *_CARRIED_OUT,
        _may("not_before", "moment", "does not begin earlier"),
        _may("undo", "text", "what undoes it, in words"),
        _may("undone_by", "undo_task", "the task that undoes it"),
    ),
    "undo_task": (
        _must("title", "text", "title"),
        _may("commands", "text[]", "instructions"),
        _may("duration_minutes", "whole", "estimate"),
        _may("owner", "text", "kept: who does it is an account here, named by a person"),
        *_CARRIED_OUT,
    ),
    "exception": (
        _must("freeze", "text", KEPT),
        _may("title", "text"),
        _may("issue", "any"),
        _may("requested", "date"),
        _may("reviewed", "date"),
        _may("status", "text"),
        _may("url", "text"),
        _may("pull_requests", "any"),
    ),
    "window": (
        _must("id", "id", KEPT),
        _must("name", "text", KEPT),
        _may("variant", "text"),
        _may("valid_from", "date"),
        _must("kind", "text", KEPT),
        _may("environment", "text", "by id; kept"),
        _must("days", "text[]", KEPT),
        _must("local_start", "text", KEPT),
        _must("duration_minutes", "whole", KEPT),
        _must("timezone", "text", KEPT),
        _may("owner", "text"),
    ),
    "freeze": (
        _must("id", "id", KEPT),
        _must("name", "text", KEPT),
        _may("title", "text"),
        _may("train", "text", "by id; kept"),
        _may("milestone", "text", "by id; kept"),
        _may("scope", "text"),
        _may("owner", "text"),
        _must("start", "date or moment", KEPT),
        _may("end", "date or moment"),
        _may("start_utc", "moment"),
        _may("end_utc", "moment"),
        _may("window", "text", "by id; kept"),
        _may("environment", "text", "by id; kept"),
    ),
    "reservation": (
        _must("id", "id", "what it is known by"),
        _may("environment", "text", "the environment, by id; without it, it is left out"),
        _may("environment_name", "text"),
        _may("environment_parent", "text"),
        _must("kind", "text", "Maintenance, Outage, else Other event"),
        _may("class_in_source", "text"),
        _may("severity", "text"),
        _may("title", "text", "title"),
        _must("start", "moment", "start"),
        _must("end", "moment", "end; not before the start, and left out where it is the start"),
        _may("start_utc", "moment"),
        _may("end_utc", "moment"),
        _may("created_at", "moment"),
        _may("services", "text[]"),
        _may("owner", "text"),
        _may("window", "text", "by id; kept"),
    ),
    "incident": (
        _must("id", "id", KEPT),
        _may("train", "text", "by id; kept"),
        _may("turnover", "text", "by id; kept"),
        _must("detected_at", "moment", KEPT),
        _must("kind", "text", KEPT),
        _must("title", "text", KEPT),
        _may("description", "text"),
        _may("tickets", "text[]"),
        _may("environments", "text[]"),
        _may("caused_by", "text", "by id; kept"),
        _may("caused_by_guess", "text", "by id; kept"),
        _may("redeployed_at", "moment"),
    ),
}


def in_order(kind: str, values: dict[str, object]) -> dict[str, object]:
    """The values in the order of the format."""
    return {field.name: values[field.name] for field in SHAPE[kind] if field.name in values}


def kept_names(kind: str) -> frozenset[str]:
    """The fields of an object that are kept as they are, for an export to give back."""
    return frozenset(
        field.name
        for field in SHAPE[kind]
        if field.use == KEPT or field.use.startswith("kept:") or field.use.endswith("; kept")
    )


def tables() -> dict[str, str]:
    """Each object as a Markdown table, for docs/exchange-format.md."""
    made = {}
    for kind, fields in SHAPE.items():
        lines = ["| Field | Type | | What becomes of it |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{field.name}` | {field.type} | {'required' if field.required else ''} "
            f"| {field.use} |"
            for field in fields
        ]
        made[kind] = "\n".join(lines)
    return made
