"""The column in which a record's state stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_fsm as fsm
from django.db import models

if TYPE_CHECKING:
    from collections.abc import Collection


class StateField(fsm.FSMField):
    """A state that only declared steps change.

    Migrations see the plain column. Each of their passing models would else look for steps when any
    other one is made, which made a new database take minutes.
    """

    def deconstruct(self) -> Any:
        name, _, arguments, options = super().deconstruct()
        options.pop("protected", None)
        return name, "django.db.models.CharField", arguments, options | {"max_length": 50}


class InStateField(models.BooleanField):  # type: ignore[type-arg]  # no subscript at run time
    """Whether the record is in one of some states: what lists of years of rows are sorted by.

    It follows the state at every save, in bulk too, and is written nowhere else. An index that
    begins with it holds the few rows that are on their way, in order, apart from all the others.
    """

    def __init__(self, *args: Any, states: Collection[str] = (), **kwargs: Any) -> None:
        self.states = frozenset(states)
        super().__init__(*args, **{"default": False, "editable": False} | kwargs)

    def pre_save(self, model_instance: models.Model, add: bool) -> bool:
        value = getattr(model_instance, "state", "") in self.states
        setattr(model_instance, self.attname, value)
        return value

    def deconstruct(self) -> Any:
        """A plain column, to migrations."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.BooleanField", arguments, options
