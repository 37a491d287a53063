"""The status page: what answers, what runs, and what has come to a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.db import connection
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from releasemgr.operations import counters, health
from releasemgr.ui.paging import paginate
from releasemgr.version import VERSION
from turnovers.models import TaskRun, Turnover

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest

#: Word of a part -> tone and glyph.
LOOKS = {
    "ok": ("ok", "done"),
    "not seen": ("warn", "warn"),
    "not known": ("warn", "warn"),
    "silent": ("bad", "fail"),
    "no answer": ("bad", "fail"),
    "full": ("bad", "fail"),
}


@login_required
@require_safe
def status(request: UserRequest) -> HttpResponse:
    """How everything is; it asks again by itself where scripts run."""
    parts = health.parts()
    tasks: Any = TaskRun.objects.visible_to(request.user).stopped_short()
    due: Any = Turnover.objects.visible_to(request.user).due().by_window()
    context = {
        "now": timezone.now(),
        "version": VERSION,
        "vendor": connection.vendor,
        "parts": [(part, *LOOKS[part.word]) for part in parts],
        "is_ready": health.is_ready(parts),
        "beats": health.heartbeats(),
        "counters": counters.counters(),
        "page": paginate(tasks, request.GET.get("page")),
        "due": due.select_related("environment")[:20],
    }
    is_live = request.headers.get("HX-Request")
    template = "operations/_status.html" if is_live else "operations/status.html"
    return render(request, template, context)
