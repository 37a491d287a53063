from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "releasemgr.exchange"
    label = "exchange"

    def ready(self) -> None:
        from releasemgr.exchange import services  # noqa: PLC0415 -- when all apps are ready
        from turnovers.engine import scheduler  # noqa: PLC0415

        scheduler.errands.append(services.remind_workers)
