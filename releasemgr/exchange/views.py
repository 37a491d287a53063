"""Bringing release data in, and taking them out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from releasemgr.exchange import services
from releasemgr.exchange.comparison import CHANGE, CREATE, SKIP, UNCHANGED
from releasemgr.exchange.export import export as export_text
from releasemgr.exchange.forms import UploadForm
from releasemgr.exchange.models import Dataset, Upload
from releasemgr.http import number
from releasemgr.ui.edit_pages import see_other
from releasemgr.ui.paging import paginate

if TYPE_CHECKING:
    from django.http import HttpResponse

    from releasemgr.http import UserRequest

ACTIONS = (CREATE, CHANGE, UNCHANGED, SKIP)
#: The tabs of a report: what they list.
TABS = {
    "counts": "All",
    CREATE: "New",
    CHANGE: "Changed",
    SKIP: "Left out",
    "notes": "Remarks",
    "kept": "Kept as it is",
}

may_import = permission_required("exchange.import_data", raise_exception=True)
may_export = permission_required("exchange.export_data", raise_exception=True)


@login_required
@may_import
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: UserRequest) -> HttpResponse:
    """Bring a file; and what became of earlier ones."""
    if request.method == "POST":
        sent = request.META.get("CONTENT_LENGTH") or "0"
        form = UploadForm(request.POST, request.FILES, sent=int(sent[:12]))
        if form.is_valid():
            upload = services.receive(form.cleaned_data["file"], by=request.user)
            return see_other(upload.get_absolute_url())
        return _new_page(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _new_page(request, UploadForm(), HTTPStatus.OK)


def _new_page(request: UserRequest, form: UploadForm, status: HTTPStatus) -> HttpResponse:
    earlier = Upload.objects.select_related("uploaded_by").defer("report")
    context = {"form": form, "page": paginate(earlier, request.GET.get("page"))}
    return render(request, "exchange/new.html", context, status=status)


@login_required
@may_import
@require_safe
def upload(request: UserRequest, pk: int) -> HttpResponse:
    """One file: how far it is, what an import would do or has done, or why it was refused."""
    row = get_object_or_404(Upload.objects.select_related("uploaded_by", "imported_by"), pk=pk)
    return _upload_page(request, row, HTTPStatus.OK)


def _upload_page(
    request: UserRequest, row: Upload, status: HTTPStatus, refusal: str = ""
) -> HttpResponse:
    tab = request.GET.get("show", "")
    tab = tab if tab in TABS else "counts"
    report: dict[str, Any] = row.report or {}
    counts = [
        (label, [numbers.get(action, 0) for action in ACTIONS])
        for label, numbers in report.get("counts", [])
        if any(numbers.values())
    ]
    totals = {action: sum(n[i] for _, n in counts) for i, action in enumerate(ACTIONS)}
    sizes = totals | {"notes": len(report.get("notes", [])), "kept": len(report.get("kept", []))}
    context = {
        "upload": row,
        "crumbs": [("Import", "/import/"), (row.name, "")],
        "counts": counts,
        "totals": [totals[action] for action in ACTIONS],
        "writes": totals[CREATE] + totals[CHANGE],
        "report": report,
        "tab": tab,
        "tabs": [
            {
                "label": label,
                "url": f"?show={name}",
                "current": name == tab,
                "count": sizes.get(name),
            }
            for name, label in TABS.items()
            if name == "counts" or sizes.get(name)
        ],
        "page": paginate(_lines(report, tab), request.GET.get("page")),
        "refusal": refusal,
    }
    return render(request, "exchange/upload.html", context, status=status)


def _lines(report: dict[str, Any], tab: str) -> Any:
    """What a tab lists, in the file's order."""
    if tab in {"notes", "kept"}:
        return report.get(tab, [])
    return [line for line in report.get("lines", []) if line[1] == tab]


@login_required
@may_import
@require_POST
def take(request: UserRequest, pk: int) -> HttpResponse:
    """Import a checked file."""
    row = get_object_or_404(Upload, pk=pk)
    try:
        services.ask_for_import(row, by=request.user, version=number(request.POST.get("version")))
    except services.NotNow:
        return _moved_on(request, pk)
    return see_other(row.get_absolute_url())


@login_required
@may_import
@require_POST
def again(request: UserRequest, pk: int) -> HttpResponse:
    """Ask the workers once more, where the message to them was lost."""
    row = get_object_or_404(Upload, pk=pk)
    try:
        services.ask_again(row)
    except services.NotNow:
        return _moved_on(request, pk)
    messages.success(request, "The workers were asked once more.")
    return see_other(row.get_absolute_url())


def _moved_on(request: UserRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Upload.objects.select_related("uploaded_by", "imported_by"), pk=pk)
    said = f"This file is “{row.status.label}” meanwhile. Nothing was done now."
    return _upload_page(request, row, HTTPStatus.CONFLICT, refusal=said)


@login_required
@may_export
@require_safe
def exports(request: UserRequest) -> HttpResponse:
    """The data sets that can be taken out."""
    page = paginate(Dataset.objects.defer("kept"), request.GET.get("page"))
    return render(request, "exchange/exports.html", {"page": page})


@login_required
@may_export
@require_safe
def download(request: UserRequest, pk: int) -> StreamingHttpResponse:
    """One data set, as a file in the exchange format."""
    dataset = get_object_or_404(Dataset, pk=pk)
    response = StreamingHttpResponse(export_text(dataset), content_type="application/json")
    name = slugify(dataset.name) or f"data-set-{dataset.pk}"
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return response
