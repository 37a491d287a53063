from django.apps import AppConfig


class TrainsConfig(AppConfig):
    name = "trains"

    def ready(self) -> None:
        from trains import receivers  # noqa: PLC0415 -- plugs into lower apps when all are ready

        receivers.connect()
