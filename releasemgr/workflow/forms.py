from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from releasemgr.accounts.models import User
    from releasemgr.workflow.models import StepView


class StepForm(forms.Form):
    """What every step asks: why, and which version was seen. Steps that need more extend it.

    The cleaned data beyond these two become the arguments of the step's method. ``page`` is the
    template that shows it; what the address says under the names in ``presets`` is in ``asked``.
    """

    page: ClassVar[str] = "workflow/step.html"
    presets: ClassVar[tuple[str, ...]] = ()

    reason = forms.CharField(
        required=False,
        max_length=2000,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    version = forms.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput
    )

    def __init__(
        self,
        *args: Any,
        step: StepView,
        user: User,
        asked: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.step = step
        self.user = user
        self.asked = {name: (asked or {}).get(name, "") for name in self.presets}
        self.fields["version"].initial = step.version
        reason = self.fields["reason"]
        reason.required = step.needs_reason
        reason.label = "Reason" if step.needs_reason else "Note for the record (optional)"
        reason.error_messages["required"] = "Say why. The reason is kept in the history."
        # The reason is asked last, after what the step itself needs.
        self.order_fields([name for name in self.fields if name != "reason"])
