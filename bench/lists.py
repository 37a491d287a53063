"""Lists of 10,000 rows beside a bare Django view with one query and beside the admin's list.

Prints one JSON line per figure: median server time in milliseconds, queries and bytes of one page,
measured in one process, interleaved, against a database of its own that is thrown away.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING

import django
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 10_000
ROUNDS = 21


def say(name: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 2), "unit": unit}), flush=True)


def fill() -> None:
    """10,000 trains, one turnover each, spread over the states."""
    from django.utils import timezone

    from releasemgr.accounts.models import User
    from tests.factories import EnvironmentFactory
    from trains.models import ReleaseType, Train
    from turnovers.models import Turnover

    people = [User.objects.create(username=f"manager{n}", first_name=f"M{n}") for n in range(20)]
    kinds = list(ReleaseType.objects.all())
    states, today = Train.State.values, timezone.localdate()
    trains = Train.objects.bulk_create(
        Train(
            name=f"Train {number}",
            purpose="To be released.",
            release_type=kinds[number % len(kinds)],
            manager=people[number % len(people)],
            start=today,
            end=today,
            state=states[number % len(states)],
        )
        for number in range(ROWS)
    )
    environments = [EnvironmentFactory(name=f"env-{number}") for number in range(20)]
    states = [state for state in Turnover.State.values if state != "deploying"]
    Turnover.objects.bulk_create(
        Turnover(
            title=f"Turnover {number}",
            train=train,
            environment=environments[number % len(environments)],
            author=people[number % len(people)],
            state=states[number % len(states)],
        )
        for number, train in enumerate(trains)
    )


def bare_views() -> dict[str, Callable[..., object]]:
    """What the least Django page costs: one query for 50 rows, one small template."""
    from django.http import HttpResponse
    from django.template import engines

    from trains.models import Train
    from turnovers.models import Turnover

    template = engines["django"].from_string(
        "<table>{% for row in rows %}<tr><td>{{ row.pk }}</td><td>{{ row }}</td>"
        "<td>{{ row.get_state_display }}</td><td>{{ row.end }}</td></tr>{% endfor %}</table>"
    )

    def of(model: type[Train | Turnover]) -> Callable[..., object]:
        return lambda request: HttpResponse(
            template.render({"rows": model.objects.all()[:50]}, request)
        )

    return {"trains": of(Train), "turnovers": of(Turnover)}


def measure() -> None:
    from django.db import connection
    from django.test import Client, RequestFactory
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from releasemgr.accounts.models import User
    from tests.factories import UserFactory

    manager = UserFactory(username="bench", role="Release manager", is_staff=True)
    root = User.objects.create_superuser("root")
    client, admin = Client(), Client()
    client.force_login(manager)
    admin.force_login(root)
    bare = bare_views()
    pages: dict[str, Callable[[], object]] = {}
    for kind, app, model in (("trains", "trains", "train"), ("turnovers", "turnovers", "turnover")):
        ours, theirs = reverse(f"{app}:list"), reverse(f"admin:{app}_{model}_changelist")
        pages[f"{kind} list"] = lambda url=ours: client.get(url)
        pages[f"{kind} list, bare view"] = lambda view=bare[kind]: view(RequestFactory().get("/"))
        pages[f"{kind} list, admin"] = lambda url=theirs: admin.get(url)
    times: dict[str, list[float]] = {name: [] for name in pages}
    for page in pages.values():
        page()  # the first fills template and permission caches
    for _ in range(ROUNDS):
        for name, page in pages.items():
            begin = time.perf_counter()
            page()
            times[name].append((time.perf_counter() - begin) * 1000)
    for name, page in pages.items():
        with CaptureQueriesContext(connection) as queries:
            answer = page()
        assert answer.status_code == 200, (name, answer.status_code)  # type: ignore[attr-defined]
        say(f"{name}: server time, median of {ROUNDS}", statistics.median(times[name]), "ms")
        say(f"{name}: queries", len(queries), "queries")
        say(f"{name}: size", len(answer.content), "bytes")  # type: ignore[attr-defined]


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.test.utils import get_runner, setup_test_environment, teardown_test_environment

    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        fill()
        measure()
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()
    return 0


if __name__ == "__main__":
    sys.exit(main())
