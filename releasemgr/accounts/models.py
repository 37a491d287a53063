"""People. Roles are groups; the robot acts for automation; nobody is ever deleted."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.querysets import DeputyQuerySet, SignInAttemptQuerySet
from releasemgr.accounts.roles import opens_to_superusers
from releasemgr.workflow.models import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterable

ROBOT_NAME = "robot"


def check_time_zone(name: str) -> None:
    """Refuse a name that is no IANA time zone."""
    if name not in available_timezones():
        raise ValidationError("Choose a time zone from the list, such as Europe/London.")


class PeopleManager(UserManager["User"]):
    def people(self) -> models.QuerySet[User]:
        """Those who can be given work: active, and not the robot."""
        return self.filter(is_active=True).exclude(username=ROBOT_NAME)

    def who_may(self, perm: str, *, or_is: int | None = None) -> models.QuerySet[User]:
        """Those whose role holds ``perm`` (``app.codename``), and the one named already."""
        app, _, codename = perm.partition(".")
        holders = self.model.objects.filter(
            is_active=True,
            groups__permissions__codename=codename,
            groups__permissions__content_type__app_label=app,
        ).exclude(username=ROBOT_NAME)
        return self.filter(models.Q(pk__in=holders.values("pk")) | models.Q(pk=or_is))

    def learn_roles(self, people: Iterable[User]) -> None:
        """Read the roles of many people at once, so that nobody's has to be asked for."""
        by_pk = {person.pk: person for person in people if "_roles" not in person.__dict__}
        if not by_pk:
            return
        held = self.model.groups.through.objects.filter(user__in=by_pk)
        members = [*held.values_list("user_id", "group_id", "group__name")]
        permitted: dict[int, set[str]] = {}
        for group, app, codename in Group.objects.filter(
            pk__in={group for _, group, _ in members}, permissions__isnull=False
        ).values_list("pk", "permissions__content_type__app_label", "permissions__codename"):
            permitted.setdefault(group, set()).add(f"{app}.{codename}")
        roles: dict[int, tuple[set[str], set[str]]] = {pk: (set(), set()) for pk in by_pk}
        for pk, group, name in members:
            roles[pk][0].add(name)
            roles[pk][1].update(permitted.get(group, ()))
        for pk, (names, permissions) in roles.items():
            by_pk[pk].__dict__["_roles"] = (frozenset(names), frozenset(permissions))

    def robot(self) -> User:
        """Who acts for automation: the scheduler, the engine, a decision's consequences."""
        return self.get(username=ROBOT_NAME)


class User(AbstractUser):
    """Somebody who signs in. Their name stays readable in the history when they leave."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "As my device"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    theme = models.CharField(max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    single_keys = models.BooleanField(
        "single-key shortcuts", default=True, help_text="Such as G then T for trains."
    )

    objects: ClassVar[PeopleManager] = PeopleManager()

    class Meta(AbstractUser.Meta):
        ordering = ["first_name", "last_name", "username"]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def is_robot(self) -> bool:
        return self.username == ROBOT_NAME

    @property
    def role_names(self) -> frozenset[str]:
        """The names of the roles this person holds."""
        return self._roles[0]

    @property
    def role_permissions(self) -> frozenset[str]:
        """What those roles permit, as ``app.codename``."""
        return self._roles[1]

    @cached_property
    def _roles(self) -> tuple[frozenset[str], frozenset[str]]:
        """Roles and what they permit, in one query: every page asks for both."""
        names, permissions = set(), set()
        for name, app, codename in self.groups.values_list(
            "name", "permissions__content_type__app_label", "permissions__codename"
        ):
            names.add(name)
            permissions.add(f"{app}.{codename}")
        return frozenset(names), frozenset(permissions)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether a role permits it: only roles do, nothing is granted to one person.

        Being a superuser opens administration only, never a step.
        """
        if self.is_superuser and opens_to_superusers(perm):
            return super().has_perm(perm, obj)
        return self.is_active and perm in self.role_permissions

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)


class SignInAttempt(models.Model):
    """An attempt to sign in that has not succeeded; the throttle counts them."""

    name = models.CharField(max_length=150)
    address = models.CharField(max_length=45)
    at = models.DateTimeField(db_index=True)

    objects = SignInAttemptQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["name", "address", "at"], name="accounts_attempts_of_pair")]

    def __str__(self) -> str:
        return f"{self.name} from {self.address}"


class Deputy(Recorded):
    """Somebody who decides for a person while that person is away: from, until, and no longer.

    A deputy stands in for the person alone, never for those whose deputy that person is. What may
    be decided is up to the apps above; nobody decides upon own work through anybody.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="deputies", editable=False
    )
    deputy = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="stands_in")
    starts = models.DateTimeField("from")
    ends = models.DateTimeField("until")
    note = models.CharField(max_length=200, blank=True)

    objects = DeputyQuerySet.as_manager()

    class Meta:
        ordering = ["-starts", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends__gt=models.F("starts")),
                name="deputy_period_runs_forwards",
                violation_error_message="It must end after it begins.",
            ),
            models.CheckConstraint(
                condition=~models.Q(deputy=models.F("person")),
                name="deputy_is_somebody_else",
                violation_error_message="Choose somebody else than yourself.",
            ),
        ]
        indexes = [models.Index(fields=["deputy", "ends"], name="accounts_deputy_by_end")]

    def __str__(self) -> str:
        return f"{self.deputy} for {self.person}"

    def get_absolute_url(self) -> str:
        return reverse("accounts:deputies")

    @property
    def is_over(self) -> bool:
        return self.ends <= timezone.now()

    @property
    def is_current(self) -> bool:
        return self.starts <= timezone.now() < self.ends
