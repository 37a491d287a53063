"""Evidence is filed: a file is kept under a name of our own, and goes with its row."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from django.db import transaction

from releasemgr.workflow.edit import create, remove
from releasemgr.workflow.locks import lock, one_transaction
from releasemgr.workflow.refusals import TransitionRefused
from releasemgr.workflow.rules import Blocker
from trains import rules

if TYPE_CHECKING:
    from pathlib import Path

    from django.core.files.uploadedfile import UploadedFile

    from releasemgr.accounts.models import User
    from trains.models import Evidence

MOST_PIECES = 30


def add_evidence(evidence: Evidence, file: UploadedFile[bytes] | None, *, by: User) -> Evidence:
    """File a note, a link, a file. Raises ``TransitionRefused``; then nothing is kept."""
    kept = _keep(evidence, file) if file is not None else None
    try:
        return _file(evidence, by)
    except BaseException:
        if kept is not None:
            kept.unlink(missing_ok=True)
        raise


def _file(evidence: Evidence, by: User) -> Evidence:
    with one_transaction(evidence.criterion):
        criterion = lock(evidence.criterion)
        found = list(rules.gate_is_ahead.check(criterion))
        if criterion.filed.count() >= MOST_PIECES:
            found.append(
                Blocker(
                    f"“{criterion}” has {MOST_PIECES} pieces of evidence",
                    needed="Fewer, so that somebody can look through them.",
                    now="Remove one that is out of date first.",
                    action="Open the criterion",
                    url=criterion.get_absolute_url(),
                )
            )
        if found:
            raise TransitionRefused(*found)
        evidence.criterion, evidence.added_by = criterion, by
        return create(evidence, by=by, reason=f"Evidence for “{criterion}”")


def remove_evidence(evidence: Evidence, *, by: User) -> None:
    """Take it away with its file; its history stays. Raises ``TransitionRefused``."""
    with transaction.atomic():
        lock(evidence.criterion)
        remove(evidence, by=by, allowed=lambda row: rules.gate_is_ahead.check(row.criterion))
        if evidence.stored_as:
            path = evidence.file
            transaction.on_commit(lambda: path.unlink(missing_ok=True))


def _keep(evidence: Evidence, file: UploadedFile[bytes]) -> Path:
    """Write the file where nobody else's name or suffix counts, and note what it is."""
    evidence.stored_as, digest = uuid.uuid4().hex, hashlib.sha256()
    path = evidence.file
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("wb") as kept:
        for chunk in file.chunks():
            digest.update(chunk)
            kept.write(chunk)
    evidence.name = "".join(c if c.isprintable() else "?" for c in file.name or "file")[:255]
    evidence.size, evidence.sha256 = file.size or 0, digest.hexdigest()
    return path
