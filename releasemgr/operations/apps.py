from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "releasemgr.operations"
    label = "operations"
