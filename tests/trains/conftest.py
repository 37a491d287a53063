"""Who looks at the pages of trains."""

import pytest

from tests.factories import UserFactory


@pytest.fixture
def manager(client):
    """A release manager, signed in."""
    user = UserFactory(username="manager", role="Release manager")
    client.force_login(user)
    return user


@pytest.fixture
def stakeholder(client):
    """Somebody who may look and do nothing, signed in."""
    user = UserFactory(username="stakeholder", role="Stakeholder")
    client.force_login(user)
    return user
