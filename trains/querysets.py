from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, Exists, F, OuterRef, Prefetch, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from releasemgr.workflow.models import RecordedQuerySet, WorkflowQuerySet
from trains.words import few_that_hold

if TYPE_CHECKING:
    from approvals.models import Signoff
    from releasemgr.accounts.models import User
    from trains.models import Milestone, Train

APPROVALS = ("train", "development", "executive")
OPEN_TRAIN = [
    "scoping",
    "awaiting_train",
    "construction",
    "awaiting_development",
    "verification",
    "awaiting_executive",
    "deployment",
]


class TrainQuerySet(WorkflowQuerySet):
    def open(self) -> TrainQuerySet:
        """Those on their way: not closed, not cancelled."""
        return self.filter(is_past__in=[False])  # SQLite reads no index for a bare NOT is_past

    def over(self) -> TrainQuerySet:
        return self.filter(is_past__in=[True])

    def of(self, user: User) -> TrainQuerySet:
        """Those the user manages, engineers or follows."""
        return self.filter(
            Q(manager=user)
            | Q(pk__in=self.model.objects.filter(engineers=user).values("pk"))
            | Q(pk__in=self.model.objects.filter(followers=user).values("pk"))
        )

    def of_sheet(self, signoff: Signoff) -> tuple[Train, str] | None:
        """The train that an approval sheet belongs to, and as which of its approvals."""
        owned = {which: Q(**{f"{which}_signoff": signoff}) for which in APPROVALS}
        train = self.filter(owned["train"] | owned["development"] | owned["executive"]).first()
        if train is None:
            return None
        which = next(w for w in APPROVALS if getattr(train, f"{w}_signoff_id") == signoff.pk)
        return train, which

    def matching(self, words: str) -> TrainQuerySet:
        """Those whose name, version or purpose holds every word, or whose reference it is."""
        found = self
        for word in words.split()[:8]:
            number = word.upper().removeprefix("RT-")
            named = Q(name__icontains=word) | Q(version_name__icontains=word)
            named |= Q(purpose__icontains=word)
            if (few := few_that_hold(word, self.db)) is not None:
                named &= Q(pk__in=few)
            if number.isdecimal() and len(number) < 10:  # noqa: PLR2004 -- what a key can hold
                named |= Q(pk=int(number))
            found = found.filter(named)
        return found

    def with_list_facts(self) -> TrainQuerySet:
        """With what a list row shows, in this one query."""
        aboard: Any = (
            self.model._meta.get_field("boardings")
            .related_model.objects.filter(train=OuterRef("pk"), state="aboard")
            .order_by()
            .values("train")
            .annotate(n=Count("pk"))
            .values("n")
        )
        rows: TrainQuerySet = self.select_related("manager", "release_type")
        listed: TrainQuerySet = rows.annotate(aboard_count=aboard)
        return listed

    def with_page_facts(self, user: User) -> TrainQuerySet:
        """With what every page of a train, and the guards of its next step, read of it."""
        following = self.model.followers.through.objects.filter(
            train=OuterRef("pk"), user_id=user.pk
        )
        rows: TrainQuerySet = self.with_list_facts().select_related(
            "consent_by", "train_signoff", "development_signoff", "executive_signoff"
        )
        seen: TrainQuerySet = rows.annotate(is_followed=Exists(following))
        gates: Any = self.model._meta.get_field("gates").related_model
        criteria: Any = gates._meta.get_field("criteria").related_model.objects
        return seen.prefetch_related(Prefetch("gates__criteria", criteria.select_related("owner")))

    def waiting_for(self, user: User) -> TrainQuerySet:
        """Those that wait for the user's consent, or for the user to take them on."""
        waiting: TrainQuerySet = self.to_consent(user) | self.ready_to_move(user)
        return waiting

    def ready_to_move(self, user: User) -> TrainQuerySet:
        """Those the user manages whose next step, up to Deployment, looks free.

        One query for any number of trains: dates in order, criteria settled, nobody undecided, the
        approval given or yet to be asked. The step itself asks every guard again.
        """
        if not user.has_perm("trains.steer_train"):
            return self.none()
        return self.filter(manager=user).filter(
            Q(state="scoping", start__isnull=False, end__isnull=False)
            & self._settled("scoping")
            & ~Q(train_signoff__state="ready")
            | Q(state="construction") & self._settled("construction") & self._built()
            | Q(state="verification", consent_by__isnull=False) & self._settled("qa")
            | Q(state="awaiting_train", train_signoff__state="approved")
            | Q(state="awaiting_development", development_signoff__state="approved")
            | Q(state="awaiting_executive", executive_signoff__state="approved")
        )

    def to_consent(self, user: User) -> TrainQuerySet:
        """Those in Verification on which the user is a release engineer and nobody consents yet."""
        if not user.has_perm("trains.consent_train"):
            return self.none()
        engineered = self.model.objects.filter(engineers=user)
        return (
            self.filter(state="verification", consent_by=None, pk__in=engineered.values("pk"))
            .exclude(manager=user)
            .filter(self._settled("qa"))
        )

    def _settled(self, stage: str) -> Any:
        """No criterion of the gate is left to be met or waived."""
        gates: Any = self.model._meta.get_field("gates").related_model
        criteria: Any = gates._meta.get_field("criteria").related_model.objects
        unmet = criteria.unmet().filter(gate__train=OuterRef("pk"), gate__stage=stage)
        return ~Exists(unmet)

    def _built(self) -> Any:
        """Somebody is aboard, nobody waits for a place, and all aboard are built."""
        places: Any = self.model._meta.get_field("boardings").related_model.objects.filter(
            train=OuterRef("pk")
        )
        unbuilt = places.aboard().exclude(release__state__in=["complete", "closed"])
        waiting = places.filter(state="requested")
        return Exists(places.aboard()) & ~Exists(unbuilt) & ~Exists(waiting)

    def in_production_between(self, first: dt.date, last: dt.date) -> TrainQuerySet:
        """Those that go to production on one of these days."""
        return self.filter(Q(end=last) | Q(qa_end__lte=last, end__gte=first))

    def under_way_between(self, first: dt.date, last: dt.date) -> TrainQuerySet:
        """Those whose dates touch these days."""
        return self.filter(start__lte=last, end__gte=first)

    def that_board(self) -> TrainQuerySet:
        """Those that an application release may ask to join."""
        return self.filter(state__in=["scoping", "awaiting_train", "construction"])


