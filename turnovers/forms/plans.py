"""What a turnover's pages ask for: the turnover itself, its tasks and its contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import Group
from django.utils import timezone

from environments.models import Environment
from releasemgr.accounts.models import User
from releasemgr.ui.forms import EditForm
from turnovers import executors
from turnovers.models import Content, DeploymentTask, Turnover
from turnovers.models.plans import BY_PEOPLE
from turnovers.models.turnovers import MOST_PARALLEL
from turnovers.states import IfLate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.forms import BoundField

    from turnovers.querysets import TurnoverQuerySet

LAST = "last"
#: The two promises that can be made of an automated task.
PROMISES = (
    ("False", "Once only (default). If its worker dies, the run stops, and two people settle it."),
    ("True", "May be repeated. If its worker dies, it is resumed by itself with the same key."),
)


class TurnoverForm(EditForm):
    """Where to, when, and whose it is."""

    class Meta:
        model = Turnover
        fields = [
            "title",
            "environment",
            "earliest",
            "latest",
            "if_late",
            "most_parallel",
            "author",
            "description",
        ]

    sections = (("How it runs", ("if_late", "most_parallel")),)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        self.fields["earliest"].help_text = f"It starts by itself from then on. Times are {zone}."
        self.fields["latest"].help_text = "If it has not started by then, it does not start."
        offered: Any = self.fields["environment"]
        offered.queryset = Environment.objects.in_use()
        offered.empty_label = "Choose an environment"
        self._offer_developers(self.fields["author"])
        self.fields["if_late"].required = self.fields["most_parallel"].required = False

    def clean_if_late(self) -> str:
        """It expires, where nothing is said."""
        return self.cleaned_data["if_late"] or str(IfLate.EXPIRE)

    def clean_most_parallel(self) -> int:
        """As many as by default, where nothing is said."""
        most: int | None = self.cleaned_data["most_parallel"]
        return MOST_PARALLEL if most is None else most

    def _offer_developers(self, field: Any) -> None:
        field.queryset = User.objects.who_may(
            "turnovers.write_turnover", or_is=self.instance.author_id
        )
        field.required = True
        field.empty_label = "Choose who delivers it"


class NewTurnoverForm(TurnoverForm):
    """A new one may begin with the tasks of another."""

    copy_from = forms.ModelChoiceField(
        Turnover.objects.none(),
        label="Copy the tasks from",
        required=False,
        empty_label="Begin without tasks",
        help_text="They are copied as they are now; change them afterwards as you like.",
    )

    def __init__(self, *args: Any, sources: TurnoverQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].required = False
        self.fields["title"].help_text = "If you leave it empty: what it carries, and where to."
        copies: Any = self.fields["copy_from"]
        copies.queryset = sources
        copies.label_from_instance = _as_source


def _as_source(turnover: Any) -> str:
    """A turnover as a source of tasks."""
    tasks = f"{turnover.task_count or 0} tasks"
    return f"{turnover.ref} {turnover.title} ({turnover.status.label.lower()}, {tasks})"


class TaskForm(EditForm):
    """A task of the plan, with the fields of whatever carries it out.

    Their names begin with ``p-``; together they become the task's ``parameters``.
    """

    PREFIX = "p"

    place = forms.ChoiceField(label="Comes after")
    repeat_safe = forms.TypedChoiceField(
        label="If it is not known how it ended",
        required=False,
        choices=PROMISES,
        coerce=lambda word: word == "True",
        widget=forms.RadioSelect,
        help_text="Allow repeating only where doing it twice does no harm, or where its receiver "
        "honours the Idempotency-Key.",
    )

    class Meta:
        model = DeploymentTask
        fields = [
            "title",
            "section",
            "instructions",
            "owner",
            "owner_group",
            "estimate_minutes",
            "timeout_seconds",
            "attempts",
            "repeat_safe",
            "not_before",
            "undo",
        ]

    sections = (
        ("Who and how long", ("owner", "owner_group", "estimate_minutes", "not_before")),
        ("If something goes wrong", ("repeat_safe", "timeout_seconds", "attempts", "undo")),
    )

    def __init__(self, *args: Any, executor: str, after: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.executor = executor
        self.fields["instructions"].widget.attrs["rows"] = 4
        self.fields["undo"].widget.attrs["rows"] = 2
        self.fields["section"].help_text = "A heading for the tasks that belong together."
        zone = timezone.get_current_timezone_name()
        kept = self.fields["not_before"].help_text
        self.fields["not_before"].help_text = f"{kept} Times are {zone}."
        self._offer_owners()
        self._offer_places(after)
        self.parameters_form = self._graft_parameters()
        for name in self._not_asked():
            self.fields.pop(name, None)

    @property
    def is_manual(self) -> bool:
        """Whether nothing but a person carries it out, so that no executor asks for anything."""
        return not self.executor

    def clean_repeat_safe(self) -> bool:
        """Once only, where nothing is said."""
        return bool(self.cleaned_data["repeat_safe"])

    def _not_asked(self) -> Iterator[str]:
        """What makes no sense for this kind of task."""
        if self.executor in BY_PEOPLE or executors.get(self.executor).is_instant:
            yield from ("timeout_seconds", "attempts", "repeat_safe")
        if self.instance.undoes_id:
            yield from ("place", "not_before", "undo")

    def _offer_owners(self) -> None:
        person: Any = self.fields["owner"]
        person.label = "Person"
        person.queryset = User.objects.people() | User.objects.filter(pk=self.instance.owner_id)
        person.empty_label = "Nobody in particular"
        group: Any = self.fields["owner_group"]
        group.label = "Or anybody in the group"
        group.queryset = Group.objects.order_by("name")
        group.empty_label = "No group"

    def _offer_places(self, after: int | None) -> None:
        if self.instance.pk:
            del self.fields["place"]
            return
        place: Any = self.fields["place"]
        tasks = list(self.instance.turnover.tasks.in_order())
        place.choices = [
            *[(str(task.pk), f"{task.order}. {task.title}") for task in tasks],
            (LAST, "The end of the list"),
        ]
        place.initial = str(after) if after in {task.pk for task in tasks} else LAST

    def _graft_parameters(self) -> forms.Form | None:
        if self.is_manual:
            return None
        kept = self.instance.parameters if self.instance.executor == self.executor else {}
        kept = {"zone": self.instance.turnover.zone} | kept
        data = self.data if self.is_bound else None
        form = executors.get(self.executor).form(data, prefix=self.PREFIX, initial=kept)
        for name, field in form.fields.items():
            field.initial = form.get_initial_for_field(field, name)
            field.label = form[name].label
            self.fields[f"{self.PREFIX}-{name}"] = field
        return form

    def grouped(self) -> Iterator[tuple[str, list[BoundField]]]:
        """What the executor asks for comes under its own name, before the rest."""
        asked = {name for name in self.fields if name.startswith(f"{self.PREFIX}-")}
        (heading, first), *others = super().grouped()
        yield heading, [bound for bound in first if bound.name not in asked]
        if asked:
            name = executors.get(self.executor).name
            yield name, [bound for bound in first if bound.name in asked]
        yield from others

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("owner") and cleaned.get("owner_group"):
            self.add_error("owner_group", "Choose a person or a group, not both.")
        cleaned["parameters"] = self._clean_parameters()
        cleaned["executor"] = self.executor
        return cleaned

    def _clean_parameters(self) -> dict[str, Any]:
        """What the executor's own form makes of them; what it refuses is said at the field."""
        form = self.parameters_form
        if form is None:
            return {}
        for name, errors in form.errors.items():
            mine = f"{self.PREFIX}-{name}"
            if name not in form.fields:
                self.add_error(None, list(errors))
            elif mine not in self.errors:
                self.add_error(mine, list(errors))
        return form.cleaned_data


class ContentForm(EditForm):
    """Which version of an application release the turnover carries."""

    class Meta:
        model = Content
        fields = ["version_name"]
