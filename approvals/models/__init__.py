"""Approval sheets: who is asked, what they said, and what is still to be done about it."""

from approvals.models.conditions import Condition, ConditionState
from approvals.models.decisions import Decision
from approvals.models.levels import Level, Rule
from approvals.models.policies import DEFAULT_LEVELS, MOST_LEVELS, Part, Policy, default_parts
from approvals.models.progress import LevelProgress, RuleProgress
from approvals.models.sheet import SignoffState
from approvals.models.signoffs import Signoff

__all__ = [
    "DEFAULT_LEVELS",
    "MOST_LEVELS",
    "Condition",
    "ConditionState",
    "Decision",
    "Level",
    "LevelProgress",
    "Part",
    "Policy",
    "Rule",
    "RuleProgress",
    "Signoff",
    "SignoffState",
    "default_parts",
]