class CriterionQuerySet(WorkflowQuerySet):
    def unmet(self) -> CriterionQuerySet:
        """Those that would stop their gate now: also by a stale answer or a waiver that ran out."""
        settled = Q(state="waived", waived_until__isnull=True)
        settled |= Q(state="waived", waived_until__gte=timezone.localdate())
        settled |= Q(state="met", checked_by="")
        now = timezone.now()
        settled |= Q(
            state="met",
            watch__outcome="passed",
            watch__fresh_until__gt=now,
            watch__holds_at__lte=now,
        )
        return self.exclude(settled)

    def to_answer(self) -> CriterionQuerySet:
        """Open ones that people decide, on a gate that the train stands before."""
        return self.filter(state="open", checked_by="").filter(
            Q(gate__stage="scoping", gate__train__state="scoping")
            | Q(gate__stage="construction", gate__train__state="construction")
            | Q(gate__stage="qa", gate__train__state="verification")
        )

    def waiting_for(self, user: User) -> CriterionQuerySet:
        """Open ones the user owns, on a gate that the train stands before."""
        return self.to_answer().filter(owner=user)


class MilestoneQuerySet(WorkflowQuerySet):
    def open(self) -> MilestoneQuerySet:
        return self.filter(state="open")

    def under_way(self) -> MilestoneQuerySet:
        """Open ones of trains and application releases that are not over."""
        return (
            self.open()
            .exclude(train__state__in=["closed", "cancelled"])
            .exclude(release__state__in=["closed", "cancelled"])
        )

    def due_on(self, day: dt.date) -> MilestoneQuerySet:
        """Those under way that are due that day, such as tomorrow."""
        return self.under_way().filter(due=day)

    def overdue(self, day: dt.date) -> MilestoneQuerySet:
        """Those under way whose day has passed, seen from ``day``."""
        return self.under_way().filter(due__lt=day)

    def following(self, origin: Milestone) -> MilestoneQuerySet:
        """The copies of a train's milestone that still can follow it."""
        return self.under_way().filter(origin=origin)

    def behind(self, origin: Milestone) -> MilestoneQuerySet:
        """The copies that have neither taken over nor declined what their origin says now."""
        same = Q(origin_title=origin.title, origin_due=origin.due)
        return self.following(origin).exclude(same)

    def with_copies_behind(self) -> MilestoneQuerySet:
        """With ``copies_behind``: how many copies wait for somebody to settle them."""
        same = Q(origin_title=OuterRef("title"), origin_due=OuterRef("due"))
        copies: Any = self.model.objects.under_way().filter(origin=OuterRef("pk")).exclude(same)
        counted = copies.order_by().values("origin").annotate(n=Count("pk")).values("n")
        listed: MilestoneQuerySet = self.annotate(copies_behind=Coalesce(Subquery(counted), 0))
        return listed

    def waiting_for(self, user: User) -> MilestoneQuerySet:
        """Open ones the user owns, due within a week or late, on work that is under way."""
        soon = timezone.localdate() + dt.timedelta(days=7)
        return self.under_way().filter(owner=user, due__lte=soon)

    def of_train(self, train: Train) -> MilestoneQuerySet:
        return self.filter(train=train)


