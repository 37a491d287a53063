"""Pages of a list without an exact COUNT, which grows dear with years of data in a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import QuerySet

Row = TypeVar("Row")

PAGE_SIZE = 50
#: Deep offsets are dear and nobody reads them: whoever is on page 2,000 wants a filter.
LAST_PAGE = 2000


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list; it knows whether another follows, not how many there are."""

    rows: Sequence[Row]
    number: int
    has_next: bool
    size: int = PAGE_SIZE

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def next_number(self) -> int:
        return self.number + 1

    @property
    def previous_number(self) -> int:
        return self.number - 1

    @property
    def first_row(self) -> int:
        """The number, in the whole list, of the first row on this page."""
        return (self.number - 1) * self.size + 1

    @property
    def last_row(self) -> int:
        """The number, in the whole list, of the last row on this page."""
        return self.first_row + len(self.rows) - 1


def page_number(text: str | None) -> int:
    """Read a page number from an address; whatever is not one means the first page."""
    digits = text or ""
    if not (digits.isascii() and digits.isdigit()):
        return 1
    # A longer number is beyond the last page anyhow, and int() refuses giant ones.
    return min(max(int(digits[:9]), 1), LAST_PAGE)


def paginate(rows: QuerySet[Row], number: str | None, size: int = PAGE_SIZE) -> Page[Row]:  # type: ignore[type-var]
    """Fetch one page, and one row more to know whether another follows."""
    page = page_number(number)
    start = (page - 1) * size
    fetched = list(rows[start : start + size + 1])
    return Page(fetched[:size], page, has_next=len(fetched) > size and page < LAST_PAGE, size=size)
