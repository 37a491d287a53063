"""What a check found, in one line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """One thing that is not as it must be, and where to look."""

    what: str
    #: The table and key, as ``turnovers.taskrun 17``.
    where: str
    #: The page that shows it, without the host; empty where there is none.
    url: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}{f' {self.url}' if self.url else ''}"
