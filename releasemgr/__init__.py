"""The project package: settings, URLs, Celery, and the parts every app shares."""

from releasemgr.celery import app as celery_app

__all__ = ["celery_app"]
