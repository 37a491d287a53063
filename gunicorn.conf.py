"""How gunicorn serves us; it reads this file by itself: ``gunicorn releasemgr.wsgi``."""

import gc
from typing import Any

from releasemgr import settings

bind = f"{settings.BIND_ADDRESS}:{settings.PORT}"
worker_class = "gthread"
workers = settings.WEB_PROCESSES
threads = settings.WEB_THREADS
max_requests = 10_000
max_requests_jitter = 1_000
graceful_timeout = 15
loglevel = "warning"
control_socket_disable = True
# Loaded once, before the processes part: what they only read they share, which saves memory.
preload_app = True
# TrustedProxyMiddleware is the one place that decides whose X-Forwarded-* headers count.
forwarded_allow_ips = ""


def pre_fork(server: Any, worker: Any) -> None:
    """Load what every request needs, then keep the collector from writing on what is shared.

    Each page of memory that is written on is copied.
    """
    from django.template.loader import get_template  # noqa: PLC0415 -- Django is set up only now
    from django.urls import reverse  # noqa: PLC0415

    from releasemgr.celery import app  # noqa: PLC0415

    reverse("login")  # looks through all addresses, and so loads all views
    for name in ("accounts/login.html", "base.html"):
        get_template(name)
    app.amqp  # noqa: B018 -- what makes a message
    app.connection_for_write().get_transport_cls()  # and what takes it to the broker
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Let pages that are looked on with go as soon as the process is asked to stop."""
    from turnovers import watching  # noqa: PLC0415 -- Django is set up only now

    watching.is_leaving = lambda: not worker.alive
