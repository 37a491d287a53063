"""Release trains, their gates and milestones, and the application releases that ride them."""

from trains.models.catalogue import Application, ReleaseType, Team
from trains.models.checks import CheckResult, Watch
from trains.models.evidence import Evidence
from trains.models.freezes import Freeze
from trains.models.gates import Criterion, Gate
from trains.models.library import LibraryCriterion
from trains.models.milestones import Milestone
from trains.models.planning import (
    Cadence,
    CadenceTrain,
    Calendar,
    Holiday,
    Template,
    TemplateVersion,
)
from trains.models.plans import PlanContent, PlanVersion
from trains.models.releases import ApplicationRelease, Boarding, Dependency, WorkItem
from trains.models.trains import Reservation, Train, TrainEngineer
from trains.models.waivers import Waiver

__all__ = [
    "Application",
    "ApplicationRelease",
    "Boarding",
    "Cadence",
    "CadenceTrain",
    "Calendar",
    "CheckResult",
    "Criterion",
    "Dependency",
    "Evidence",
    "Freeze",
    "Gate",
    "Holiday",
    "LibraryCriterion",
    "Milestone",
    "PlanContent",
    "PlanVersion",
    "ReleaseType",
    "Reservation",
    "Team",
    "Template",
    "TemplateVersion",
    "Train",
    "TrainEngineer",
    "Waiver",
    "Watch",
    "WorkItem",
]
