from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, When
from django.db.models.functions import Now

from releasemgr.accounts.models import Deputy
from releasemgr.workflow.models import WorkflowQuerySet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from approvals.models import Signoff
    from releasemgr.accounts.models import User


class ConditionQuerySet(WorkflowQuerySet):
    """What approvers asked for in return."""

    def visible_to(self, user: User) -> ConditionQuerySet:
        """All rows for those who may see approvals: a condition is a part of one."""
        return self if user.has_perm("approvals.view_signoff") else self.none()

    def open(self) -> ConditionQuerySet:
        """Those of decisions that still stand, which nobody has confirmed or waived."""
        return self.filter(
            state="open",
            decision__round=F("signoff__round"),
            decision__recalled_by__isnull=True,
        ).select_related("asked_by")

    def waiting_for(self, user: User) -> ConditionQuerySet:
        """Those that the user asked for, of approvals that only wait for them."""
        return self.open().filter(asked_by=user, signoff__state="approved")


class SignoffQuerySet(WorkflowQuerySet):
    """Sheets, by whom they wait for."""

    def asked(self) -> SignoffQuerySet:
        """Those that wait for decisions now."""
        return self.filter(state="ready")

    def naming(self, user: User) -> SignoffQuerySet:
        """Those with a rule, on any level, that names the person or a group of theirs."""
        groups = user.groups.values("pk")
        named = Q(levels__rules__person=user) | Q(levels__rules__group__in=groups)
        return self.filter(pk__in=self.model.objects.filter(named).values("pk"))

    def waiting_for(self, user: User) -> SignoffQuerySet:
        """Those whose open level names the user, or whom they stand in for, and may decide."""
        groups = user.groups.values("pk")
        turn = self.model.objects.filter(
            Q(levels__rules__person=user)
            | Q(levels__rules__group__in=groups)
            | Q(levels__stand_in=user),
            levels__number=F("open_level"),
        )
        return (
            self.asked()
            .filter(Q(pk__in=turn.values("pk")) | Q(Exists(self._stood_in_for(user))))
            .exclude(self._has_spoken(user.pk))
            .exclude(barred=user)
            .exclude(requested_by=user)
        )

    def where_it_is_the_turn_of(self, people: Iterable[int]) -> SignoffQuerySet:
        """Those that wait for decisions and whose open level names one of these people."""
        wanted = set(people)
        turn = self.model.objects.filter(
            Q(levels__rules__person__in=wanted)
            | Q(levels__rules__group__user__in=wanted)
            | Q(levels__stand_in__in=wanted),
            levels__number=F("open_level"),
        )
        return self.asked().filter(pk__in=turn.values("pk"))

    def delegated(self, user: User) -> SignoffQuerySet:
        """What the user decides, or has decided, for others, and others for them; open ones first.

        An override is nobody's delegation.
        """
        decisions: Any = self.model._meta.get_field("decisions").related_model
        given = decisions.objects.filter(is_override=False, on_behalf_of__isnull=False).filter(
            Q(person=user) | Q(on_behalf_of=user)
        )
        lent = self.where_it_is_the_turn_of([user.pk]).filter(
            Exists(Deputy.objects.current().filter(person=user)), ~self._has_spoken(user.pk)
        )
        stood_in = self.asked().filter(Exists(self._stood_in_for(user)))
        free = stood_in.exclude(self._has_spoken(user.pk)).exclude(barred=user)
        found = (
            Q(pk__in=free.exclude(requested_by=user).values("pk"))
            | Q(pk__in=lent.exclude(barred=user).exclude(requested_by=user).values("pk"))
            | Q(pk__in=given.values("signoff"))
        )
        is_open = Case(When(state="ready", then=0), default=1)
        rows: SignoffQuerySet = self.filter(found).order_by(is_open, "-requested_at", "-pk")
        return rows

    def _has_spoken(self, user_id: int) -> Exists:
        """Whether the person's vote was given in the present round, by anybody."""
        standing = self._standing(OuterRef("pk"), OuterRef("round"))
        return Exists(standing.filter(Q(person=user_id) | Q(on_behalf_of=user_id)))

    def _standing(self, signoff: Any, number: Any) -> QuerySet[Any]:
        """The decisions of a round of a sheet that nobody has taken back."""
        decisions: Any = self.model._meta.get_field("decisions").related_model
        found: QuerySet[Any] = decisions.objects.filter(
            signoff=signoff, round=number, recalls__isnull=True, recalled_by__isnull=True
        )
        return found

    def _stood_in_for(self, user: User) -> QuerySet[Any]:
        """Those whose deputy the user is, whose turn it is on the sheet and who have not spoken."""
        sheet, number = OuterRef(OuterRef("pk")), OuterRef(OuterRef("round"))
        levels: Any = self.model._meta.get_field("levels").related_model
        rules: Any = levels._meta.get_field("rules").related_model
        barred: Any = self.model.barred.through
        person = OuterRef("person")
        named = rules.objects.filter(
            Q(person=person) | Q(group__user=person),
            level__signoff=sheet,
            level__number=OuterRef(OuterRef("open_level")),
        )
        stand_in = levels.objects.filter(
            signoff=sheet, number=OuterRef(OuterRef("open_level")), stand_in=person
        )
        spoken = self._standing(sheet, number).filter(Q(person=person) | Q(on_behalf_of=person))
        rows: QuerySet[Any] = (
            Deputy.objects.current()
            .filter(deputy=user)
            .filter(Exists(named) | Exists(stand_in))
            .exclude(Exists(spoken))
            .exclude(Exists(barred.objects.filter(signoff=sheet, user=person)))
            .exclude(person=OuterRef("requested_by"))
        )
        return rows

    # --- What is due: asked by whoever looks after the clock, and by whoever sends messages -------

    def to_remind(self) -> SignoffQuerySet:
        """Those of whose open level the people are to be reminded now."""
        return self.asked().filter(remind_at__lte=Now()).order_by("remind_at", "pk")

    def to_escalate(self) -> SignoffQuerySet:
        """Those whose open level has waited so long that the policy's person may decide too."""
        return self.asked().filter(escalate_at__lte=Now()).order_by("escalate_at", "pk")

    def to_expire(self) -> SignoffQuerySet:
        """Questions that nobody answered in time, and approvals that count no longer."""
        return self.filter(
            Q(state="ready", lapses_at__lte=Now()) | Q(state="approved", valid_until__lte=Now())
        ).order_by("pk")

    def most_urgent_first(self) -> SignoffQuerySet:
        """By the date they are due, then by how long they have waited."""
        return self.order_by(F("due").asc(nulls_last=True), "requested_at", "pk")

    def last_decided_first(self, user: User) -> SignoffQuerySet:
        """By when the user decided."""
        rows: SignoffQuerySet = self.annotate(
            decided_at=Max(
                "decisions__at",
                filter=Q(decisions__person=user) | Q(decisions__on_behalf_of=user),
            )
        )
        return rows.order_by("-decided_at", "-pk")

    def decided_by(self, user: User) -> SignoffQuerySet:
        """Those the user has decided upon, or had decided for them, in any round."""
        decided = self.model.objects.filter(
            Q(decisions__person=user) | Q(decisions__on_behalf_of=user)
        )
        return self.filter(pk__in=decided.values("pk"))

    def matching(self, words: str) -> SignoffQuerySet:
        """Those whose title or question holds every word."""
        found = self
        for word in words.split()[:8]:
            found = found.filter(Q(title__icontains=word) | Q(question__icontains=word))
        return found

    def with_levels(self) -> SignoffQuerySet:
        """With everything that ``Signoff.progress`` reads, in a constant number of queries."""
        rows: SignoffQuerySet = self.prefetch_related(*self._progress())
        return rows

    def with_guard_facts(self) -> SignoffQuerySet:
        return self.with_levels()

    def give_levels(self, signoffs: list[Signoff]) -> None:
        """Give sheets that are at hand what ``with_levels`` would have brought."""
        models.prefetch_related_objects(signoffs, *self._progress())

    def _progress(self) -> list[str | models.Prefetch[Any]]:
        levels: Any = self.model._meta.get_field("levels").related_model
        rules: Any = levels._meta.get_field("rules").related_model
        decisions: Any = self.model._meta.get_field("decisions").related_model
        return [
            models.Prefetch("levels__rules", rules.objects.select_related("person", "group")),
            "levels__stand_in",
            "levels__rules__group__user_set",
            models.Prefetch("decisions", decisions.objects.select_related("person", "recalls")),
            "barred",
        ]

    def with_counts(self) -> SignoffQuerySet:
        """With ``level_count`` and ``approvals`` of the present round."""
        rows: SignoffQuerySet = self.annotate(
            level_count=Count("levels", distinct=True),
            approvals=Count(
                "decisions",
                filter=Q(
                    decisions__round=F("round"),
                    decisions__verdict__in=["approve", "condition"],
                    decisions__recalled_by__isnull=True,
                ),
                distinct=True,
            ),
        )
        return rows
