from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "releasemgr.demo"
    label = "demo"
