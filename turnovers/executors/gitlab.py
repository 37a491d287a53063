"""A GitLab pipeline, by the REST API: create it with variables and follow it."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

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
    part,
    said,
    token_of,
    variables_of,
)
from turnovers.executors.jenkins import checked_name
from turnovers.executors.outbound import NotCalled, Unclear
from turnovers.executors.values import WORDS, only_known_values, put_in

if TYPE_CHECKING:
    from turnovers.executors.base import TaskContext

#: The states of a pipeline that nothing follows by itself; "manual" waits for a person.
OVER = frozenset({"success", "failed", "canceled", "skipped"})
#: How many of the latest pipelines are looked at for our key; each is asked for its variables.
LATEST = 20
JOBS_SHOWN = 20


class GitLabForm(ElsewhereForm):
    """The project, on which branch or tag, with which variables."""

    project = forms.CharField(max_length=300, help_text="Its path, such as shop/api, or number.")
    ref = forms.CharField(label="Branch or tag", max_length=200, initial="main", help_text=WORDS)
    key_name = forms.CharField(
        label="Variable for the key",
        required=False,
        max_length=100,
        initial="RM_KEY",
        help_text=KEY_HELP,
    )

    field_order = ("url", "project", "ref", "variables", "secret", "key_name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["url"].initial = "https://gitlab.com"
        self.fields["variables"].label = "Variables"

    def clean_ref(self) -> str:
        ref: str = self.cleaned_data["ref"]
        only_known_values(ref)
        return ref

    def clean_key_name(self) -> str:
        return checked_name(self.cleaned_data["key_name"])


class GitLab(Elsewhere):
    """Creates a pipeline; only the status "success" is a success."""

    key = "gitlab"
    name = "GitLab pipeline"
    icon = "workflow"
    noun = "pipeline"
    form = GitLabForm

    def summary(self, parameters: dict[str, Any]) -> str:
        return f"Pipeline of {parameters.get('project', '')} on {parameters.get('ref', '')}"

    def open(self, context: TaskContext) -> Session:
        return Session(context, context.parameters["url"], {"PRIVATE-TOKEN": token_of(context)})

    def find(self, session: Session) -> Build | None:
        name = session.context.parameters.get("key_name", "")
        if not name:
            return None
        query = {
            "ref": _ref(session),
            "source": "api",
            "order_by": "id",
            "sort": "desc",
            "per_page": LATEST,
        }
        for pipeline in session.json(f"{_project(session)}/pipelines?{urlencode(query)}"):
            build = _pipeline(session, pipeline)
            variables = session.json(f"{build.address}/variables")
            if any(v["key"] == name and v["value"] == session.context.key for v in variables):
                return build
        return None

    def start(self, session: Session) -> Build:
        name = session.context.parameters.get("key_name", "")
        given = variables_of(session.context, name)
        order = {
            "ref": _ref(session),
            "variables": [{"key": key, "value": value} for key, value in given.items()],
        }
        headers = {"Content-Type": "application/json"}
        body = json.dumps(order).encode()
        answer = session.start(f"{_project(session)}/pipeline", headers, body)
        if answer.status != HTTPStatus.CREATED:
            raise NothingStarted(said(answer))
        try:
            return _pipeline(session, parsed(answer))
        except (Unclear, KeyError, TypeError, ValueError) as error:
            raise NotKnown("It was created, and GitLab did not say which it is.") from error

    def read(self, session: Session, build: Build) -> Reading:
        status = str(session.json(build.address).get("status") or "created")
        if status not in OVER:
            return Reading(build, status)
        self._show_jobs(session, build)
        return Reading(build, status, is_over=True, succeeded=status == "success")

    def _show_jobs(self, session: Session, build: Build) -> None:
        try:
            jobs = session.json(f"{build.address}/jobs?per_page={JOBS_SHOWN}")
        except (NotCalled, Unclear, Refused):
            return
        for job in jobs:
            session.write(
                f"{job.get('stage')} {job.get('name')}: {job.get('status')} "
                f"{job.get('web_url', '')}\n"
            )


def _ref(session: Session) -> str:
    return put_in(session.context.parameters.get("ref") or "main", session.context.variables)


def _project(session: Session) -> str:
    return f"/api/v4/projects/{part(session.context.parameters['project'])}"


def _pipeline(session: Session, found: dict[str, Any]) -> Build:
    address = f"{_project(session)}/pipelines/{int(found['id'])}"
    return Build(address, str(found.get("web_url") or f"{session.base}{address}"))
