"""Types for requests, narrowed by the decorators that guard them."""

from django.http import HttpRequest

from releasemgr.accounts.models import User


class UserRequest(HttpRequest):
    """A request behind ``login_required``."""

    user: User
