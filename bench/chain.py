"""The bare Celery chain that the engine is measured against: with results, and without a promise.

An application of its own, on the same broker: ``celery -A bench.chain worker``. A database of
results is Redis where the broker is, else files.
"""

from __future__ import annotations

import http.client
import os
from pathlib import Path

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "releasemgr.settings")

# Not the current one: hints of the engine, measured in the same process, go to the application's.
app = Celery("bench.chain", broker=settings.CELERY_BROKER_URL, set_as_current=False)
if settings.CELERY_BROKER_URL.startswith("redis"):
    app.conf.result_backend = settings.CELERY_BROKER_URL
else:
    results = Path(settings.VAR_DIR) / "results"
    results.mkdir(exist_ok=True)
    app.conf.result_backend = f"file://{results}"
app.conf.update(
    broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
    task_default_queue="bare",
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
)


@app.task
def nothing() -> None:
    """A step without a history or a promise."""


@app.task
def post(host: str, path: str) -> int:
    """The same with a call to the outside."""
    connection = http.client.HTTPConnection(host, timeout=10)
    headers = {"Idempotency-Key": path, "X-Fence": "1", "X-Attempt": "1"}
    connection.request("POST", path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status
