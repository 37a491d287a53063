from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import django_fsm as fsm
from django.db import models
from django.dispatch import Signal, receiver
from django.urls import reverse
from django_fsm.signals import pre_transition
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from releasemgr.workflow.between import Between
from releasemgr.workflow.rules import Blocker, blockers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from releasemgr.accounts.models import User
    from releasemgr.workflow.states import Status

#: Sent inside the transaction after a step was recorded: ``row``, ``name``, ``by``, ``reason``.
#: This is how an upper app reacts to a lower one's step; a receiver that refuses undoes the step.
step_taken = Signal()

#: Sent by ``create()`` in the same transaction as the new row: ``row``, ``by``, ``reason``.
row_created = Signal()

#: Sent by ``edit()`` in the same transaction as the change: ``row``, ``changed`` (the names of its
#: fields), ``by``, ``reason``.
row_edited = Signal()


class RecordedQuerySet(models.QuerySet[Any]):
    """The rows a user may see."""

    def visible_to(self, user: User) -> Any:
        """All rows for those who hold the model's ``view`` permission, else none."""
        meta = self.model._meta
        if user.has_perm(f"{meta.app_label}.view_{meta.model_name}"):
            return self
        return self.none()


class WorkflowQuerySet(RecordedQuerySet):
    """No back door to the state of many rows at once."""

    def with_guard_facts(self) -> Any:
        """With what the guards of the next step read, where that takes a query for each part."""
        return self

    def update(self, **values: Any) -> int:
        if "state" in values:
            raise RuntimeError("Use perform() on each row: update() checks and records nothing.")
        return super().update(**values)


class HistoryFacts(models.Model):
    """What a history row says beyond the snapshot: which step, taken by whom."""

    transition = models.CharField(max_length=50, blank=True)
    actor = models.CharField(max_length=200, blank=True)  # outlives the user row

    class Meta:
        abstract = True


class Recorded(models.Model):
    """A row whose every version is kept, with its author and reason."""

    #: The fields whose changes tell people nothing; models add their own.
    untold: ClassVar[frozenset[str]] = frozenset(
        {"id", "version", "dataset", "external_id", "extra", "source_status"}
    )

    version = models.PositiveIntegerField(default=1, editable=False)
    history = HistoricalRecords(
        bases=[HistoryFacts], inherit=True, history_change_reason_field=models.TextField(null=True)
    )
    _history_user: User | None
    _change_reason: str | None
    _transition: str

    class Meta:
        abstract = True


@dataclass(frozen=True)
class StepView:
    """A step as a page shows it: where it goes, what it asks, and what still blocks it."""

    record: Any
    step: fsm.Transition
    blockers: list[Blocker]

    @property
    def name(self) -> str:
        return str(self.step.name)

    @property
    def label(self) -> str:
        label = self.step.custom["label"]
        return str(label(self.record) if callable(label) else label)

    @property
    def question(self) -> str:
        """The heading of the step's own page."""
        return str(self.step.custom.get("question", "{label}: {row}")).format(
            label=self.label, row=self.record
        )

    @property
    def explains(self) -> str:
        """What happens, to whom, and whether it can be undone."""
        return str(self.step.custom.get("explains", ""))

    @property
    def needs_reason(self) -> bool:
        return bool(self.step.custom.get("needs_reason"))

    @property
    def needs_form(self) -> bool:
        """Whether a click is not enough: a reason, data or a second look is asked for."""
        custom = self.step.custom
        return bool(self.needs_reason or custom.get("form") or custom.get("confirm"))

    @property
    def danger(self) -> bool:
        return bool(self.step.custom.get("danger"))

    @property
    def primary(self) -> bool:
        return bool(self.step.custom.get("primary"))

    @property
    def url(self) -> str:
        return str(self.record.step_url(self.name))

    @property
    def version(self) -> int:
        return int(self.record.version)


