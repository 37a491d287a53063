"""Turnovers in the administration: commands and secrets are kept here, the rest is looked at."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from releasemgr.workflow.admin import RecordedAdmin, WorkflowAdmin
from turnovers import vault
from turnovers.executors import ON_WORKER
from turnovers.models import AllowedCommand, FreezeException, Hold, Run, Secret, TaskRun, Turnover

if TYPE_CHECKING:
    from django.http import HttpRequest

#: What is shorter would be found in ordinary words, and could not be taken out of output.
SHORTEST_VALUE, LONGEST_VALUE = 8, 16_000
HOST_AND_PORT = re.compile(r"([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]):[0-9]{1,5}", re.ASCII)


class AllowedCommandForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """A command runs without a shell: one program by its whole path, and its arguments."""

    class Meta:
        model = AllowedCommand
        fields = [
            "name",
            "description",
            "program",
            "arguments",
            "takes_arguments",
            "directory",
            "secrets",
            "is_active",
        ]

    def clean_program(self) -> str:
        program: str = self.cleaned_data["program"]
        if not PurePosixPath(program).is_absolute():
            raise forms.ValidationError("Give the absolute path, such as /usr/local/bin/deploy.")
        return program

    def clean_arguments(self) -> list[str]:
        arguments = self.cleaned_data["arguments"] or []
        if not (isinstance(arguments, list) and all(isinstance(a, str) for a in arguments)):
            raise forms.ValidationError('Give a list of texts, such as ["--quiet"].')
        return arguments

    def clean_secrets(self) -> Any:
        """Only those that are for commands, as their own targets say."""
        secrets = self.cleaned_data["secrets"]
        if others := [str(secret) for secret in secrets if ON_WORKER not in secret.targets]:
            raise forms.ValidationError(
                f"“{ON_WORKER}” is not among the targets of {', '.join(others)}."
            )
        return secrets


@admin.register(AllowedCommand)
class AllowedCommandAdmin(RecordedAdmin):
    """Kept here: what automated tasks may run on a worker."""

    form = AllowedCommandForm
    list_display = ["name", "program", "takes_arguments", "is_active"]
    search_fields = ["name", "program"]


class SecretForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """A secret: what is written into it is never shown again."""

    targets = forms.JSONField(
        required=False,
        help_text='The only host:port pairs that it may be sent to, such as ["ci.example:443"]; '
        f"“{ON_WORKER}” for allowed commands. A change of the targets drops the value.",
    )
    value = forms.CharField(
        required=False,
        strip=False,
        min_length=SHORTEST_VALUE,
        max_length=LONGEST_VALUE,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Nobody can read it again. Empty keeps what is there.",
    )
    forget = forms.BooleanField(required=False, help_text="Drop the value that is there.")

    class Meta:
        model = Secret
        fields = ["name", "description", "targets"]

    def clean_targets(self) -> list[str]:
        targets = self.cleaned_data["targets"] or []
        if not (isinstance(targets, list) and all(isinstance(entry, str) for entry in targets)):
            raise forms.ValidationError('Give a list of texts, such as ["ci.example:443"].')
        targets = list(dict.fromkeys(entry.strip().lower() for entry in targets))
        for entry in targets:
            if entry != ON_WORKER and not HOST_AND_PORT.fullmatch(entry):
                raise forms.ValidationError(f"“{entry}” is no host:port, such as ci.example:443.")
        return targets

    def clean_value(self) -> str:
        value: str = self.cleaned_data["value"]
        if "\0" in value:
            raise forms.ValidationError("A value may not contain a NUL character.")
        return value

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("forget") and cleaned.get("value"):
            self.add_error("forget", "Either drop the value or give a new one.")
        return cleaned


@admin.register(Secret)
class SecretAdmin(RecordedAdmin):
    """Kept here: what automated tasks need to sign in elsewhere."""

    form = SecretForm
    list_display = ["name", "description", "set_at"]
    search_fields = ["name", "description"]

    @method_decorator(sensitive_post_parameters("value"))
    def changeform_view(self, request: HttpRequest, *args: Any, **given: Any) -> Any:
        return super().changeform_view(request, *args, **given)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A secret that tasks name stays the one that they mean."""
        return ["set_at"] if obj is None else ["name", "set_at"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store, and let the value go where the secret may go elsewhere from now on."""
        super().save_model(request, obj, form, change)
        by: Any = request.user
        if form.cleaned_data["value"]:
            vault.put_in(obj, form.cleaned_data["value"], by=by)
        elif obj.set_at is not None and "targets" in form.changed_data:
            vault.forget(obj, by=by, reason="Targets changed: the value was dropped")
        elif form.cleaned_data["forget"]:
            vault.forget(obj, by=by, reason="Value dropped")


@admin.register(Turnover)
class TurnoverAdmin(WorkflowAdmin):
    list_display = ["pk", "title", "environment", "author", "earliest", "state"]
    search_fields = ["title"]
    list_select_related = ["environment", "author"]


@admin.register(Run)
class RunAdmin(WorkflowAdmin):
    list_display = ["turnover", "number", "started_by", "state"]
    list_select_related = ["turnover"]


@admin.register(TaskRun)
class TaskRunAdmin(WorkflowAdmin):
    list_display = ["task", "run", "order", "state"]
    list_select_related = ["task", "run__turnover"]


@admin.register(Hold)
class HoldAdmin(WorkflowAdmin):
    list_display = ["reason", "placed_by", "state"]
    list_select_related = ["placed_by"]


@admin.register(FreezeException)
class FreezeExceptionAdmin(WorkflowAdmin):
    list_display = ["freeze", "turnover", "release", "expires", "state"]
    list_filter = ["state"]
    search_fields = ["freeze__name", "reason"]
    list_select_related = ["freeze", "turnover", "release__application"]
