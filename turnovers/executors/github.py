"""A GitHub Actions workflow, by the REST API: dispatch it, find its run, follow it."""

from __future__ import annotations

import datetime as dt
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

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
from turnovers.executors.outbound import Answer, NotCalled, Unclear
from turnovers.executors.values import WORDS, only_known_values, put_in

if TYPE_CHECKING:
    from turnovers.executors.base import TaskContext

#: A run is described at length: more of them would not fit into an answer.
RUNS_A_PAGE, MOST_PAGES = 4, 8
JOBS_SHOWN = 8
#: Our clock and GitHub's may differ by so much, and a repeat looks back so far.
LOOKS_BACK = dt.timedelta(days=2)
PARTS_OF_A_REPOSITORY = 2


class GitHubForm(ElsewhereForm):
    """The workflow, on which branch or tag, with which inputs."""

    repository = forms.CharField(max_length=200, help_text="As owner/name.")
    workflow = forms.CharField(
        max_length=200, help_text="Its file name, such as deploy.yml; it needs workflow_dispatch."
    )
    ref = forms.CharField(label="Branch or tag", max_length=200, initial="main", help_text=WORDS)
    key_name = forms.CharField(
        label="Input for the key",
        required=False,
        max_length=100,
        help_text=f"{KEY_HELP} The workflow must declare it and show it in its run-name: by that "
        "an earlier run is found again.",
    )

    field_order = ("url", "repository", "workflow", "ref", "variables", "secret", "key_name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["url"].initial = "https://api.github.com"
        self.fields["variables"].label = "Inputs"

    def clean_repository(self) -> str:
        name: str = self.cleaned_data["repository"].strip("/")
        if len([piece for piece in name.split("/") if piece]) != PARTS_OF_A_REPOSITORY:
            raise ValidationError("Write it as owner/name.")
        return name

    def clean_ref(self) -> str:
        ref: str = self.cleaned_data["ref"]
        only_known_values(ref)
        return ref

    def clean_key_name(self) -> str:
        return checked_name(self.cleaned_data["key_name"])


class GitHub(Elsewhere):
    """Dispatches a workflow; only the conclusion "success" is a success."""

    key = "github"
    name = "GitHub Actions workflow"
    icon = "git-pull-request-arrow"
    noun = "run"
    form = GitHubForm

    def summary(self, parameters: dict[str, Any]) -> str:
        return f"{parameters.get('workflow', '')} of {parameters.get('repository', '')}"

    def open(self, context: TaskContext) -> Session:
        return Session(
            context,
            context.parameters["url"],
            {
                "Authorization": f"Bearer {token_of(context)}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )

    def find(self, session: Session) -> Build | None:
        """The newest run whose name shows our key."""
        if not session.context.parameters.get("key_name"):
            return None
        since = timezone.now() - LOOKS_BACK
        for page in range(1, MOST_PAGES + 1):
            query = {
                "event": "workflow_dispatch",
                "created": f">={since:%Y-%m-%dT%H:%M:%SZ}",
                "per_page": RUNS_A_PAGE,
                "page": page,
            }
            runs = session.json(f"{_workflow(session)}/runs?{urlencode(query)}")
            rows = runs.get("workflow_runs", [])
            for run in rows:
                if session.context.key in _words(str(run.get("display_title", ""))):
                    return _run(session, run["id"], str(run.get("html_url", "")))
            if len(rows) < RUNS_A_PAGE:
                return None
        return None

    def start(self, session: Session) -> Build:
        given = session.context.parameters
        order: dict[str, Any] = {
            "ref": put_in(given.get("ref") or "main", session.context.variables),
            "inputs": variables_of(session.context, given.get("key_name", "")),
        }
        answer = self._dispatch(session, order | {"return_run_details": True})
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and "return_run_details" in answer.text:
            # An older GitHub Enterprise Server, which refuses what it does not know.
            answer = self._dispatch(session, order)
        if answer.status == HTTPStatus.OK:
            return self._told(session, answer)
        if answer.status != HTTPStatus.NO_CONTENT:
            raise NothingStarted(said(answer))
        return self._sought(session)

    def _dispatch(self, session: Session, order: dict[str, Any]) -> Answer:
        headers = {"Content-Type": "application/json"}
        body = json.dumps(order).encode()
        return session.start(f"{_workflow(session)}/dispatches", headers, body)

    def _told(self, session: Session, answer: Answer) -> Build:
        try:
            run = parsed(answer)
            return _run(session, run["workflow_run_id"], str(run.get("html_url", "")))
        except (Unclear, KeyError, TypeError, ValueError) as error:
            raise NotKnown("It was dispatched, and GitHub did not say which run it is.") from error

    def _sought(self, session: Session) -> Build:
        """It was dispatched without a word about its run, which appears a little later."""
        while session.context.parameters.get("key_name"):
            session.wait(self.poll_seconds)
            try:
                build = self.find(session)
            except (NotCalled, Unclear, Refused):
                continue
            if build is not None:
                return build
        raise NotKnown(
            "It was dispatched, and this GitHub does not say which run it is: name an input for "
            "the key."
        )

    def read(self, session: Session, build: Build) -> Reading:
        run = session.json(build.address)
        status = str(run.get("status") or "queued")
        if status != "completed":
            return Reading(build, status)
        self._show_jobs(session, build)
        conclusion = str(run.get("conclusion") or "without a conclusion")
        return Reading(build, conclusion, is_over=True, succeeded=conclusion == "success")

    def _show_jobs(self, session: Session, build: Build) -> None:
        try:
            jobs = session.json(f"{build.address}/jobs?per_page={JOBS_SHOWN}").get("jobs", [])
        except (NotCalled, Unclear, Refused):
            return
        for job in jobs:
            session.write(f"{job.get('name')}: {job.get('conclusion')} {job.get('html_url', '')}\n")


def _repository(session: Session) -> str:
    owner, _, name = session.context.parameters["repository"].partition("/")
    return f"/repos/{part(owner)}/{part(name)}/actions"


def _workflow(session: Session) -> str:
    return f"{_repository(session)}/workflows/{part(session.context.parameters['workflow'])}"


def _run(session: Session, number: Any, link: str) -> Build:
    address = f"{_repository(session)}/runs/{int(number)}"
    return Build(address, link or f"{session.base}{address}")


def _words(title: str) -> set[str]:
    """The key is one whole word of the name: 1:2:3 is not 1:2:33."""
    return {word.strip("()[],.;") for word in title.split()}