class Workflow(fsm.FSMModelMixin, Recorded):
    """A record that moves through states, one recorded step at a time."""

    state: Any
    State: type[Status]
    get_state_display: Callable[[], str]
    get_all_state_transitions: Callable[[], Iterator[fsm.Transition]]

    #: Where the page goes after a step that made something else; set by a service in ``also``.
    lands_at: str = ""
    get_absolute_url: Callable[[], str]

    #: What the guards read, lowest app first; dotted where it is a parent's parent.
    lock_first: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True

    @property
    def status(self) -> Status:
        """The state with its word, tone and glyph."""
        return self.State(self.state)

    def step_url(self, name: str) -> str:
        """Where the step is asked for (GET) and taken (POST)."""
        meta = self._meta
        return reverse(
            f"{meta.app_label}:{meta.model_name}-step", args=[self.pk, name.replace("_", "-")]
        )

    def steps(
        self, user: User, without: Collection[str] = (), only: Collection[str] | None = None
    ) -> list[StepView]:
        """The steps ``user`` may take from here, each with what still blocks it.

        The guards of those named in ``without``, or not in ``only``, are not asked.
        """
        return [
            StepView(self, step, blockers(self, step))
            for step in self.get_all_state_transitions()
            if step.source == self.state
            and step.name not in without
            and (only is None or step.name in only)
            and step.has_perm(self, user)
        ]

    @classmethod
    def label_of(cls, name: str, target: str = "") -> str:
        """What the button of the step says; where several do, the one that leads to ``target``.

        Of a step that there is no more, which only its history knows: its name.
        """
        named = [step for step in cls().get_all_state_transitions() if step.name == name]
        labels = {step.target: step.custom.get("label") for step in named}
        label = labels.get(target) or next(iter(labels.values()), None)
        return label if isinstance(label, str) else name.replace("_", " ")

    def step_blockers(self, name: str) -> list[Blocker]:
        """What stands between this record and the step ``name``; [] where it may be taken."""
        for step in self.get_all_state_transitions():
            if (step.name, step.source) == (name, self.state):
                return blockers(self, step)
        return [Blocker(f"{self} is {self.get_state_display()}")]

    @property
    def next_step(self) -> str:
        """The step that takes it on, on the straight way; nothing where none does."""
        return ""

    def towards(self, step: StepView) -> str:
        """Where the next step leads, in a word or two."""
        target: Any = step.step.target
        return str(self.State(target).label)

    def awaits(self) -> list[Blocker]:
        """What the next step waits for besides what refuses it."""
        return []

    def between(self, known: list[StepView] | None = None) -> Between:
        """What stands between it and its next step; ``known`` steps are not asked again."""
        name = self.next_step
        found = next((view for view in known or [] if view.name == name), None)
        if found is None:
            declared = self.get_all_state_transitions()
            here = [s for s in declared if (s.name, s.source) == (name, self.state)]
            found = StepView(self, here[0], blockers(self, here[0])) if here else None
        if found is None:
            return Between(self)
        return Between(self, found, self.towards(found), found.blockers, self.awaits())


def known_states(states: type[Status], table: str) -> models.CheckConstraint:
    """The database's own list of a table's states."""
    return models.CheckConstraint(
        condition=models.Q(state__in=list(states.values)), name=f"{table}_state_is_known"
    )


@receiver(pre_transition)
def refuse_unattributed(instance: models.Model, name: str, **kwargs: Any) -> None:
    """Nothing moves without an author: call ``perform``, not the method."""
    if getattr(instance, "_transition", None) != name:
        raise RuntimeError(f"Use perform(row, {name!r}, by=...).")


@receiver(pre_create_historical_record)
def stamp_history(instance: models.Model, history_instance: Any, **kwargs: Any) -> None:
    """Say on the history row which step made it, and who took it, as text."""
    history_instance.transition = getattr(instance, "_transition", "")
    history_instance.actor = str(history_instance.history_user or "")
