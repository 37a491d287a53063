"""What trains, releases and their steps ask for."""

from __future__ import annotations

from typing import Any

from django import forms

from releasemgr.workflow.forms import StepForm
from trains.models import Train


class EvidenceForm(StepForm):
    """What shows that a criterion is met."""

    evidence = forms.CharField(
        label="Evidence",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What shows it: a sentence, a figure.",
    )
    evidence_url = forms.URLField(
        label="Link", required=False, max_length=500, assume_scheme="https"
    )


class PostponeForm(StepForm):
    """Which later train."""

    train = forms.ModelChoiceField(Train.objects.none(), empty_label="Choose a train")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        boarding = self.step.record
        field: Any = self.fields["train"]
        field.queryset = (
            Train.objects.that_board().visible_to(self.user).exclude(pk=boarding.train_id)
        )
