"""Which freezes count where and when: in SQL what may, and exactly where clocks matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F, Q

from releasemgr.workflow.models import WorkflowQuerySet
from trains.words import that_hold

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from environments.models import Environment
    from releasemgr.accounts.models import User
    from trains.models import Freeze, Train


def begun(at: dt.datetime) -> Q:
    return Q(begins__lte=at)


def over(at: dt.datetime) -> Q:
    """Those whose last period has ended: no question of clocks, ``recurs_until`` is a moment."""
    once = Q(recurrence="none", ends__lte=at)
    return once | (~Q(recurrence="none") & Q(recurs_until__lte=at))


class FreezeQuerySet(WorkflowQuerySet):
    def visible_to(self, user: User) -> FreezeQuerySet:
        """Whoever may see environments may see when they are frozen."""
        return self if user.has_perm("environments.view_environment") else self.none()

    def in_force(self) -> FreezeQuerySet:
        """Those that nobody has lifted, whenever their periods are."""
        return self.filter(state="in_force")

    def lifted(self) -> FreezeQuerySet:
        return self.filter(state="lifted")

    def stopping(self, what: str) -> FreezeQuerySet:
        """Those that stop deployments, or changes of scope."""
        return self.filter(stops=what)

    def current(self, at: dt.datetime) -> FreezeQuerySet:
        """Those that have begun and are not over; between its periods one that recurs is, too."""
        return self.in_force().filter(begun(at)).exclude(over(at))

    def coming(self, at: dt.datetime) -> FreezeQuerySet:
        """Those whose first period is ahead."""
        return self.in_force().exclude(begun(at))

    def current_and_coming(self, at: dt.datetime) -> FreezeQuerySet:
        return self.in_force().exclude(over(at))

    def past(self, at: dt.datetime) -> FreezeQuerySet:
        """Those that were lifted or are over."""
        return self.filter(Q(state="lifted") | over(at))

    def between(self, starts: dt.datetime, ends: dt.datetime) -> FreezeQuerySet:
        """Those that may have a period within ``[starts, ends)``."""
        return self.in_force().filter(begins__lt=ends).exclude(over(starts))

    def reaching(
        self, *, environment: Environment, applications: Any = (), trains: Any = ()
    ) -> FreezeQuerySet:
        """Those that count there, for any of these applications or trains: ids, or a query.

        A freeze of a train that names a team counts for the applications of that team alone.
        """
        teams = self.model._meta.get_field("team").related_model.objects
        reached = Q(scope="all")
        reached |= Q(scope="kind", kind=environment.kind)
        reached |= Q(scope="environment", environment=environment.pk)
        reached |= Q(scope="application", application__in=applications)
        built_by = teams.filter(applications__in=applications).values("pk")
        reached |= Q(scope="train", train__in=trains) & (Q(team=None) | Q(team__in=built_by))
        return self.filter(reached)

    def of_places(self, environments: Collection[Environment]) -> FreezeQuerySet:
        """Those that a reader of these environments expects there: of applications, none."""
        kinds = {environment.kind for environment in environments}
        return self.filter(
            Q(scope="all")
            | Q(scope="kind", kind__in=kinds)
            | Q(scope="environment", environment__in=[place.pk for place in environments])
        )

    def along(
        self, train: Train, applications: Collection[int], environments: Collection[Environment]
    ) -> FreezeQuerySet:
        """Those that a train meets: of all, its own, of what it carries and where it goes."""
        kinds = {environment.kind for environment in environments}
        return self.filter(
            Q(scope="all")
            | Q(scope="train", train=train.pk)
            | Q(scope="application", application__in=applications)
            | Q(scope="environment", environment__in=[place.pk for place in environments])
            | Q(scope="kind", kind__in=kinds)
        )

    def ahead_of(self, trains: Collection[int]) -> FreezeQuerySet:
        """Those that whoever runs these trains looks out for: of all, of them, of production."""
        production = Q(scope="environment", environment__is_production=True)
        return self.filter(
            Q(scope__in=["all", "kind"]) | production | Q(scope="train", train__in=trains)
        )

    def covering(self, at: dt.datetime) -> list[Freeze]:
        """Those with a period at that moment, exactly."""
        return [row for row in self.current(at).with_scope() if row.occurrence_at(at)]

    def within(self, starts: dt.datetime, ends: dt.datetime) -> list[Freeze]:
        """Those with a period that shares an instant with ``[starts, ends)``, exactly."""
        rows = self.between(starts, ends).with_scope()
        return [row for row in rows if row.occurrence_within(starts, ends)]

    def with_scope(self) -> FreezeQuerySet:
        """With what each names, in one query."""
        rows: FreezeQuerySet = self.select_related(
            "environment", "application", "train", "team", "milestone"
        )
        return rows

    def matching(self, words: str) -> FreezeQuerySet:
        """Those whose name, reason or target holds every word."""
        targets = ("environment__name", "application__name", "train__name", "team__name", "kind")
        found: FreezeQuerySet = that_hold(self, words, "name", "reason", *targets)
        return found

    def by_time(self) -> FreezeQuerySet:
        return self.order_by(F("begins"), "pk")
