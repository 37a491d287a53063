"""An AWX job template (also of Ansible Automation Platform), by the REST API: launch, follow."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django import forms

from turnovers.executors.elsewhere import (
    KEY_HELP,
    Build,
    Elsewhere,
    ElsewhereForm,
    NothingStarted,
    NotKnown,
    Reading,
    Refused,
    Session,
    parsed,
    said,
    token_of,
    variables_of,
)
from turnovers.executors.jenkins import checked_name
from turnovers.executors.outbound import MOST_ANSWER, NotCalled, Unclear

if TYPE_CHECKING:
    from turnovers.executors.base import TaskContext

OVER = frozenset({"successful", "failed", "error", "canceled"})
#: A job is described at length: more of them would not fit into an answer.
JOBS_A_PAGE, MOST_PAGES = 5, 4


class AwxForm(ElsewhereForm):
    """The job template and its variables."""

    template = forms.IntegerField(
        label="Job template", min_value=1, help_text="Its number, as its address shows."
    )
    key_name = forms.CharField(
        label="Variable for the key",
        required=False,
        max_length=100,
        initial="rm_key",
        help_text=f"{KEY_HELP} The template must prompt for variables on launch.",
    )

    field_order = ("url", "template", "variables", "secret", "key_name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["variables"].label = "Extra variables"

    def clean_key_name(self) -> str:
        return checked_name(self.cleaned_data["key_name"])


class Awx(Elsewhere):
    """Launches a job template; only the status "successful" is a success."""

    key = "awx"
    name = "AWX job template"
    icon = "server"
    noun = "job"
    form = AwxForm

    def summary(self, parameters: dict[str, Any]) -> str:
        return f"AWX job template {parameters.get('template', '')}".strip()

    def open(self, context: TaskContext) -> Session:
        return Session(
            context,
            context.parameters["url"],
            {"Authorization": f"Bearer {token_of(context)}"},
        )

    def find(self, session: Session) -> Build | None:
        name = session.context.parameters.get("key_name", "")
        for page in range(1, MOST_PAGES + 1) if name else ():
            query = f"order_by=-id&page_size={JOBS_A_PAGE}&page={page}"
            found = session.json(f"{_template(session)}/jobs/?{query}")
            for job in found.get("results", []):
                if _variables(job).get(name) == session.context.key:
                    return _job(session, job["id"])
            if not found.get("next"):
                return None
        return None

    def start(self, session: Session) -> Build:
        given = variables_of(session.context)
        name = session.context.parameters.get("key_name", "")
        takes = self._takes_variables(session)
        if given and not takes:
            raise NothingStarted("The job template does not prompt for variables on launch.")
        if name and takes:
            given[name] = session.context.key
        body = json.dumps({"extra_vars": given} if given else {}).encode()
        headers = {"Content-Type": "application/json"}
        answer = session.start(f"{_template(session)}/launch/", headers, body)
        if answer.status != HTTPStatus.CREATED:
            raise NothingStarted(said(answer))
        try:
            found = parsed(answer)
            return _job(session, found.get("job") or found["id"])
        except (Unclear, KeyError, TypeError, ValueError) as error:
            raise NotKnown("It was launched, and AWX did not say which job it is.") from error

    def _takes_variables(self, session: Session) -> bool:
        """Asked before: what a template does not prompt for is left out in silence."""
        try:
            asks = session.json(f"{_template(session)}/launch/")
        except (NotCalled, Unclear, Refused) as error:
            raise NothingStarted(str(error)) from error
        return bool(asks.get("ask_variables_on_launch") or asks.get("survey_enabled"))

    def read(self, session: Session, build: Build) -> Reading:
        job = session.json(build.address)
        status = str(job.get("status") or "new")
        if status not in OVER:
            return Reading(build, status)
        self._show_output(session, build)
        if words := job.get("job_explanation"):
            session.write(f"{words}\n")
        return Reading(build, status, is_over=True, succeeded=status == "successful")

    def _show_output(self, session: Session, build: Build) -> None:
        try:
            answer = session.get(f"{build.address}stdout/?format=txt")
        except (NotCalled, Unclear):
            return
        if answer.status == HTTPStatus.OK:
            session.write(answer.text)
            if len(answer.body) >= MOST_ANSWER:
                session.write(f"\nThe rest of the output is at {build.link}\n")


def _template(session: Session) -> str:
    return f"/api/v2/job_templates/{int(session.context.parameters['template'])}"


def _job(session: Session, number: Any) -> Build:
    job = int(number)
    return Build(f"/api/v2/jobs/{job}/", f"{session.base}/#/jobs/playbook/{job}")


def _variables(job: dict[str, Any]) -> dict[str, Any]:
    """A job keeps its variables as a text of JSON."""
    try:
        found = json.loads(job.get("extra_vars") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
