"""Whatever text a record holds, pages show it as text."""

import pytest
from django.apps import apps
from django.db import models
from django.db.models import Value
from django.db.models.functions import Cast, Concat

from releasemgr.accounts.models import User
from releasemgr.workflow.models import Recorded
from releasemgr.workflow.perform import record
from tests.hostile.values import MARKUP, RIGHT_TO_LEFT
from tests.permissions.test_urls import TABLE as PAGES
from tests.world import World, routes, unguarded
from trains.models import Freeze

pytestmark = pytest.mark.django_db

OUR_APPS = {"accounts", "approvals", "environments", "exchange", "notices", "trains", "turnovers"}
#: What is a key or an address rather than text that somebody wrote.
NOT_TEXT = {
    "username",
    "password",
    "email",
    "time_zone",
    "theme",
    "executor",
    "key",
    "url",
    "digest",
    "dataset",
    "external_id",
    "path",
    "sha256",
    "state",
}


def writable(model):
    """The fields of a model that hold whatever somebody wrote."""
    for field in model._meta.concrete_fields:
        is_text = isinstance(field, (models.CharField, models.TextField))
        if is_text and not field.choices and field.name not in NOT_TEXT:
            yield field


def written(text, field):
    """The text, as long as the field takes it; names also stay different from each other."""
    room = field.max_length or 1000
    if field.name != "name":
        return Value(text[:room])
    return Concat(Value(text[: room - 12]), Cast("pk", models.CharField()))


@unguarded()
def write_everywhere(text):
    """Write the text into every field of every row, and into a last version of its history."""
    for model in apps.get_models():
        if model._meta.app_label not in OUR_APPS or hasattr(model, "history_id"):
            continue
        texts = {field.name: written(text, field) for field in writable(model)}
        if model is Freeze:  # only of a kind of environment does a freeze name one
            models.QuerySet(model).filter(scope="kind").update(kind=texts.pop("kind"))
        models.QuerySet(model).update(**texts)
        if issubclass(model, Recorded):
            for row in model._base_manager.all():
                record(row, by=User.objects.robot(), reason=text)


@pytest.mark.parametrize("text", [MARKUP, RIGHT_TO_LEFT], ids=["markup", "right to left"])
def test_text_is_shown_as_text(ask, text):
    world = World()
    write_everywhere(text)
    live = []

    for name, route in routes().items():
        if route.is_step or not PAGES[name][1]:
            continue
        for address in world.addresses(route, PAGES[name][0]):
            answer = ask("get", address)
            assert answer.status_code < 500, (address, answer.exc_info)
            content = b"".join(answer) if answer.streaming else answer.content
            is_page = answer.headers["Content-Type"].startswith("text/html")
            if is_page and (b"<live" in content or b"<script>alert" in content):
                live.append(address)

    assert live == []


def test_the_reason_of_a_refusal_is_shown_as_text(ask):
    train = World().train
    write_everywhere(MARKUP)

    answer = ask("post", train.step_url("cancel"), {"reason": MARKUP * 200})

    assert answer.status_code == 422
    assert b"<live" not in answer.content
    assert b"&lt;live" in answer.content
