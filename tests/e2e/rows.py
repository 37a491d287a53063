"""What a browser test begins with, made beside the running application, in its own database.

A process of its own: each line that it reads asks for one thing, each line that it writes answers.
"""

import datetime as dt
import importlib
import json
import sys
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from approvals.services import LevelPlan
from releasemgr.accounts.models import User
from releasemgr.workflow.perform import perform
from trains.services import define_approval

#: What is asked for by a name: somebody, a row, a day or a moment so far from now.
NAMED: dict[str, Any] = {
    "user": lambda name: User.objects.get(username=name),
    "row": lambda named: apps.get_model(named[0])._base_manager.get(pk=named[1]),
    "day": lambda days: timezone.localdate() + dt.timedelta(days=days),
    "hours": lambda hours: timezone.now() + dt.timedelta(hours=hours),
}
#: What counts as changed by people, besides whatever has a history.
TOLD = ("approvals.Decision", "trains.PlanVersion")


def make(factory: str, columns: dict[str, Any]) -> dict[str, Any]:
    """A row of a factory."""
    factories = importlib.import_module("tests.factories")
    return told(getattr(factories, f"{factory}Factory")(**columns))


def create(model: str, columns: dict[str, Any]) -> dict[str, Any]:
    """A row of a model that has no factory."""
    return told(apps.get_model(model)._base_manager.create(**columns))


def find(model: str, columns: dict[str, Any]) -> dict[str, Any]:
    """The newest row that has these columns."""
    rows: Any = apps.get_model(model)._base_manager
    return told(rows.filter(**columns).order_by("-pk")[0])


def alter(row: Any, columns: dict[str, Any]) -> dict[str, Any]:
    """Let a row be otherwise than it would come to be, such as older."""
    QuerySet(type(row)).filter(pk=row.pk).update(**columns)
    return told(row)


def take(row: Any, step: str, by: User, data: dict[str, Any]) -> dict[str, Any]:
    """Somebody takes a step, as they would elsewhere."""
    return told(perform(row, step, by=by, **data))


def define(row: Any, which: str, levels: list[list[Any]], columns: dict[str, Any]) -> Any:
    """Who decides upon an approval of a train: people, and (so many, of a group) on each level."""
    plan = [
        LevelPlan(
            people=[one for one in level if isinstance(one, User)],
            groups=[
                (Group.objects.get_or_create(name=one[1])[0], one[0])
                for one in level
                if isinstance(one, list)
            ],
        )
        for level in levels
    ]
    sheet = define_approval(row, which, plan, by=row.manager, version=None, **columns)
    return told(sheet)


def state(row: Any) -> str:
    """Where a row is."""
    return str(getattr(row, "state", ""))


def session(user: User) -> str:
    """The key of a session in which somebody is signed in."""
    store = SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    store["_auth_user_hash"] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def written() -> int:
    """How much people have written: all their entries in all histories, and what is kept beside."""
    entries = sum(
        model._default_manager.exclude(history_user__username="robot").count()
        for model in apps.get_models()
        if hasattr(model, "history_user")
    )
    return entries + sum(apps.get_model(name)._default_manager.count() for name in TOLD)


def told(row: Any) -> dict[str, Any]:
    """A row as the other side knows it."""
    url = row.get_absolute_url() if hasattr(row, "get_absolute_url") else ""
    return {"row": [row._meta.label, row.pk], "name": str(row), "url": url}


def _read(value: Any) -> Any:
    """What was asked, with people, rows and days in place of what names them."""
    if isinstance(value, list):
        return [_read(one) for one in value]
    if not isinstance(value, dict):
        return value
    for name, meaning in NAMED.items():
        if set(value) == {name}:
            return meaning(value[name])
    return {name: _read(one) for name, one in value.items()}


VERBS = (make, create, find, alter, take, define, state, session, written)


def serve() -> None:
    """Answer until nobody asks any more."""
    verbs = {verb.__name__: verb for verb in VERBS}
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            with transaction.atomic():
                answer = {"answer": verbs[asked["verb"]](*_read(asked["with"]))}
        except Exception as error:  # noqa: BLE001 -- whoever asked hears of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(f"\x1e{json.dumps(answer)}", flush=True)  # noqa: T201 -- the answer
