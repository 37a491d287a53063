"""The page of a train with 10 and with 200 application releases; the list with 10,000 and 100,000.

Prints one JSON line per figure: median server time in milliseconds and queries of one page, and
what more rows cost. One process, a database of its own that is thrown away; ``DATABASE_URL`` says
of which kind. ``ROWS=1000,10000`` measures the list with other numbers of trains. The rare word is
in as many trains whatever their number, so that both pages have as many rows to show.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings

from bench.lists import say

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 21
#: Application releases, turnovers and criteria of the two trains.
SMALL, LARGE = (10, 10, 10), (200, 40, 60)
SIZES = [int(size) for size in os.environ.get("ROWS", "10000,100000").split(",")]
#: How many of the open trains hold the rare word, whatever their number: two pages of them.
RARE = 100
#: What is asked of the list: by default, searched with a rare and with a common word, filtered.
LISTS = {
    "open": "",
    "over": "?view=over",
    "rare word": "?q=hibiscus",
    "word in one of a thousand": "?q=rosemary",
    "common word": "?q=purpose",
    "no such word": "?q=xylophone",
    "by manager": "?manager={manager}",
    "by type": "?type={type}",
    "by state": "?state=verification",
    "by name": "?sort=name",
    "by stage": "?sort=stage",
}


def make_train(name: str, releases: int, turnovers: int, criteria: int) -> Any:
    """A train in Construction with so much of everything, two dependencies a release."""
    from tests.factories import (
        BoardingFactory,
        BookingFactory,
        EnvironmentFactory,
        MilestoneFactory,
        TrainFactory,
        TurnoverFactory,
        UserFactory,
        WorkItemFactory,
    )
    from trains.models import Criterion, Dependency, Gate
    from trains.states import GateStage

    train = TrainFactory(name=name, state="construction")
    owner = UserFactory(role="Product owner")
    gates = [Gate.objects.create(train=train, stage=stage) for stage in GateStage.values]
    Criterion.objects.bulk_create(
        Criterion(gate=gates[number % 3], title=f"Criterion {number}", owner=owner)
        for number in range(criteria)
    )
    environments = [EnvironmentFactory(name=f"{name}-{number}") for number in range(5)]
    aboard = []
    for number in range(releases):
        state = "executing" if number % 2 else "complete"
        place = BoardingFactory(train=train, release__state=state, release__owner=owner)
        aboard.append(place.release)
        WorkItemFactory.create_batch(3, release=place.release)
        MilestoneFactory(train=None, release=place.release)
        for other in aboard[-3:-1]:
            Dependency.objects.create(release=place.release, needs=other)
    for number in range(turnovers):
        turnover = TurnoverFactory(
            release=aboard[number % releases],
            environment=environments[number % 5],
            state="verified",
            deployed_at=train_day(train),
        )
        turnover.contents.create(release=turnover.release, version_name="1.0")
    for environment in environments:
        train.reservations.create(booking=BookingFactory(environment=environment))
    MilestoneFactory.create_batch(10, train=train)
    return train


def train_day(train: Any) -> dt.datetime:
    return dt.datetime.combine(train.start, dt.time(12), dt.UTC)


def fill(up_to: int) -> None:
    """So many trains: nine of ten over, as after years; a few are named differently."""
    from django.utils import timezone

    from releasemgr.accounts.models import User
    from trains.models import ReleaseType, Train

    people = list(User.objects.filter(username__startswith="manager-"))
    if not people:
        people = [User.objects.create(username=f"manager-{number}") for number in range(20)]
    kinds, today = list(ReleaseType.objects.order_by("pk")[:4]), timezone.localdate()
    states = [state for state in Train.State.values if state not in {"closed", "cancelled"}]
    there = Train.objects.count()
    Train.objects.bulk_create(
        (
            Train(
                name=f"{_name_of(number)} {number}",
                purpose="To be released for a purpose.",
                release_type=kinds[number % len(kinds)],
                manager=people[number // 10 % len(people)],
                start=today,
                end=today + dt.timedelta(days=number % 90 if number % 10 == 0 else -number // 50),
                state=states[number // 10 % len(states)] if number % 10 == 0 else "closed",
            )
            for number in range(there, up_to)
        ),
        batch_size=1000,
    )
    _analyse()


def _name_of(number: int) -> str:
    """As many are called Hibiscus however many there are, and one in a thousand Rosemary."""
    if number % 1000 == 0:
        return "Rosemary"
    return "Hibiscus" if number % 10 == 0 and number < RARE * 10 else "Train"


def _analyse() -> None:
    """What a database that has run for years has done long since."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def times_of(pages: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The median of each, measured in turns."""
    times: dict[str, list[float]] = {name: [] for name in pages}
    for page in pages.values():
        page()  # the first fills template and permission caches
    for _ in range(ROUNDS):
        for name, page in pages.items():
            begin = time.perf_counter()
            page()
            times[name].append((time.perf_counter() - begin) * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def queries_of(page: Callable[[], Any]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        answer = page()
    assert answer.status_code == 200, answer.status_code
    return len(queries)


def measure_page(client: Any) -> None:
    trains = {size[0]: make_train(f"with-{size[0]}", *size) for size in (SMALL, LARGE)}
    pages: dict[str, Callable[[], Any]] = {
        f"train page, {number} application releases": partial(client.get, train.get_absolute_url())
        for number, train in trains.items()
    }
    for name, median in times_of(pages).items():
        say(f"{name}: server time, median of {ROUNDS}", median, "ms")
        say(f"{name}: queries", queries_of(pages[name]), "queries")


def measure_list(client: Any) -> None:
    from django.urls import reverse

    from releasemgr.accounts.models import User
    from trains.models import ReleaseType

    found: dict[int, dict[str, float]] = {}
    for size in SIZES:
        fill(size)
        words = {
            "manager": User.objects.get(username="manager-0").pk,
            "type": ReleaseType.objects.order_by("pk")[0].pk,
        }
        pages: dict[str, Callable[[], Any]] = {
            name: partial(client.get, reverse("trains:list") + query.format(**words))
            for name, query in LISTS.items()
        }
        found[size] = times_of(pages)
        for name, median in found[size].items():
            say(f"train list of {size}, {name}: server time", median, "ms")
        say(f"train list of {size}: queries", queries_of(pages["open"]), "queries")
    for name in LISTS:
        cost = found[SIZES[-1]][name] / found[SIZES[0]][name]
        say(f"train list, {name}: {SIZES[-1]} rows beside {SIZES[0]}", cost, "times")


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.test import Client
    from django.test.utils import get_runner, setup_test_environment, teardown_test_environment

    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        from tests.factories import UserFactory

        client = Client()
        client.force_login(UserFactory(username="bench", role="Release manager"))
        measure_page(client)
        measure_list(client)
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()
    return 0


if __name__ == "__main__":
    sys.exit(main())
