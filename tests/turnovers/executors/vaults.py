"""Secrets as tests need them, put in like an administrator does."""

from releasemgr.accounts.models import User
from turnovers import vault
from turnovers.models import Secret

#: Long, and with characters that every encoding writes in its own way.
VALUE = 'k3y/+ü"&secret\\value'


def make_secret(name="deployer", value=VALUE, targets=()):
    """A secret with a value, for these targets."""
    secret = Secret.objects.create(name=name, targets=list(targets))
    if value:
        vault.put_in(secret, value, by=User.objects.robot())
    secret.refresh_from_db()
    return secret


def make_value(name, value=VALUE):
    """Give a secret that has none its value."""
    vault.put_in(Secret.objects.get(name=name), value, by=User.objects.robot())
