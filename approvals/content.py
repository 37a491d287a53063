"""What an approval is bound to: canonical content, its digest, and the difference in words."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """One field of the content that is no longer as it was."""

    label: str
    before: str
    after: str

    @property
    def sentence(self) -> str:
        if not self.before:
            return f"{self.label}: “{self.after}” was added"
        if not self.after:
            return f"{self.label}: “{self.before}” was removed"
        return f"{self.label}: “{self.before}” became “{self.after}”"


def digest(content: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of ``content``, as 64 hexadecimal digits."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """What changed, label by label; a list's items are told one by one."""
    changes = []
    for label in dict.fromkeys([*before, *after]):
        old, new = before.get(label, ""), after.get(label, "")
        if old == new:
            continue
        if isinstance(old, list) or isinstance(new, list):
            olds, news = list(old or []), list(new or [])
            changes += [Change(label, str(item), "") for item in olds if item not in news]
            changes += [Change(label, "", str(item)) for item in news if item not in olds]
            if sorted(map(str, olds)) == sorted(map(str, news)):
                changes.append(Change(label, "; ".join(olds), "; ".join(news)))
        else:
            changes.append(Change(label, str(old), str(new)))
    return changes
