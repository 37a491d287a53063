from __future__ import annotations

from typing import Any

from django import forms

from releasemgr.accounts.models import User
from releasemgr.ui.forms import EditForm
from turnovers.models import ReviewAction


class ReviewActionForm(EditForm):
    """What is to be done, who does it, and until when."""

    class Meta:
        model = ReviewAction
        fields = ["words", "owner", "due"]
        widgets = {"words": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["owner"]
        field.queryset = User.objects.people()
        field.empty_label = "Choose a person"
