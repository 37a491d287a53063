"""The page of a run, what changes on it while it is on, and what is said around it and after it."""

from turnovers.views.runs.after import (
    action_done,
    action_edit,
    action_new,
    run_review,
    run_text,
    task_log,
)
from turnovers.views.runs.page import run_events, run_live, run_page, run_say

__all__ = [
    "action_done",
    "action_edit",
    "action_new",
    "run_events",
    "run_live",
    "run_page",
    "run_review",
    "run_say",
    "run_text",
    "task_log",
]
