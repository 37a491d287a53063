"""The Celery application: messages are hints, the database is the truth."""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import worker_before_create_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "releasemgr.settings")
# `migrate`, which comes first, runs the checks; they load all pages, and a worker serves none.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("releasemgr")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_before_create_process.connect(weak=False)
def _share_memory(**_: Any) -> None:
    """What is loaded by now stays shared with the worker's processes: no collection touches it."""
    gc.collect()
    gc.freeze()
