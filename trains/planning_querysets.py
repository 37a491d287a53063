"""Which templates, cadences and versions of plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from releasemgr.workflow.models import RecordedQuerySet, WorkflowQuerySet
from trains.words import that_hold

if TYPE_CHECKING:
    from releasemgr.accounts.models import User


class ReleaseTypeQuerySet(RecordedQuerySet):
    def offered(self, *, or_is: int | None = None) -> ReleaseTypeQuerySet:
        """Those that new trains are of, and the one chosen already."""
        return self.filter(models.Q(is_active=True) | models.Q(pk=or_is))


class TemplateQuerySet(RecordedQuerySet):
    def visible_to(self, user: User) -> Any:
        """All, for those who look at trains."""
        return self if user.has_perm("trains.view_train") else self.none()

    def matching(self, words: str) -> TemplateQuerySet:
        """Those whose name, description or release type holds every word."""
        columns = ("name", "description", "release_type__name")
        found: TemplateQuerySet = that_hold(self, words, *columns)
        return found

    def standard(self) -> TemplateQuerySet:
        """Those with which the trains of a release type begin, where nothing else is chosen."""
        return self.filter(is_standard=True)

    def offered(self) -> TemplateQuerySet:
        """Those that new trains are made from."""
        return self.filter(is_active=True, release_type__is_active=True)

    def with_facts(self) -> TemplateQuerySet:
        """With what a page says of them."""
        rows: TemplateQuerySet = self.select_related("release_type__approval_policy")
        return rows.prefetch_related("versions")


class CadenceQuerySet(WorkflowQuerySet):
    def visible_to(self, user: User) -> Any:
        """All, for those who look at trains."""
        return self if user.has_perm("trains.view_train") else self.none()

    def matching(self, words: str) -> CadenceQuerySet:
        """Those whose name, template, or name of their trains holds every word."""
        found: CadenceQuerySet = that_hold(self, words, "name", "train_name", "template__name")
        return found

    def active(self) -> CadenceQuerySet:
        """Those that make trains by themselves."""
        return self.filter(state="active")

    def with_facts(self) -> CadenceQuerySet:
        """With what a page says of them."""
        rows: CadenceQuerySet = self.select_related("template", "manager", "calendar")
        return rows.prefetch_related("calendar__holidays")


class PlanVersionQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> PlanVersionQuerySet:
        """All, for those who look at trains."""
        return self if user.has_perm("trains.view_train") else self.none()

    def matching(self, words: str) -> PlanVersionQuerySet:
        """Those whose note or reason holds every word, newest first."""
        found: PlanVersionQuerySet = that_hold(self, words, "reason")
        return found.select_related("train").order_by("-pk")

    def in_words(self) -> PlanVersionQuerySet:
        """Newest first, without what the plan said, which is long."""
        return self.order_by("-number").select_related("by")
