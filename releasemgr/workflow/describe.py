"""States and steps as a document, read from their declarations so that it cannot drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps

from releasemgr.workflow.models import StepView, Workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """# States and steps

Every record that moves, its states, and the steps between them: who may take each, and what must
hold.
Generated from the models by `manage.py describe_states`; a test fails when it is out of date.
"""


def document() -> str:
    """The whole document, in Markdown."""
    models = (model for model in apps.get_models() if issubclass(model, Workflow))
    return "\n".join([HEAD, *("\n".join(_section(model)) for model in models)])


def _section(model: type[Workflow]) -> Iterator[str]:
    yield f"## {str(model._meta.verbose_name).capitalize()}\n"
    yield "| state | meaning |\n|---|---|"
    for state in model.State:
        yield f"| {state.label} | {state.meaning} |"
    yield "\n| step | from → to | who | must hold |\n|---|---|---|---|"
    steps: dict[tuple[str, str], tuple[Any, list[str]]] = {}
    order: list[Any] = list(model.State)
    declared = model().get_all_state_transitions()
    for step in sorted(declared, key=lambda step: (order.index(step.source), step.name)):
        target = _words(model, step.target)
        steps.setdefault((step.name, target), (step, []))[1].append(_words(model, step.source))
    for (_, target), (step, sources) in steps.items():
        label = StepView(model(), step, []).label
        who = step.permission.sentence
        needs = [guard.check.__name__.replace("_", " ") for guard in step.conditions]
        if step.custom.get("needs_reason"):
            needs.append("a reason")
        yield f"| {label} | {', '.join(sources)} → {target} | {who} | {'; '.join(needs) or '–'} |"
    yield ""


def _words(model: type[Workflow], state: Any) -> str:
    """The word of a state, or of each that a step may lead to."""
    allowed = getattr(state, "allowed_states", None)
    if allowed:
        return " or ".join(model.State(each).label for each in allowed)
    return str(model.State(state).label)
