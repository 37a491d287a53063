from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class TurnoversConfig(AppConfig):
    name = "turnovers"

    def ready(self) -> None:
        from turnovers import reading, receivers  # noqa: PLC0415 -- when all apps are ready

        receivers.connect()
        pre_migrate.connect(reading.put_aside, sender=self, dispatch_uid="turnovers.put_aside")
        post_migrate.connect(reading.put_back, sender=self, dispatch_uid="turnovers.put_back")
