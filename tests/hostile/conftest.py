"""Who tries: somebody with every role, so that no refusal hides what is behind it."""

import pytest
from django.db import transaction

from releasemgr.accounts.roles import ROBOT, ROLES
from tests.factories import UserFactory
from tests.world import let_go


@pytest.fixture
def everybody(client):
    """Somebody who holds every role, signed in; a fault answers 500 instead of raising."""
    user = UserFactory(role=[name for name in ROLES if name != ROBOT])
    client.force_login(user)
    client.raise_request_exception = False
    return user


@pytest.fixture
def ask(client, everybody):
    """Send a request, take back what it stored, and return the answer."""

    def send(method, address, *args, **kwargs):
        with transaction.atomic():
            answer = getattr(client, method)(address, *args, **kwargs)
            let_go(answer)
            transaction.set_rollback(True)
        return answer

    return send
