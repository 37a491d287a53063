from __future__ import annotations

from django import forms

from releasemgr.ui.forms import EditForm
from turnovers.models import Hold


class HoldForm(EditForm):
    """Why the line is stopped; what it stops is in the address of the page."""

    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Everybody whose work waits reads this.",
    )

    class Meta:
        model = Hold
        fields = ["reason", "stops_running"]
