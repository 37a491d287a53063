"""Whether the last finished pipeline of a branch succeeded, by the tool's own word."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django import forms
from django.core.exceptions import ValidationError

from trains.checking.base import Check, Finding, failed, passed, unknown
from turnovers.evidence.questions import ask, clean_address, refuse_secrets, says
from turnovers.executors.credentials import secret_choices

if TYPE_CHECKING:
    from trains.models import Criterion, Train
    from turnovers.executors.outbound import Answer

#: Tool -> its name, the field that tells the ending, the ending that is success, the link.
TOOLS = {
    "github": ("GitHub Actions", "conclusion", "success", "html_url"),
    "gitlab": ("GitLab CI", "status", "success", "web_url"),
    "jenkins": ("Jenkins", "result", "SUCCESS", "url"),
}
AUTHORIZATION = {
    "github": "Authorization: Bearer {{secret:{0}}}",
    "gitlab": "PRIVATE-TOKEN: {{secret:{0}}}",
    "jenkins": "Authorization: Basic {{secret:{0}}}",
}


class PipelineForm(forms.Form):
    """Which tool, which project, which branch."""

    tool = forms.ChoiceField(choices=[(key, words[0]) for key, words in TOOLS.items()])
    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="Of its API, such as https://api.github.com, https://gitlab.example/api/v4 or "
        "https://jenkins.example.",
    )
    project = forms.CharField(
        max_length=300, help_text="owner/name, group/name, or the path of the Jenkins job."
    )
    branch = forms.CharField(
        required=False, max_length=200, initial="main", help_text="Not for Jenkins."
    )
    token_secret = forms.ChoiceField(
        label="Token",
        required=False,
        choices=secret_choices,
        help_text="For Jenkins: user and token, as Basic authorization writes them.",
    )

    def clean_url(self) -> str:
        return clean_address(self.cleaned_data["url"].rstrip("/"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("tool") != "jenkins" and not cleaned.get("branch"):
            self.add_error("branch", "Say which branch.")
        if cleaned.get("url") and (name := cleaned.get("token_secret")):
            try:
                refuse_secrets([name], cleaned["url"])
            except ValidationError as error:
                self.add_error("token_secret", error)
        return cleaned


class PipelineStatus(Check):
    """The last finished pipeline, or build, succeeded."""

    key = "pipeline"
    name = "CI status"
    explains = "True when the last finished pipeline of a branch succeeded."
    icon = "git-pull-request-arrow"
    form = PipelineForm

    def summary(self, parameters: dict[str, Any]) -> str:
        where = parameters.get("project", "")
        if parameters.get("tool") != "jenkins":
            where = f"{where}, {parameters.get('branch', '')}"
        return f"{TOOLS[parameters.get('tool', 'github')][0]}: {where}"

    def look(self, criterion: Criterion, train: Train, parameters: dict[str, Any]) -> Finding:
        tool, secret = parameters["tool"], parameters.get("token_secret")
        headers = AUTHORIZATION[tool].format(secret) if secret else ""
        return ask(address(parameters), headers, lambda answer: judge(answer, tool))


def address(parameters: dict[str, Any]) -> str:
    """Where the tool tells of its last finished pipeline."""
    base, project = parameters["url"], parameters["project"].strip("/")
    branch = quote(parameters.get("branch") or "", safe="")
    if parameters["tool"] == "github":
        query = f"branch={branch}&status=completed&per_page=1"
        return f"{base}/repos/{quote(project)}/actions/runs?{query}"
    if parameters["tool"] == "gitlab":
        query = f"ref={branch}&scope=finished&per_page=1"
        return f"{base}/projects/{quote(project, safe='')}/pipelines?{query}"
    jobs = "/".join(f"job/{quote(part, safe='')}" for part in project.split("/") if part != "job")
    return f"{base}/{jobs}/lastCompletedBuild/api/json?tree=result,number,url"


def judge(answer: Answer, tool: str) -> Finding:
    """What the tool says of it; where there is none yet, nothing shows that it succeeded."""
    name, field, success, link = TOOLS[tool]
    if answer.status != HTTPStatus.OK:
        return unknown(f"{name} answers {says(answer)}.")
    try:
        rows = json.loads(answer.body)
        if tool == "github":
            rows = rows["workflow_runs"]
        row = rows[0] if isinstance(rows, list) and rows else rows
    except (ValueError, KeyError, TypeError, RecursionError):
        return unknown(f"{name} gave an answer that is not what its API says.")
    if row == []:
        return failed(f"{name} knows no finished pipeline there.")
    if not isinstance(row, dict) or not isinstance(row.get(field), str):
        return unknown(f"{name} gave an answer that is not what its API says.")
    said = f"{name}: {row[field]}. {row.get(link) or ''}".strip()
    return passed(said) if row[field] == success else failed(said)
