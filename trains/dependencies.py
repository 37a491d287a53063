"""Which application release needs which: a graph that never gets a cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from releasemgr.workflow.edit import create
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.refusals import TransitionRefused
from releasemgr.workflow.rules import Blocker
from trains import rules
from trains.models import ApplicationRelease, Dependency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from releasemgr.accounts.models import User

#: Two edges that are each harmless can make a cycle together: they are added one after the other.
GRAPH_LOCK = 7_210_004
#: How many application releases a search looks at before it gives up.
MOST_SEARCHED = 20_000


def add_dependency(
    release: ApplicationRelease, needs: ApplicationRelease, *, by: User
) -> Dependency:
    """Let ``release`` need ``needs``; raises ``TransitionRefused`` and names the cycle."""
    with one_transaction(release):
        _one_edge_at_a_time()
        release = lock(release)
        if blockers := list(against(release, needs)):
            raise TransitionRefused(*blockers)
        return create(Dependency(release=release, needs=needs), by=by)


def against(release: ApplicationRelease, needs: ApplicationRelease) -> Iterator[Blocker]:
    """Why ``release`` cannot need ``needs``."""
    yield from rules.release_can_change(release)
    if release.dependencies.filter(needs=needs).exists():
        yield Blocker(f"{release} needs {needs} already")
    elif path := path_between(needs.pk, release.pk):
        yield Blocker(
            f"{release} cannot need {needs}",
            needed="Dependencies that do not lead back to where they begin.",
            now=f"It would be a cycle: {cycle_in_words([release.pk, *path])}",
            action="See its dependencies",
            url=needs.tab_url("dependencies"),
        )


def path_between(first: int, last: int) -> list[int]:
    """The shortest way along what each needs, both ends included; nothing where there is none.

    One query for each step of the way, whatever the number of edges.
    """
    came_from: dict[int, int] = {first: 0}
    frontier = [first]
    while frontier and last not in came_from:
        if len(came_from) > MOST_SEARCHED:
            raise TransitionRefused(
                f"More than {MOST_SEARCHED} application releases depend on each other here. "
                "Take some dependencies away first."
            )
        edges = Dependency.objects.filter(release__in=frontier).order_by("pk")
        frontier = []
        for release, needs in edges.values_list("release_id", "needs_id"):
            if needs not in came_from:
                came_from[needs] = release
                frontier.append(needs)
    path = [last] if last in came_from else []
    while path and path[0] != first:
        path.insert(0, came_from[path[0]])
    return path


def cycle_in_words(path: list[int]) -> str:
    """ "A → B → A", with the names of the releases."""
    releases = ApplicationRelease.objects.select_related("application").in_bulk(path)
    return " → ".join(str(releases[pk]) for pk in path)


def _one_edge_at_a_time() -> None:
    """Wait for whoever adds an edge at this moment. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [GRAPH_LOCK])
