"""Evidence for criteria: filed, downloaded, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_safe

from releasemgr.ui.edit_pages import edit_page, remove_page
from trains import rules
from trains.filing import add_evidence, remove_evidence
from trains.forms.evidence import FilingForm
from trains.http import crumbs, demand
from trains.models import Criterion, Evidence

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.accounts.models import User
    from releasemgr.http import UserRequest

EDIT_METHODS = ["GET", "HEAD", "POST"]


@login_required
@require_http_methods(EDIT_METHODS)
def evidence_new(request: UserRequest, pk: int) -> HttpResponse:
    """File a note, a link or a file for a criterion."""
    criteria: Any = Criterion.objects.visible_to(request.user).select_related("gate__train")
    criterion = get_object_or_404(criteria, pk=pk)
    demand(rules.may_decide_criterion, criterion, request.user)

    def save(form: FilingForm) -> Evidence:
        evidence: Evidence = form.instance
        return add_evidence(evidence, form.cleaned_data["file"], by=request.user)

    return edit_page(
        request,
        FilingForm,
        Evidence(criterion=criterion, added_by=request.user),
        title=f"Evidence for “{criterion}”",
        crumbs=_crumbs(criterion, "Evidence"),
        save=save,
        allowed=lambda row: rules.gate_is_ahead.check(row.criterion),
        back=criterion.get_absolute_url(),
        done=lambda row: row.criterion.get_absolute_url(),
        said="{row}: filed as evidence.",
        submit="File it",
    )


@login_required
@require_safe
def evidence_file(request: UserRequest, pk: int) -> FileResponse:
    """The file, to be kept and never to be shown by the browser, for whoever sees the criterion."""
    evidence = _evidence_or_404(request.user, pk)
    if not evidence.stored_as:
        raise Http404
    try:
        file = evidence.file.open("rb")
    except OSError:
        raise Http404("The file is not there any more.") from None
    return FileResponse(
        file,
        as_attachment=True,
        filename=evidence.name,
        content_type="application/octet-stream",
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-store",
        },
    )


@login_required
@require_http_methods(EDIT_METHODS)
def evidence_remove(request: UserRequest, pk: int) -> HttpResponse:
    """Take a piece of evidence away."""
    evidence = _evidence_or_404(request.user, pk)
    criterion = evidence.criterion
    demand(rules.may_decide_criterion, criterion, request.user)
    return remove_page(
        request,
        evidence,
        crumbs=_crumbs(criterion, "Remove"),
        back=criterion.get_absolute_url(),
        explains="Its file is deleted. The history keeps what it was, with your name.",
        allowed=lambda row: rules.gate_is_ahead.check(row.criterion),
        delete=lambda row: remove_evidence(row, by=request.user),
    )


def _evidence_or_404(user: User, pk: int) -> Evidence:
    criteria = Criterion.objects.visible_to(user)
    pieces = Evidence.objects.filter(criterion__in=criteria)
    evidence: Evidence = get_object_or_404(pieces.select_related("criterion__gate__train"), pk=pk)
    return evidence


def _crumbs(criterion: Criterion, here: str) -> list[tuple[str, str]]:
    train = criterion.gate.train
    return crumbs(train, ("Gates", train.tab_url("gates")), (here, ""))
