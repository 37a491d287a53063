"""Of every step it is decided whether anybody is told, and why not where nobody is."""

import pytest
from django.apps import apps

from releasemgr.notices import told
from releasemgr.workflow.models import Workflow

MODELS = [model for model in apps.get_models() if issubclass(model, Workflow)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_step_is_told_or_stands_in_the_list_of_those_of_which_nobody_is_told(model):
    """A new step belongs into ``TOLD``, or with a reason into ``UNTOLD``, of ``notices.told``."""
    declared = {step.name for step in model().get_all_state_transitions()}
    spoken, silent = set(told.TOLD.get(model, ())), set(told.UNTOLD.get(model, ()))

    assert declared - spoken - silent == set(), "nobody has decided whether these are told"
    assert spoken & silent == set(), "these are told, and said not to be"
    assert (spoken | silent) - declared == set(), "there are no such steps"
    assert all(told.UNTOLD.get(model, {}).values()), "say why nobody is told"


def test_no_step_can_be_called_like_a_new_or_an_edited_row():
    assert not told.NEW_ROW.isidentifier()
    assert not told.EDITED_ROW.isidentifier()
