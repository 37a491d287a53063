"""Refuse to start with a step that is only half declared."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from releasemgr.workflow.models import Workflow, WorkflowQuerySet
from releasemgr.workflow.rules import Guard, Permission


@register()
def check_transitions(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(problem, obj=f"{model.__name__}.{step.name}", id="workflow.E001")
        for model in apps.get_models()
        if issubclass(model, Workflow)
        for step in model().get_all_state_transitions()
        for problem in _problems(model, step)
    ]


def _problems(model: type[Workflow], step: Any) -> list[str]:
    problems = []
    meta: Any = model._meta
    if step.source not in dict(meta.get_field("state").choices):
        problems.append(f"source {step.source!r} is not a state: name each source")
    if not isinstance(model._default_manager.all(), WorkflowQuerySet):
        problems.append("its model's objects are not a WorkflowQuerySet")
    if not isinstance(step.permission, Permission):
        problems.append("names no @permission")
    if not all(isinstance(condition, Guard) for condition in step.conditions):
        problems.append("has a condition that is not a @guard")
    if not step.custom.get("label"):
        problems.append("has no label")
    for kind in ("also", "then"):
        for path in step.custom.get(kind, ()):
            problems += _path_problems(meta.app_label, kind, path)
    if form := step.custom.get("form"):
        problems += _path_problems(meta.app_label, "form", form)
    return problems


def _path_problems(app_label: str, kind: str, path: str) -> list[str]:
    problems = []
    if path.split(".", maxsplit=1)[0] != app_label:
        problems.append(f"{kind}: {path} belongs to another app; receive step_taken there instead")
    try:
        import_string(path)
    except ImportError:
        problems.append(f"{kind}: no {path}")
    return problems
