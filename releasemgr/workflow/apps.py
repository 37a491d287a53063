from django.apps import AppConfig


class WorkflowConfig(AppConfig):
    name = "releasemgr.workflow"
    label = "workflow"

    def ready(self) -> None:
        from releasemgr.workflow import checks  # noqa: F401, PLC0415 -- registers the check
