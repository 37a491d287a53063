from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "releasemgr.portal"
    label = "portal"

    def ready(self) -> None:
        from releasemgr.portal.counts import how_much_waits  # noqa: PLC0415 -- needs the models
        from releasemgr.ui import navigation  # noqa: PLC0415 -- needs the models

        navigation.counters.append(how_much_waits)
