"""What the steps of turnovers and tasks ask for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from environments.models import Environment
from releasemgr.workflow.forms import StepForm
from turnovers.states import Verdict


class TaskDoneForm(StepForm):
    """What shows that a manual task is done."""

    evidence = forms.CharField(
        label="Result or link (optional)",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class VerdictForm(StepForm):
    """What became of a task whose ending is not known."""

    verdict = forms.ChoiceField(
        label="What you found", choices=Verdict.choices, widget=forms.RadioSelect
    )


class ExtendForm(StepForm):
    """Until when the environment is held."""

    until = forms.DateTimeField(label="Until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        self.fields["until"].help_text = f"Times are {zone}."

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until <= timezone.now():
            raise forms.ValidationError("Give a time that is ahead.")
        return until


class PromoteForm(StepForm):
    """Where to, and when."""

    environment = forms.ModelChoiceField(
        Environment.objects.none(), empty_label="Choose an environment"
    )
    earliest = forms.DateTimeField(label="Earliest start", required=False)
    latest = forms.DateTimeField(label="Latest start", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = Environment.objects.online().exclude(pk=self.step.record.environment_id)
        if not self.user.has_perm("turnovers.promote_restricted"):
            choices = choices.filter(is_restricted=False)
        field: Any = self.fields["environment"]
        field.queryset = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        earliest, latest = cleaned.get("earliest"), cleaned.get("latest")
        if earliest and latest and latest < earliest:
            self.add_error("latest", "The latest start must not be before the earliest.")
        return cleaned
