from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "releasemgr.notices"
    label = "notices"

    def ready(self) -> None:
        from releasemgr.notices import receivers  # noqa: PLC0415 -- when all apps are ready

        receivers.connect()
