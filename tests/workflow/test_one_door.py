"""States change through perform(), and through the engine's ledger for its own tasks; lints."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ["approvals", "environments", "trains", "turnovers", "releasemgr"]
SOURCES = [
    path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts
]
#: The doors: who may write a state, or reach below the managers that watch over it.
DOORS = {
    "releasemgr/workflow/perform.py",
    "releasemgr/workflow/locks.py",
    "releasemgr/operations/verify/histories.py",
    "releasemgr/operations/verify/waiting.py",
    "turnovers/engine/ledger.py",
    "turnovers/engine/ending.py",
    "turnovers/engine/starting.py",
    "turnovers/engine/together.py",
}


def relative(path):
    return str(path.relative_to(ROOT))


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def name_of(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def workflow_modules():
    return [path for path in SOURCES if relative(path) not in DOORS]


@pytest.mark.parametrize("path", workflow_modules(), ids=relative)
def test_nobody_else_writes_the_state_of_a_record(path):
    tree = ast.parse(path.read_text())
    writes = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute)
        and target.attr == "state"
        and not (isinstance(target.value, ast.Name) and target.value.id == "upload")
    ]
    below = [
        call.lineno
        for call in calls(tree)
        if name_of(call) in {"_raw_update", "_update"}
        or (name_of(call) == "bulk_update" and "state" in ast.unparse(call))
    ]

    assert writes + below == []


@pytest.mark.parametrize("path", workflow_modules(), ids=relative)
def test_nobody_else_reaches_below_the_managers(path):
    """``_base_manager`` and raw SQL pass the watch of WorkflowQuerySet."""
    assert "_base_manager" not in path.read_text()
