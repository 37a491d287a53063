"""The read-only views, held against what docs/views.md promises."""

import re
import tomllib
from pathlib import Path

import pytest
from django.db import connection

from releasemgr.version import VERSION
from turnovers.models import Attempt, Heartbeat, TaskRun

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]


def documented():
    """View -> its columns, in the order in which the document lists them."""
    found, columns = {}, []
    for line in (ROOT / "docs/views.md").read_text().splitlines():
        if match := re.match(r"## `(v_\w+)`", line):
            columns = found.setdefault(match[1], [])
        elif match := re.match(r"\| `(\w+)` \|", line):
            columns.append(match[1])
    return found


def present():
    with connection.cursor() as cursor:
        tables = connection.introspection.get_table_list(cursor)
        views = [table.name for table in tables if table.type == "v"]
        return {
            view: [
                column.name
                for column in connection.introspection.get_table_description(cursor, view)
            ]
            for view in views
            if view.startswith("v_")
        }


def rows(view):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {view}")  # noqa: S608 -- our own names
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_the_document_tells_every_view_and_column_and_no_other():
    assert documented() == present()


def test_they_show_a_deployment(deployed):
    turnover = deployed(1, 2)
    attempt = Attempt.objects.order_by("pk").first()

    (shown,) = rows("v_turnover")
    assert (shown["id"], shown["state"]) == (turnover.pk, "deployed")
    assert shown["content_hash"] == turnover.delivered_digest
    assert [(row["position"], row["state"]) for row in rows("v_step")] == [
        (1, "succeeded"),
        (2, "succeeded"),
    ]
    first = min(rows("v_attempt"), key=lambda row: row["attempt_id"])
    assert (first["n"], first["fence"], first["outcome"]) == (1, 1, "succeeded")
    assert first["idempotency_key"] == attempt.key
    assert [row["state"] for row in rows("v_reservation")] == ["released"]
    task = TaskRun.objects.order_by("pk").first()
    told = [
        (row["action"], row["before"], row["after"])
        for row in sorted(rows("v_audit"), key=lambda row: row["seq"])
        if (row["object_type"], row["object_id"]) == ("turnovers.taskrun", task.pk)
    ]
    assert told == [
        ("claim", None, "running"),
        ("settle", "running", "succeeded"),
    ]


def test_they_show_who_lives():
    Heartbeat.objects.create(part="worker:a:1", kind="worker", at="2026-01-01T00:00:00Z")

    assert [row["component"] for row in rows("v_health")] == ["worker:a:1"]


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION
