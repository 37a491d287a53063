"""What the pages and steps of turnovers, tasks and holds ask for."""

from turnovers.forms.exceptions import ExceptionForm
from turnovers.forms.holds import HoldForm
from turnovers.forms.plans import ContentForm, NewTurnoverForm, TaskForm, TurnoverForm
from turnovers.forms.retry import RetryForm
from turnovers.forms.review import ReviewActionForm
from turnovers.forms.steps import ExtendForm, PromoteForm, TaskDoneForm, VerdictForm

__all__ = [
    "ContentForm",
    "ExceptionForm",
    "ExtendForm",
    "HoldForm",
    "NewTurnoverForm",
    "PromoteForm",
    "RetryForm",
    "ReviewActionForm",
    "TaskDoneForm",
    "TaskForm",
    "TurnoverForm",
    "VerdictForm",
]
