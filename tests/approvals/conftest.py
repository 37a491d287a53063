"""Who asks, who is asked, and about what."""

import pytest
from django.contrib.auth.models import Group

from approvals import rules
from tests.approvals.asking import CONTENT
from tests.factories import UserFactory


@pytest.fixture
def manager():
    return UserFactory(role="Release manager", first_name="Priya", last_name="Raman")


@pytest.fixture
def board():
    return Group.objects.create(name="Change advisory board")


@pytest.fixture
def content(monkeypatch):
    """What the sheets are about now; a test changes it."""
    now = dict(CONTENT)
    monkeypatch.setattr(rules, "current_content", [lambda _: now])
    return now
