"""What is asked of whoever keeps a version of a plan by hand."""

from __future__ import annotations

from django import forms


class NoteForm(forms.Form):
    """What the version is kept for, and which version of the train was seen."""

    reason = forms.CharField(
        label="What the plan is kept for, as it is now",
        help_text="For instance: before planning anew.",
        required=False,
        max_length=300,
    )
    version = forms.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput
    )
