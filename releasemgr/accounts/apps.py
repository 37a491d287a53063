from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "releasemgr.accounts"
    label = "accounts"

    def ready(self) -> None:
        from releasemgr.accounts.receivers import make_roles  # noqa: PLC0415 -- needs the models

        post_migrate.connect(make_roles, dispatch_uid="accounts.make_roles")
