from django.apps import AppConfig


class UiConfig(AppConfig):
    """The look: template tags, components, paging and the shell. It has no tables."""

    name = "releasemgr.ui"
    label = "ui"