class ReleaseQuerySet(WorkflowQuerySet):
    def aboard(self, train: Train) -> ReleaseQuerySet:
        """The application releases that ride the train now."""
        return self.filter(boardings__train=train, boardings__state="aboard")

    def open(self) -> ReleaseQuerySet:
        return self.exclude(state__in=["closed", "cancelled"])

    def matching(self, words: str) -> ReleaseQuerySet:
        found = self
        for word in words.split()[:8]:
            number = word.upper().removeprefix("AR-")
            named = Q(application__name__icontains=word) | Q(version_name__icontains=word)
            if number.isdecimal() and len(number) < 10:  # noqa: PLR2004 -- what a key can hold
                named |= Q(pk=int(number))
            found = found.filter(named)
        return found

    def with_work_counts(self) -> ReleaseQuerySet:
        """With ``work_count`` and ``work_done``."""
        items: Any = (
            self.model._meta.get_field("work_items")
            .related_model.objects.filter(release=OuterRef("pk"))
            .order_by()
            .values("release")
            .annotate(n=Count("pk"))
            .values("n")
        )
        counted: ReleaseQuerySet = self.annotate(
            work_count=items, work_done=items.filter(state__in=["done", "deferred"])
        )
        return counted

    def page_counts(self) -> dict[str, int]:
        """Of the one release this is about: how much is on its tabs, in one query."""
        relations = {
            "work": "work_items",
            "milestones": "milestones",
            "dependencies": "dependencies",
        }
        counts: dict[str, Any] = {
            f"{tab}_count": Coalesce(self._count_of(relation), 0)
            for tab, relation in relations.items()
        }
        counts["settled_count"] = Coalesce(
            self._count_of("work_items", state__in=["done", "deferred"]), 0
        )
        found = self.annotate(**counts).values(*counts)[0]
        return {name.removesuffix("_count"): count for name, count in found.items()}

    def _count_of(self, relation: str, **only: Any) -> Subquery:
        rows: Any = self.model._meta.get_field(relation).related_model.objects
        found = rows.filter(release=OuterRef("pk"), **only).order_by().values("release")
        return Subquery(found.annotate(n=Count("pk")).values("n"))

    def of(self, user: User) -> ReleaseQuerySet:
        return self.filter(owner=user)

    def over(self) -> ReleaseQuerySet:
        return self.filter(state__in=["closed", "cancelled"])

    def waiting_for(self, user: User) -> ReleaseQuerySet:
        """The user's own whose work can begin, or whose construction is as good as complete."""
        if not user.has_perm("trains.own_release"):
            return self.none()
        places = self.model._meta.get_field("boardings").related_model.objects.filter(
            release=OuterRef("pk"), state="aboard"
        )
        items = self.model._meta.get_field("work_items").related_model.objects.filter(
            release=OuterRef("pk")
        )
        can_begin = Q(state="planning") & Exists(places.filter(train__state="construction"))
        is_built = Q(state="executing") & Exists(items) & ~Exists(items.unfinished())
        return self.of(user).filter(can_begin | is_built)

    def not_riding(self) -> ReleaseQuerySet:
        """Open ones without a place on a train and without a request for one."""
        riding = self.model._meta.get_field("boardings").related_model.objects.filter(
            release=OuterRef("pk"), state__in=["requested", "aboard"]
        )
        return self.open().exclude(Exists(riding))


class ApplicationQuerySet(RecordedQuerySet):
    def matching(self, words: str) -> ApplicationQuerySet:
        """Those whose name, description or team holds every word."""
        found = self
        for word in words.split()[:8]:
            found = found.filter(
                Q(name__icontains=word)
                | Q(description__icontains=word)
                | Q(team__name__icontains=word)
            )
        return found

    def with_release_counts(self) -> ApplicationQuerySet:
        """With ``release_count`` and ``open_count``."""
        releases: Any = (
            self.model._meta.get_field("releases")
            .related_model.objects.filter(application=OuterRef("pk"))
            .order_by()
            .values("application")
            .annotate(n=Count("pk"))
            .values("n")
        )
        counted: ApplicationQuerySet = self.annotate(
            release_count=releases, open_count=releases.open()
        )
        return counted


class BoardingQuerySet(WorkflowQuerySet):
    def live(self) -> BoardingQuerySet:
        return self.filter(state__in=["requested", "aboard"])

    def aboard(self) -> BoardingQuerySet:
        return self.filter(state="aboard")

    def requests_first(self) -> BoardingQuerySet:
        """What waits for a decision, then what is aboard, then the rest; each by name."""
        rank = Case(When(state="requested", then=0), When(state="aboard", then=1), default=2)
        ranked: BoardingQuerySet = self.order_by(rank, "release__application__name", "pk")
        return ranked

    def waiting_for(self, user: User) -> BoardingQuerySet:
        """Requests for a place on the trains the user manages, but for their own."""
        if not user.has_perm("trains.steer_train"):
            return self.none()
        return self.filter(state="requested", train__manager=user).exclude(requested_by=user)


class WorkItemQuerySet(RecordedQuerySet):
    def unfinished(self) -> WorkItemQuerySet:
        return self.exclude(state__in=["done", "deferred"])

    def of_train(self, train: Train) -> WorkItemQuerySet:
        """The train's own, and those of what is aboard."""
        aboard = Q(release__boardings__train=train, release__boardings__state="aboard")
        return self.filter(Q(train=train) | aboard)

    def finished(self) -> WorkItemQuerySet:
        return self.filter(state="done")

    def by_key(self) -> WorkItemQuerySet:
        return self.order_by(F("key"), "pk")
