"""Each step of trains, approvals and freezes is taken in a browser, or it is said why it is not."""

from django.apps import apps

from releasemgr.workflow.models import Workflow
from tests.e2e import (
    test_approvals,
    test_freezes,
    test_places_and_releases,
    test_planning_and_gates,
    test_plans,
)
from turnovers.models import FreezeException

MODULES = (
    test_approvals,
    test_freezes,
    test_places_and_releases,
    test_planning_and_gates,
    test_plans,
)
AREAS = ("accounts", "approvals", "trains")
#: Of another app, which has tests of its own for the rest.
BESIDES = {FreezeException}
BY_THE_CLOCK = "The clock takes it, never a person: tests/approvals/test_clock.py"
BY_A_CHECK = "What looks takes it, never a person: tests/trains/test_checks.py"
NOT_DRIVEN = {
    "signoff.remind": BY_THE_CLOCK,
    "signoff.escalate": BY_THE_CLOCK,
    "signoff.expire": BY_THE_CLOCK,
    "waiver.expire": "The clock takes it, never a person: tests/trains/test_waivers.py",
    "criterion.lapse": "A waiver that ends takes it: tests/trains/test_waivers.py",
    "criterion.waive": "Whoever grants a waiver takes it with that step; alone it is refused, "
    "which test_planning_and_gates.py drives",
    "criterion.pass_check": BY_A_CHECK,
    "criterion.fail_check": BY_A_CHECK,
}


def declared():
    """All steps of the three apps and of what is besides, as "model.step"."""
    models = {model for app in AREAS for model in apps.get_app_config(app).get_models()}
    return {
        f"{model._meta.model_name}.{step.name}"
        for model in models | BESIDES
        if issubclass(model, Workflow)
        for step in model().get_all_state_transitions()
    }


def driven():
    """The steps that the tests say they drive, which their fixture holds them to."""
    tests = [test for module in MODULES for test in vars(module).values()]
    marks = [mark for test in tests for mark in getattr(test, "pytestmark", [])]
    return {step for mark in marks if mark.name == "drives" for step in mark.args}


def test_every_step_is_driven_or_named_with_the_reason_why_not():
    assert driven() | set(NOT_DRIVEN) == declared()
    assert not driven() & set(NOT_DRIVEN)
