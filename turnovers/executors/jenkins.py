"""A Jenkins job, by the remote access API: queue it, follow the queue item, then the build."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.core.exceptions import ValidationError

from turnovers.executors.elsewhere import (
    KEY_HELP,
    VARIABLE_NAME,
    Build,
    Elsewhere,
    ElsewhereForm,
    NothingStarted,
    NotKnown,
    Reading,
    Session,
    parsed,
    part,
    said,
    token_of,
    variables_of,
)
from turnovers.executors.outbound import NotCalled, Unclear

if TYPE_CHECKING:
    from turnovers.executors.base import TaskContext
    from turnovers.executors.outbound import Answer

#: How many of the latest builds are looked at for our key.
LATEST = 30
PARAMETERS = "actions[parameters[name,value]]"


class JenkinsForm(ElsewhereForm):
    """The job, its parameters, and who starts it."""

    job = forms.CharField(
        max_length=500, help_text="As its path reads, such as shop/deploy for a job in a folder."
    )
    user = forms.CharField(max_length=200, help_text="The user whose API token the secret holds.")
    key_name = forms.CharField(
        label="Parameter for the key",
        required=False,
        max_length=100,
        initial="RM_KEY",
        help_text=f"{KEY_HELP} The job must declare it.",
    )

    field_order = ("url", "job", "variables", "user", "secret", "key_name")

    def clean_key_name(self) -> str:
        return checked_name(self.cleaned_data["key_name"])

    def clean_user(self) -> str:
        user: str = self.cleaned_data["user"]
        if ":" in user:
            raise ValidationError("A user name has no colon.")
        return user


def checked_name(name: str) -> str:
    """The name of a parameter, or nothing."""
    if name and not VARIABLE_NAME.fullmatch(name):
        raise ValidationError("Use letters, digits, hyphens, dots and underscores.")
    return name


class Jenkins(Elsewhere):
    """Queues a build with parameters; only the result SUCCESS is a success."""

    key = "jenkins"
    name = "Jenkins job"
    icon = "settings"
    form = JenkinsForm

    def summary(self, parameters: dict[str, Any]) -> str:
        return f"Jenkins job {parameters.get('job', '')}".strip()

    def open(self, context: TaskContext) -> Session:
        pair = f"{context.parameters['user']}:{token_of(context)}"
        basic = base64.b64encode(pair.encode()).decode()
        return Session(context, context.parameters["url"], {"Authorization": f"Basic {basic}"})

    def find(self, session: Session) -> Build | None:
        """In the queue first: what leaves it meanwhile is among the builds."""
        name = session.context.parameters.get("key_name", "")
        if not name:
            return None
        home = f"{session.base}{_path(session)}/"
        queue = session.json(f"/queue/api/json?tree=items[id,task[url],{PARAMETERS}]")
        for item in queue.get("items", []):
            if _carries(item, name, session.context.key) and (
                urlsplit(item.get("task", {}).get("url", "")).path.rstrip("/")
                == urlsplit(home).path.rstrip("/")
            ):
                return Build(f"/queue/item/{int(item['id'])}/", home)
        tree = f"builds[number,{PARAMETERS}]{{0,{LATEST}}}"
        for build in session.json(f"{_path(session)}/api/json?tree={tree}").get("builds", []):
            if _carries(build, name, session.context.key):
                return _build(session, build["number"])
        return None

    def start(self, session: Session) -> Build:
        given = variables_of(session.context, session.context.parameters.get("key_name", ""))
        headers = {"Content-Type": "application/x-www-form-urlencoded", **self._crumb(session)}
        deed = "buildWithParameters" if given else "build"
        answer = session.start(f"{_path(session)}/{deed}", headers, urlencode(given).encode())
        if answer.status != HTTPStatus.CREATED:
            raise NothingStarted(said(answer))
        item = _queue_item(answer)
        if item is None:
            raise NotKnown("Jenkins took it without saying under which number.")
        return Build(f"/queue/item/{item}/", f"{session.base}{_path(session)}/")

    def _crumb(self, session: Session) -> dict[str, str]:
        """What Jenkins wants beside a POST; 404 where it asks for none, as with most API tokens."""
        try:
            answer = session.get("/crumbIssuer/api/json")
            if answer.status == HTTPStatus.OK:
                return _crumb_of(answer)
        except (NotCalled, Unclear) as error:
            raise NothingStarted(str(error)) from error
        if answer.status == HTTPStatus.NOT_FOUND:
            return {}
        raise NothingStarted(said(answer))

    def read(self, session: Session, build: Build) -> Reading:
        if build.address.startswith("/queue/"):
            return self._read_queue(session, build)
        self._read_output(session, build)
        found = session.json(f"{build.address}api/json?tree=building,result")
        if found.get("building") or not found.get("result"):
            return Reading(build, "running")
        result = str(found["result"])
        self._read_output(session, build)
        return Reading(build, result, is_over=True, succeeded=result == "SUCCESS")

    def _read_queue(self, session: Session, build: Build) -> Reading:
        tree = "cancelled,why,executable[number]"
        item = session.json(f"{build.address}api/json?tree={tree}")
        if item.get("cancelled"):
            return Reading(build, "cancelled in the queue", is_over=True)
        if executable := item.get("executable"):
            return Reading(_build(session, executable["number"]), f"build {executable['number']}")
        return Reading(build, str(item.get("why") or "queued")[:300])

    def _read_output(self, session: Session, build: Build) -> None:
        """Read along; where that fails, the build's own state still counts."""
        for _ in range(20):
            try:
                answer = session.get(
                    f"{build.address}logText/progressiveText?start={session.offset}"
                )
            except (NotCalled, Unclear):
                return
            if answer.status != HTTPStatus.OK or not answer.body:
                return
            session.write(answer.text)
            session.offset += len(answer.body)


def _crumb_of(answer: Answer) -> dict[str, str]:
    """The crumb as a header, with the session that it belongs to."""
    found = parsed(answer)
    headers = {str(found["crumbRequestField"]): str(found["crumb"])}
    if cookie := answer.headers.get("set-cookie", "").partition(";")[0]:
        headers["Cookie"] = cookie
    return headers


def _path(session: Session) -> str:
    """The address of the job, each folder by itself."""
    names = [name for name in session.context.parameters["job"].split("/") if name.strip()]
    return "".join(f"/job/{part(name)}" for name in names)


def _build(session: Session, number: Any) -> Build:
    address = f"{_path(session)}/{int(number)}/"
    return Build(address, f"{session.base}{address}")


def _queue_item(answer: Answer) -> int | None:
    """The number in ``Location``, such as https://ci.example/queue/item/12/."""
    before, _, number = answer.headers.get("location", "").rstrip("/").rpartition("/")
    return int(number) if before.endswith("/queue/item") and number.isdecimal() else None


def _carries(row: dict[str, Any], name: str, key: str) -> bool:
    return any(
        parameter.get("name") == name and parameter.get("value") == key
        for action in row.get("actions", [])
        for parameter in (action or {}).get("parameters", [])
    )
