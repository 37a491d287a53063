"""What stops the line, and what automated tasks may run."""

from __future__ import annotations

import django_fsm as fsm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils import timezone

from releasemgr.workflow.fields import StateField
from releasemgr.workflow.models import Recorded, RecordedQuerySet, Workflow, known_states
from turnovers import rules
from turnovers.querysets import (
    HoldQuerySet,
)
from turnovers.states import (
    HoldScope,
    HoldState,
)

User = settings.AUTH_USER_MODEL


class Hold(Workflow):
    """The line is stopped: no deployment task in its scope starts until it is lifted."""

    State = HoldState
    Scope = HoldScope

    scope = models.CharField(max_length=12, choices=HoldScope.choices, default=HoldScope.ALL)
    train = models.ForeignKey(
        "trains.Train", models.CASCADE, null=True, blank=True, related_name="holds"
    )
    environment = models.ForeignKey(
        "environments.Environment", models.CASCADE, null=True, blank=True, related_name="holds"
    )
    turnover = models.ForeignKey(
        "turnovers.Turnover", models.CASCADE, null=True, blank=True, related_name="holds"
    )
    stops_running = models.BooleanField(
        "also stop what is running",
        default=False,
        help_text="Commands are ended and calls are broken off; what had begun may be unknown.",
    )
    reason = models.TextField()
    placed_by = models.ForeignKey(User, models.PROTECT, editable=False, related_name="+")
    placed_at = models.DateTimeField(default=timezone.now, editable=False)
    state = StateField(choices=State.choices, default=State.ACTIVE, protected=True, editable=False)

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("hold_line", "Can stop the line and let it go on")]
        constraints = [
            known_states(HoldState, "hold"),
            models.CheckConstraint(
                condition=models.Q(
                    scope="all",
                    train__isnull=True,
                    environment__isnull=True,
                    turnover__isnull=True,
                )
                | models.Q(scope="train", train__isnull=False)
                | models.Q(scope="environment", environment__isnull=False)
                | models.Q(scope="turnover", turnover__isnull=False),
                name="hold_names_its_scope",
            ),
        ]

    def __str__(self) -> str:
        what = self.turnover or self.environment or self.train
        return str(what) if what else "Everything"

    def get_absolute_url(self) -> str:
        return reverse("turnovers:hold", args=[self.pk])

    @fsm.transition(
        state,
        source=State.ACTIVE,
        target=State.LIFTED,
        permission=rules.may_lift,
        custom={
            "label": "Lift",
            "question": "Lift the hold on {row}?",
            "explains": "What waits goes on, in order.",
            "needs_reason": True,
            "primary": True,
            "then": ["turnovers.tasks.look"],
        },
    )
    def lift(self) -> None:
        """Work goes on, in order."""


class Secret(Recorded):
    """A named value that automated tasks refer to and nobody reads again."""

    name = models.SlugField(max_length=100, unique=True)
    description = models.CharField(max_length=300, blank=True)
    targets = models.JSONField(
        default=list,
        blank=True,
        help_text='The only host:port pairs it may be sent to, such as ["ci.example:443"].',
    )
    set_at = models.DateTimeField("value set", null=True, editable=False)

    objects = RecordedQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SecretValue(models.Model):
    """The encrypted value of a secret, apart from it so that no history keeps it."""

    secret = models.OneToOneField(Secret, models.CASCADE, related_name="value")
    sealed = models.TextField(editable=False)

    def __str__(self) -> str:
        return f"Value of {self.secret}"


class AllowedCommand(Recorded):
    """A command that automated tasks may run on a worker. Administrators keep this list."""

    name = models.CharField(max_length=100, unique=True)
    description = models.CharField(max_length=300, blank=True)
    program = models.CharField(max_length=500, help_text="Absolute path; no shell is involved.")
    arguments = models.JSONField(
        default=list,
        blank=True,
        help_text='A list of fixed first arguments, such as ["--quiet"].',
    )
    takes_arguments = models.BooleanField(
        default=False, help_text="Tasks may add arguments of their own after the fixed ones."
    )
    directory = models.CharField("working directory", max_length=500, blank=True)
    secrets = models.ManyToManyField(
        Secret,
        blank=True,
        related_name="commands",
        help_text="Given to it in its environment, as RM_SECRET_ and the name.",
    )
    is_active = models.BooleanField("may be used", default=True)

    objects = RecordedQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Nothing that depends on where a worker was started, and no list that is not one."""
        problems = {}
        if not self.program.startswith("/") or "\0" in self.program:
            problems["program"] = "Give the absolute path of a program, such as /usr/bin/rsync."
        if self.directory and not self.directory.startswith("/"):
            problems["directory"] = "Give the absolute path of a folder."
        if not isinstance(self.arguments, list) or not all(
            isinstance(argument, str) for argument in self.arguments
        ):
            problems["arguments"] = 'Give a list of texts, such as ["--quiet"].'
        if problems:
            raise ValidationError(problems)
