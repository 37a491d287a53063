"""A small file in the exchange format, with something of everything."""

import copy
import json

SMALL = {
    "format": "release-data/1",
    "dataset": "orchard",
    "title": "The orchard's releases",
    "license": "CC0-1.0",
    "source": [
        {
            "name": "orchard",
            "url": "https://orchard.example",
            "commit": "0",
            "license": "CC0-1.0",
            "license_evidence": "it says so",
            "paths": ["releases"],
        }
    ],
    "snapshot": "2026-06-15T12:00:00-05:00",
    "derived": [],
    "teams": [{"id": "pickers", "name": "Pickers"}],
    "applications": [
        {"id": "press", "name": "Press", "team": "pickers", "type": "service", "product": "juice"},
        {"id": "label", "name": "Label <b>", "repositories": ["https://orchard.example/label"]},
    ],
    "environments": [
        {"id": "barn/west", "name": "West", "kind": "resource", "parent": "barn", "active": False},
        {"id": "barn", "name": "Barn", "kind": "production", "order": 3, "owner": "Ann O'Nym"},
    ],
    "trains": [
        {
            "id": "t1",
            "name": "Orchard 3.1.0",
            "kind": "version",
            "version": "3.1.0",
            "status": "released",
            "start": "2026-01-05",
            "end": "2026-03-31",
            "stages": [{"name": "picking", "start": "2026-01-05"}],
            "milestones": [
                {"id": "m1", "name": "Branch", "date": "2026-02-01", "actual": True},
                {"id": "m0", "name": "Some day"},
                {"id": "m2", "name": "Tag", "window": {"start": "2026-03-01", "end": "2026-03-07"}},
            ],
            "application_releases": [
                {
                    "id": "t1/press",
                    "application": "press",
                    "version": "3.1.0",
                    "status": "released",
                    "date": "2026-03-30",
                    "work_items": [
                        {"id": "17", "title": "Cider", "kind": "features", "state": "done"},
                        {"id": "17", "title": "Cider, too", "url": "ftp://orchard.example/17"},
                        {"title": "Crash", "kind": "bug fixes", "state": "merged"},
                    ],
                },
                {
                    "id": "t1/label",
                    "application": "label",
                    "status": "abandoned",
                    "depends_on": [
                        {"release": "t1/press", "application": "press", "kind": "build"},
                        {"application": "glue", "kind": "build", "external": True},
                    ],
                },
            ],
            "turnovers": [
                {
                    "id": "t1/go",
                    "name": "Ship 3.1.0",
                    "environment": "barn",
                    "application_releases": ["t1/press"],
                    "actual_date": "2026-03-31",
                    "tasks": [{"order": 1, "title": "Ship"}],
                },
                {"id": "t1/lost", "name": "Somewhere"},
            ],
        },
        {
            "id": "t2",
            "name": "Orchard 4.0.0",
            "kind": "version",
            "version": "4.0.0",
            "status": "planned",
            "start": "2026-06-01",
            "milestones": [{"id": "m3", "name": "Freeze", "date": "2026-07-01"}],
            "application_releases": [
                {
                    "id": "t2/press",
                    "application": "press",
                    "version": "4.0.0",
                    "status": "planned",
                    "depends_on": [{"release": "t1/press", "kind": "runtime"}],
                },
                {"id": "t2/label", "application": "label", "status": "planned"},
            ],
            "turnovers": [
                {
                    "id": "t2/go",
                    "name": "Ship 4.0.0",
                    "environment": "barn",
                    "scheduled_at": "2026-08-01T22:00:00+02:00",
                    "tasks": [
                        {"order": 1, "title": "Before", "group": True},
                        {"order": 2, "title": "Warn", "parent": 1, "condition": "it is late"},
                        {
                            "order": 3,
                            "title": "Press",
                            "section": "Work",
                            "commands": ["press --all", "press --rest"],
                            "duration_minutes": 20,
                        },
                    ],
                }
            ],
            "work_items": [{"title": "Announce"}],
        },
    ],
    "runbooks": [{"id": "r", "name": "Ship", "tasks": [{"order": 1, "title": "Ship"}]}],
    "freezes": [{"id": "f", "name": "Harvest", "start": "2026-09-01"}],
    "reservations": [
        {
            "id": "b0",
            "environment": "barn",
            "kind": "outage",
            "start": "2026-05-01T10:00:00-07:00",
            "end": "2026-05-01T17:00:00+00:00",
        },
        {
            "id": "b1",
            "environment": "barn",
            "kind": "maintenance",
            "title": "Roof",
            "start": "2026-07-01T08:00:00+07:00",
            "end": "2100-01-01T00:00:00+00:00",
        },
    ],
}


def small(**changes):
    """The small file, as an object of one's own."""
    return copy.deepcopy(SMALL) | changes


def written(folder, data, name="orchard.json"):
    """Write data to a file and return where."""
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path
