"""What the steps of an approval ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import Group
from django.utils import timezone

from approvals import rules
from approvals.models import Rule
from releasemgr.accounts.models import User
from releasemgr.accounts.roles import ROBOT
from releasemgr.accounts.services import SignInLocked, password_is_right
from releasemgr.workflow.forms import StepForm

if TYPE_CHECKING:
    from approvals.models import Signoff

MOST_VOTES = 50


class SigningForm(StepForm):
    """Decide upon exactly what was on the screen, as oneself or for somebody else.

    The seal names it. Others who vote meanwhile change the sheet's version, but not what is
    decided upon, so with a seal the version does not matter; without either nothing is decided.
    Where the sheet asks for the password, a wrong one decides nothing, and counts like a failed
    attempt to sign in.
    """

    seal = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
    password = forms.CharField(
        label="Your password",
        required=False,
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="This approval asks for it with each decision.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sheet: Signoff = self.step.record
        self.fields["seal"].initial = self.sheet.seal
        self.fields["reason"].label = "Reason" if self.step.needs_reason else "Comment (optional)"
        if not self.sheet.asks_password:
            del self.fields["password"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("seal"):
            cleaned["version"] = None
        elif cleaned.get("version") is None and not self.errors:
            self.add_error(None, "Open the page again: the form does not say what you have seen.")
        password = cleaned.pop("password", "")
        if self.sheet.asks_password and not self.errors:
            cleaned["confirmed"] = self._confirm(password)
        return cleaned

    def _confirm(self, password: str) -> bool:
        """Whether the password is the person's own; says why not beside the field."""
        try:
            if password and password_is_right(self.user, password):
                return True
        except SignInLocked:
            self.add_error("password", "Too many wrong passwords. Try again in 15 minutes.")
        else:
            wrong = "This is not your password." if password else "Give your password."
            self.add_error("password", wrong)
        return False


class DecisionForm(SigningForm):
    """One's own vote, or that of somebody whose deputy one is."""

    voice = forms.TypedChoiceField(label="You decide", coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        voices = rules.voices_for(self.sheet, self.user)
        choices = [(user.pk, voice_words(user, self.user)) for user in voices]
        field: Any = self.fields["voice"]
        if self.is_bound and (given := self.data.get("voice", "")).isdecimal():
            # Whoever was quicker may have given this vote: the refusal says so, not the field.
            known = {str(pk) for pk, _ in choices}
            choices += [] if given in known else [(given[:18], "for somebody else")]
        field.choices = choices
        if len(voices) < 2 and (not voices or voices[0] == self.user):  # noqa: PLR2004 -- no choice
            field.widget = forms.HiddenInput()
        field.initial = voices[0].pk if voices else None


def voice_words(voice: User, user: User) -> str:
    """As whom somebody decides."""
    return "for yourself" if voice == user else f"for {voice}"


class PostponeForm(DecisionForm):
    """When instead."""

    slot_starts = forms.DateTimeField(label="Slot begins")
    slot_ends = forms.DateTimeField(label="Slot ends")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        self.fields["slot_starts"].help_text = f"Times are {zone}."
        names = ["slot_starts", "slot_ends", "reason"]
        self.order_fields([*(name for name in self.fields if name not in names), *names])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        starts, ends = cleaned.get("slot_starts"), cleaned.get("slot_ends")
        if starts and starts <= timezone.now():
            self.add_error("slot_starts", "Give a time that is ahead.")
        if starts and ends and ends <= starts:
            self.add_error("slot_ends", "It must end after it begins.")
        if starts and starts.year > timezone.now().year + 10:
            self.add_error("slot_starts", "Give a time within the next ten years.")
        return cleaned


class OverrideForm(SigningForm):
    """For whom."""

    voice = forms.TypedChoiceField(label="Whose vote it is", coerce=int)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        absent = User.objects.filter(pk__in=rules.absent_voices(self.sheet)).exclude(
            pk=self.user.pk
        )
        field: Any = self.fields["voice"]
        field.choices = [("", "Choose a person"), *((user.pk, str(user)) for user in absent)]
        self.order_fields(["seal", "version", "voice", "password", "reason"])


class AddApproverForm(StepForm):
    """Who else decides, and on which level."""

    level = forms.TypedChoiceField(coerce=int)
    person = forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="Nobody by name"
    )
    needed = forms.IntegerField(
        label="Or so many", required=False, min_value=1, max_value=MOST_VOTES
    )
    group = forms.ModelChoiceField(
        Group.objects.none(), label="of this group", required=False, empty_label="No group"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sheet: Signoff = self.step.record
        fields: Any = self.fields
        fields["level"].choices = [
            (level.number, str(level))
            for level in sheet.levels.all()
            if level.number >= sheet.open_level
        ]
        fields["person"].queryset = (
            User.objects.who_may("approvals.view_signoff")
            .exclude(pk__in=sheet.barred_ids | {self.user.pk})
            .distinct()
        )
        fields["group"].queryset = Group.objects.exclude(name=ROBOT).order_by("name")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        person, group = cleaned.get("person"), cleaned.get("group")
        if (person is None) == (group is None) and not self.errors:
            self.add_error("person", "Choose either a person or a group.")
        cleaned["needed"] = cleaned.get("needed") or 1
        if person is not None and cleaned["needed"] != 1:
            self.add_error("needed", "A person has one vote.")
        return cleaned


class RemoveApproverForm(StepForm):
    """Who decides no longer."""

    rule = forms.ModelChoiceField(Rule.objects.none(), label="Approver", empty_label="Choose one")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sheet: Signoff = self.step.record
        field: Any = self.fields["rule"]
        field.queryset = (
            Rule.objects.filter(level__signoff=sheet, level__number__gte=sheet.open_level)
            .select_related("person", "group", "level")
            .order_by("level__number", "pk")
        )
        field.label_from_instance = lambda rule: f"{rule.level}: {rule}"
