"""The compose file, held against what the image and the settings offer."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)


@pytest.mark.parametrize("name", ["postgres", "redis", "web", "worker", "scheduler"])
def test_every_service_has_a_health_check(name):
    image_checks = "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()

    assert "healthcheck" in COMPOSE["services"][name] or (name == "web" and image_checks)


@pytest.mark.parametrize("name", ["web", "worker", "scheduler"])
def test_our_processes_wait_for_the_servers_and_the_migration(name):
    assert COMPOSE["services"][name]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }


def test_the_example_names_every_variable_the_compose_file_asks_for():
    text = (ROOT / "docker-compose.yml").read_text()
    asked = {part.split(":")[0].split("}")[0] for part in text.split("${")[1:]}

    assert asked == set(EXAMPLE)


def test_the_example_holds_no_secret():
    assert (EXAMPLE["SECRET_KEYS"], EXAMPLE["POSTGRES_PASSWORD"]) == ("", "")


def test_the_image_takes_in_every_package_and_file_that_runs():
    taken = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }

    assert {name for name in taken if not (ROOT / name).exists()} == set()
    packages = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert packages | {"releasemgr", "static", "templates", "manage.py"} <= taken
