"""Sets the stage for browser tests: rows in the states they begin with, and who is signed in."""

import datetime as dt
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Self

from tests.e2e.application import ROOT, Application

SERVE = "from tests.e2e.rows import serve; serve()"
#: What an answer begins with; whatever else is written there is not for us.
ANSWER = "\x1e"


@dataclass(frozen=True)
class Row:
    """A row, as a test knows it."""

    model: str
    pk: int
    name: str
    url: str

    def step(self, name: str) -> str:
        """The page of one of its steps, for rows whose own page is not what one acts on."""
        places = {
            "approvals.Signoff": "approvals",
            "approvals.Condition": "approvals/conditions",
            "trains.Train": "trains/RT-",
            "trains.ApplicationRelease": "releases/AR-",
            "trains.Boarding": "boardings",
            "trains.Cadence": "trains/cadences",
            "trains.Criterion": "criteria",
            "trains.Freeze": "freezes",
            "trains.Milestone": "milestones",
            "trains.Waiver": "waivers",
            "turnovers.FreezeException": "exceptions",
        }
        place = places[self.model]
        place = f"{place}{self.pk}" if place.endswith("-") else f"{place}/{self.pk}"
        return f"/{place}/steps/{name.replace('_', '-')}/"


def person(username: str) -> dict[str, str]:
    """Somebody, in what is asked of the stage."""
    return {"user": username}


def day(offset: int) -> dict[str, int]:
    """A day so many days from now, likewise."""
    return {"day": offset}


def hours(offset: int) -> dict[str, int]:
    """A moment so many hours from now, likewise."""
    return {"hours": offset}


def iso(offset: int) -> str:
    """A day so many days from now, as a form takes it."""
    return (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=offset)).isoformat()


class Stage:
    """Asks the process that makes rows; used as a context manager."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __enter__(self) -> Self:
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SERVE]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.application.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=20)

    def ask(self, verb: str, *given: Any) -> Any:
        self.process.stdin.write(json.dumps({"verb": verb, "with": _told(list(given))}) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith(ANSWER):
                answer = json.loads(line.removeprefix(ANSWER))
                assert "error" not in answer, f"{verb} {given}: {answer['error']}"
                return _heard(answer["answer"])
        raise AssertionError(f"Nobody answered {verb} {given}")

    def make(self, factory: str, **columns: Any) -> Any:
        return self.ask("make", factory, columns)

    def create(self, model: str, **columns: Any) -> Any:
        return self.ask("create", model, columns)

    def find(self, model: str, **columns: Any) -> Any:
        return self.ask("find", model, columns)

    def alter(self, row: Row, **columns: Any) -> Any:
        return self.ask("alter", row, columns)

    def take(self, row: Row, step: str, *, by: str, **data: Any) -> Any:
        return self.ask("take", row, step, person(by), data)

    def define(self, train: Row, which: str, *levels: list[Any], **columns: Any) -> Any:
        """Levels list user names, and (so many, of a group)."""
        named = [
            [person(one) if isinstance(one, str) else list(one) for one in level]
            for level in levels
        ]
        return self.ask("define", train, which, named, columns)

    def state(self, row: Row) -> str:
        return str(self.ask("state", row))

    def session(self, username: str) -> str:
        return str(self.ask("session", person(username)))

    def written(self) -> int:
        return int(self.ask("written"))

    # --- What many tests begin with ---------------------------------------------------------------

    def train(self, name: str, **columns: Any) -> Any:
        """A train of the manager's with its three gates, in Scoping; it needs no approval."""
        train = self.make("Train", **{"name": name, "manager": person("manager")} | columns)
        for stage in ("scoping", "construction", "qa"):
            self.make("Gate", train=train, stage=stage)
        return train

    def gate(self, train: Row, stage: str = "scoping") -> Any:
        return self.find("trains.Gate", train=train, stage=stage)

    def criterion(self, train: Row, title: str, stage: str = "scoping", **columns: Any) -> Any:
        """One that the product owner owns."""
        columns = {"owner": person("owner")} | columns
        return self.make("Criterion", gate=self.gate(train, stage), title=title, **columns)

    def release(self, train: Row | None, name: str, **columns: Any) -> Any:
        """An application release of the product owner's, aboard where a train is named."""
        application = self.make("Application", name=name)
        columns = {"owner": person("owner"), "application": application} | columns
        release = self.make("Release", **columns)
        if train is not None:
            self.make("Boarding", train=train, release=release)
        return release

    def asked(self, name: str, *levels: list[Any], overrides: bool = False) -> tuple[Any, Any]:
        """A train whose train approval waits for these levels, and the sheet."""
        train = self.train(name, needs_train_approval=True)
        sheet = self.define(train, "train", *levels, allows_override=overrides)
        self.take(train, "request_train_approval", by="manager")
        return train, sheet


def _told(value: Any) -> Any:
    if isinstance(value, Row):
        return {"row": [value.model, value.pk]}
    if isinstance(value, dict):
        return {name: _told(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_told(one) for one in value]
    return value


def _heard(value: Any) -> Any:
    if isinstance(value, dict) and "row" in value:
        return Row(*value["row"], name=value["name"], url=value["url"])
    return value
