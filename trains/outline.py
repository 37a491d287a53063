"""A train's plan without its dates: what templates keep, copies carry and release types begin with.

Days are working days after the train's start.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

#: How long the four stages take in working days where nothing else is said: ten weeks in all.
USUAL_LENGTHS = (10, 25, 10, 5)
#: What a criterion that is checked by itself is asked, and when: the fields of it and its copies.
CHECK_FIELDS = ("checked_by", "parameters", "check_every", "good_for", "green_for")


@dataclass(frozen=True)
class CriterionOutline:
    """An exit criterion to be; ``days`` only where it has a date of its own.

    What checked it before is asked again; what that found, and what people said, stays behind.
    """

    stage: str
    title: str
    description: str = ""
    owner: int | None = None
    days: int | None = None
    environment: int | None = None
    checked_by: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    check_every: int = 15
    good_for: int = 60
    green_for: int = 0

    @property
    def check(self) -> dict[str, Any]:
        """What finds out whether it is true, as fields of a criterion."""
        return {name: getattr(self, name) for name in CHECK_FIELDS}


@dataclass(frozen=True)
class FreezeOutline:
    """A freeze of the train to be, which begins with a milestone; without ``seconds`` until lifted.

    Exceptions from it stay behind: they were granted to other work.
    """

    name: str
    stops: str
    reason: str = ""
    seconds: int | None = None
    team: int | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True)
class MilestoneOutline:
    """A milestone to be, and the freezes that begin with it."""

    title: str
    days: int
    owner: int | None = None
    same_role: bool = False
    for_all: bool = False
    freezes: tuple[FreezeOutline, ...] = ()

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> MilestoneOutline:
        freezes = tuple(FreezeOutline(**one) for one in content.get("freezes", ()))
        return cls(**{**content, "freezes": freezes})


@dataclass(frozen=True)
class LevelOutline:
    """Who decides on one level: each of the people, and so many of each group, by their keys."""

    name: str = ""
    people: tuple[int, ...] = ()
    groups: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Outline:
    """All that a new train can begin with besides its name, its start and its people."""

    lengths: tuple[int, int, int, int] = USUAL_LENGTHS
    needs: dict[str, bool] = field(default_factory=dict)
    levels: dict[str, tuple[LevelOutline, ...]] = field(default_factory=dict)
    #: The approvals for which overrides are allowed.
    overrides: tuple[str, ...] = ()
    gates: dict[str, int] = field(default_factory=dict)
    criteria: tuple[CriterionOutline, ...] = ()
    milestones: tuple[MilestoneOutline, ...] = ()

    def titles(self, stage: str) -> list[str]:
        """The criteria of one gate, by their titles."""
        return [criterion.title for criterion in self.criteria if criterion.stage == stage]

    def to_json(self) -> dict[str, Any]:
        """As a version of a template stores it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Outline:
        """What ``to_json`` wrote, also before there was as much to say as there is now."""
        first, second, third, fourth = content["lengths"]
        return cls(
            lengths=(first, second, third, fourth),
            needs=dict(content["needs"]),
            levels={
                which: tuple(
                    LevelOutline(
                        level["name"],
                        tuple(level["people"]),
                        tuple((group, needed) for group, needed in level["groups"]),
                    )
                    for level in levels
                )
                for which, levels in content["levels"].items()
            },
            overrides=tuple(content.get("overrides", ())),
            gates=dict(content["gates"]),
            criteria=tuple(CriterionOutline(**one) for one in content["criteria"]),
            milestones=tuple(MilestoneOutline.from_json(one) for one in content["milestones"]),
        )
