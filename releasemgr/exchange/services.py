"""What becomes of a file that somebody brought: kept, checked, imported, forgotten."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from releasemgr.exchange.comparison import compare
from releasemgr.exchange.models import Upload, UploadState
from releasemgr.exchange.reader import FileRefused, read
from releasemgr.exchange.write import take
from releasemgr.workflow.locks import one_transaction
from releasemgr.workflow.perform import dispatch_on_commit
from releasemgr.workflow.refusals import TransitionRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from django.core.files.uploadedfile import UploadedFile

    from releasemgr.accounts.models import User
    from releasemgr.exchange.comparison import Plan

logger = logging.getLogger(__name__)

CHECK, IMPORT = "releasemgr.exchange.tasks.check_upload", "releasemgr.exchange.tasks.import_upload"
HINTS: dict[str, str] = {UploadState.CHECKING: CHECK, UploadState.IMPORTING: IMPORT}
#: A hint that no worker took up for so long is sent again.
REMIND_SECONDS = 10
#: So many files of one person wait at most; with the next one the oldest is forgotten.
MOST_WAITING = 10


class NotNow(Exception):
    """The file has moved on since the page was made."""


def receive(file: UploadedFile[bytes], *, by: User) -> Upload:
    """Keep a file under a name of our own and have it checked by a worker."""
    folder = settings.VAR_DIR / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, digest = folder / f"{uuid.uuid4().hex}.json", hashlib.sha256()
    with path.open("wb") as kept:
        for chunk in file.chunks():
            digest.update(chunk)
            kept.write(chunk)
    with transaction.atomic():
        upload = Upload.objects.create(
            name=_printable(file.name or "file"),
            path=str(path),
            size=file.size or 0,
            sha256=digest.hexdigest(),
            uploaded_by=by,
        )
        dispatch_on_commit(CHECK, upload.pk)
    _forget_what_waits_long(by)
    return upload


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[:255]


def _forget_what_waits_long(by: User) -> None:
    states = [UploadState.CHECKING, UploadState.CHECKED]
    waiting = Upload.objects.filter(uploaded_by=by, state__in=states).order_by("-pk")
    for upload in waiting[MOST_WAITING:]:
        _refuse(upload, upload.state, "It waited too long: later files took its place.")


def check(pk: int) -> None:
    """Read a file and say what an import would do; harmless where that is known already."""
    upload = Upload.objects.filter(pk=pk, state=UploadState.CHECKING).first()
    if upload is None:
        return
    progress = _progress_of(upload)
    try:
        progress(10, "Reading the file")
        data = read(_path(upload), max_bytes=settings.UPLOAD_MAX_BYTES)
        progress(50, "Comparing with what is here")
        plan = compare(data)
    except FileRefused as refused:
        _refuse(upload, UploadState.CHECKING, str(refused))
        return
    _move(
        upload,
        UploadState.CHECKING,
        UploadState.CHECKED,
        dataset=plan.dataset,
        report=plan.report.as_json(),
    )


def ask_for_import(upload: Upload, *, by: User, version: int | None) -> None:
    """Have a checked file imported by a worker. Raises ``NotNow``."""
    with transaction.atomic():
        if version is not None and version != upload.version:
            raise NotNow
        if not _move(upload, UploadState.CHECKED, UploadState.IMPORTING, imported_by=by):
            raise NotNow
        dispatch_on_commit(IMPORT, upload.pk)


def ask_again(upload: Upload) -> None:
    """Send the hint to a worker once more. Raises ``NotNow`` where nothing is under way."""
    if not upload.is_busy:
        raise NotNow
    with transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(since=timezone.now())
        dispatch_on_commit(HINTS[upload.state], upload.pk)


def remind_workers() -> None:
    """Send the hints of files that nobody has begun with again: a message may be lost.

    One that a worker has begun with is left to it, or to a person who asks again.
    """
    late = timezone.now() - dt.timedelta(seconds=REMIND_SECONDS)
    for upload in Upload.objects.filter(state__in=HINTS, since__lt=late):
        if not _is_begun(upload):
            ask_again(upload)


def _is_begun(upload: Upload) -> bool:
    """Whether a worker has said anything since the hint was sent."""
    path = upload.progress_path
    return path.exists() and path.stat().st_mtime >= upload.since.timestamp()


def carry_out(pk: int) -> None:
    """Import a file whole, or not at all; harmless where it has been imported already."""
    upload = Upload.objects.filter(pk=pk, state=UploadState.IMPORTING).first()
    if upload is None:
        return
    try:
        data = read(_path(upload), max_bytes=settings.UPLOAD_MAX_BYTES)
        with transaction.atomic():
            # Held until the end: of two workers with the same hint, one finds nothing to do.
            upload = Upload.objects.select_for_update().get(pk=pk)
            if upload.state != UploadState.IMPORTING or upload.imported_by is None:
                return
            plan = take(
                data,
                by=upload.imported_by,
                reason=reason_for(upload.name),
                progress=_progress_of(upload),
            )
            _move(
                upload,
                UploadState.IMPORTING,
                UploadState.IMPORTED,
                report=plan.report.as_json(),
            )
    except (FileRefused, TransitionRefused) as refused:
        _refuse(upload, UploadState.IMPORTING, str(refused))
    except IntegrityError:
        logger.exception("Import %s met a row of somebody else", pk)
        said = "Somebody changed the same data meanwhile. Upload the file again."
        _refuse(upload, UploadState.IMPORTING, said)
    except DatabaseError:
        # A lock that somebody else holds: the file stays, and a person may try again.
        logger.exception("Import %s could not be written now", pk)
    else:
        _forget_file(upload)


def reason_for(name: str) -> str:
    """What the history says of every row that an import wrote."""
    return f"Imported from {name}"


def import_file(
    path: Path, *, by: User, max_bytes: int, rehearse: bool, progress: Callable[[int, str], None]
) -> Plan:
    """Import a file at once. ``rehearse`` does all of it and takes it back in the end.

    Raises ``FileRefused`` or ``TransitionRefused``; then nothing was written.
    """
    data = read(path, max_bytes=max_bytes)
    with one_transaction(data["dataset"]):
        plan = take(data, by=by, reason=reason_for(path.name), progress=progress)
        transaction.set_rollback(rehearse)
    return plan


def _path(upload: Upload) -> Path:
    return upload.progress_path.with_suffix(".json")


def _progress_of(upload: Upload) -> Callable[[int, str], None]:
    def say(percent: int, words: str) -> None:
        part = upload.progress_path.with_suffix(".part")
        part.write_text(json.dumps([percent, words]))
        part.replace(upload.progress_path)

    return say


def _move(upload: Upload, source: str, target: str, **facts: Any) -> bool:
    """Set the next state where nobody has moved it on; say whether that was so."""
    moved = Upload.objects.filter(pk=upload.pk, state=source).update(
        state=target, since=timezone.now(), version=F("version") + 1, **facts
    )
    return bool(moved)


def _refuse(upload: Upload, source: str, problem: str) -> None:
    if _move(upload, source, UploadState.REFUSED, problem=problem):
        _forget_file(upload)


def _forget_file(upload: Upload) -> None:
    _path(upload).unlink(missing_ok=True)
    upload.progress_path.unlink(missing_ok=True)
