"""What trains and what rides them ask for. Step forms are named by their path in this package."""

from trains.forms.steps import EvidenceForm, PostponeForm

__all__ = ["EvidenceForm", "PostponeForm"]
