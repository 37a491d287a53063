"""Bringing a file on the page, from the form to the report; and taking a data set out."""

import datetime as dt
import json
import os
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.roles import ROBOT, ROLES
from releasemgr.exchange import services, tasks
from releasemgr.exchange.models import Dataset, Upload, UploadState
from tests.exchange.files import small
from tests.factories import UserFactory
from trains.models import Train
from turnovers.engine.scheduler import Scheduler

pytestmark = pytest.mark.django_db

NEW = "/import/"
IMPORTERS = {"Release manager", "Administrator"}
EXPORTERS = IMPORTERS | {"Release engineer", "Product owner"}


@pytest.fixture
def manager(client):
    user = UserFactory(role="Release manager", first_name="Ines", last_name="Duarte")
    client.force_login(user)
    return user


@pytest.fixture
def bring(client, manager, django_capture_on_commit_callbacks):
    """Bring a file as the browser does; Celery works on the spot."""

    def bring_file(data, name="orchard.json"):
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(NEW, {"file": SimpleUploadedFile(name, content)})

    return bring_file


@pytest.fixture
def checked(bring):
    bring(small())
    return Upload.objects.get()


@pytest.fixture
def take(client, django_capture_on_commit_callbacks):
    def take_it(upload, **data):
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(reverse("exchange:take", args=[upload.pk]), data)

    return take_it


def text(response):
    return response.content.decode()


# --- The way of a file ---


def test_a_file_is_checked_shown_and_imported(client, bring, take, manager):
    response = bring(small())
    upload = Upload.objects.get()
    assert (response.status_code, response.url) == (303, upload.get_absolute_url())
    page = text(client.get(response.url))
    assert "23 would be created and 0 changed" in page
    assert not Train.objects.exists()

    response = take(upload, version=upload.version)

    assert (response.status_code, response.url) == (303, upload.get_absolute_url())
    assert Train.objects.count() == 2
    page = text(client.get(response.url))
    assert "23 were created and 0 changed" in page
    assert "Imported by Ines Duarte" in page
    entry = Train.objects.first().history.get()
    assert (entry.actor, entry.history_change_reason) == (
        "Ines Duarte",
        "Imported from orchard.json",
    )
    assert not Path(upload.path).exists()


@pytest.mark.parametrize(
    ("tab", "shown"),
    [
        ("create", "t2/press needs t1/press"),
        ("skip", "it begins and ends at the same moment"),
        ("notes", "trains[0].milestones[1]"),
        ("kept", "runbooks"),
        ("nonsense", "Application releases"),
        ("create&page=99999999999999999999", "Nothing on page 2000"),
    ],
)
def test_the_report_has_its_details(client, checked, tab, shown):
    assert shown in text(client.get(f"{checked.get_absolute_url()}?show={tab}"))


def test_a_file_that_brings_nothing_new_offers_no_import(client, checked, take, bring):
    take(checked)

    page = text(client.get(bring(small()).url))

    assert "Everything in this file is here already." in page
    assert reverse("exchange:take", args=[Upload.objects.first().pk]) not in page


def test_a_broken_file_is_refused_with_its_place(client, bring):
    data = small()
    data["trains"][0]["application_releases"][1]["depends_on"][0]["release"] = "x<y"

    page = text(client.get(bring(data).url))

    place = "trains[0].application_releases[1].depends_on[0].release"
    assert f"{place}: no application release “x&lt;y” is in the file." in page
    upload = Upload.objects.get()
    assert upload.state == UploadState.REFUSED
    assert not Path(upload.path).exists()


@pytest.mark.parametrize("content", [b"\0" * 100, b"[" * 100_000, b"\xff", b"{}", b"null"])
def test_no_content_breaks_a_page(client, bring, content):
    response = bring(content)

    assert client.get(response.url).status_code == 200
    assert Upload.objects.get().state == UploadState.REFUSED


@pytest.mark.parametrize("name", ["../../etc/passwd", "\u202egnp.json", "x" * 250 + ".json", "<b>"])
def test_no_name_breaks_a_page_or_leaves_the_folder(client, bring, settings, name):
    response = bring(small(), name=name)

    assert client.get(response.url).status_code == 200
    assert Path(Upload.objects.get().path).parent == settings.VAR_DIR / "uploads"


def test_a_file_beyond_the_limit_is_cut_off_and_told(client, bring, settings):
    settings.UPLOAD_MAX_BYTES = 5000

    response = bring(b" " * 200_000)

    assert response.status_code == 422
    assert "This file is larger than" in text(response)
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "data", [{}, {"file": "text"}, {"file": SimpleUploadedFile("e.json", b"")}]
)
def test_no_file_or_an_empty_one_is_told(client, manager, data):
    response = client.post(NEW, data)

    assert response.status_code == 422
    assert "There is a problem" in text(response)


# --- Not now ---


def test_a_file_is_imported_once(client, checked, take):
    take(checked)
    before = Train.history.count()

    response = take(checked)

    assert response.status_code == 409
    assert "This file is “Imported” meanwhile." in text(response)
    assert Train.history.count() == before


@pytest.mark.parametrize("version", ["1", "99"])
def test_an_old_page_imports_nothing(checked, take, version):
    response = take(checked, version=version)

    assert response.status_code == 409
    assert not Train.objects.exists()


@pytest.mark.parametrize("version", ["", "x", "9" * 30, "-1"])
def test_a_strange_version_breaks_nothing(checked, take, version):
    assert take(checked, version=version).status_code == 303


def test_a_hint_that_comes_twice_does_nothing_twice(checked, take):
    take(checked)
    before = Train.history.count()

    tasks.import_upload(checked.pk)
    tasks.check_upload(checked.pk)
    tasks.import_upload(0)

    assert Train.history.count() == before


def test_what_became_impossible_meanwhile_is_refused(checked, take, client):
    Path(checked.path).write_text("{}")

    take(checked)

    checked.refresh_from_db()
    assert checked.state == UploadState.REFUSED
    assert "format" in checked.problem


def lost(**facts):
    """A file whose message to the worker was lost, a while ago."""
    upload = services.receive(
        SimpleUploadedFile("lost.json", json.dumps(small()).encode()),
        by=UserFactory(role="Release manager"),
    )
    since = timezone.now() - dt.timedelta(minutes=5)
    Upload.objects.filter(pk=upload.pk).update(since=since, **facts)
    return Upload.objects.get(pk=upload.pk)


def test_a_lost_message_can_be_sent_again(client, manager, django_capture_on_commit_callbacks):
    upload = lost()
    page = text(client.get(upload.get_absolute_url()))
    assert "Nothing was heard of it" in page
    assert reverse("exchange:again", args=[upload.pk]) in page

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(reverse("exchange:again", args=[upload.pk]))

    assert response.status_code == 303
    upload.refresh_from_db()
    assert upload.state == UploadState.CHECKED


def test_a_lost_import_can_be_asked_again(client, manager, django_capture_on_commit_callbacks):
    upload = lost(state=UploadState.IMPORTING, imported_by=manager)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("exchange:again", args=[upload.pk]))

    assert Train.objects.count() == 2


def test_what_is_not_under_way_is_not_asked_again(client, checked):
    response = client.post(reverse("exchange:again", args=[checked.pk]))

    assert response.status_code == 409


def test_progress_is_shown_while_a_worker_works(client, manager):
    upload = lost()
    upload.progress_path.write_text('[42, "Milestones"]')

    page = text(client.get(upload.get_absolute_url()))

    assert "Milestones: 42 %" in page
    assert "Look again" in page


@pytest.mark.parametrize("said", ["", "[", "{}", "[1]", '["x", 1]', "\x00"])
def test_broken_progress_breaks_no_page(client, manager, said):
    upload = lost()
    upload.progress_path.write_text(said)

    assert client.get(upload.get_absolute_url()).status_code == 200


def test_only_the_last_files_wait(bring):
    for number in range(services.MOST_WAITING + 2):
        bring(small(), name=f"{number}.json")

    refused = Upload.objects.filter(state=UploadState.REFUSED)
    assert sorted(upload.name for upload in refused) == ["0.json", "1.json"]


# --- Who may ---


@pytest.mark.parametrize("role", sorted(set(ROLES) - {ROBOT}))
def test_who_may_import_and_who_may_export(client, checked, role):
    dataset = Dataset.objects.create(name="d", header={"snapshot": "2026-01-01T00:00:00Z"})
    client.force_login(UserFactory(role=role))

    for name in ("new", "upload"):
        args = [checked.pk] if name == "upload" else []
        status = client.get(reverse(f"exchange:{name}", args=args)).status_code
        assert status == (200 if role in IMPORTERS else 403)
    for name in ("take", "again"):
        status = client.post(reverse(f"exchange:{name}", args=[checked.pk])).status_code
        assert (status != 403) == (role in IMPORTERS)
    for name, args in (("exports", []), ("download", [dataset.pk])):
        status = client.get(reverse(f"exchange:{name}", args=args)).status_code
        assert status == (200 if role in EXPORTERS else 403)


@pytest.mark.parametrize("name", ["new", "exports"])
def test_a_stranger_signs_in_first(client, name):
    response = client.get(reverse(f"exchange:{name}"))

    assert response.status_code == 302
    assert "/login" in response.url or "sign-in" in response.url


@pytest.mark.parametrize("name", ["take", "again"])
def test_steps_are_posted(client, checked, name):
    assert client.get(reverse(f"exchange:{name}", args=[checked.pk])).status_code == 405


@pytest.mark.parametrize(
    "path", ["/import/0/", "/import/999999999999999999999/", "/import/export/0/", "/import/x/"]
)
def test_what_is_not_there_is_not_found(client, manager, path):
    assert client.get(path).status_code == 404


# --- Taking out ---


def test_a_data_set_is_downloaded(client, checked, take):
    take(checked)
    dataset = Dataset.objects.get()
    assert "The orchard&#x27;s releases" in text(client.get(reverse("exchange:exports")))

    response = client.get(reverse("exchange:download", args=[dataset.pk]))

    assert response["Content-Disposition"] == 'attachment; filename="orchard.json"'
    assert json.loads(b"".join(response.streaming_content)) == small()


def test_a_strange_data_set_name_makes_a_plain_file_name(client, manager):
    strange = '"; x=\r\n../é'
    dataset = Dataset.objects.create(name=strange, header={"snapshot": "2026-01-01T00:00:00Z"})

    response = client.get(reverse("exchange:download", args=[dataset.pk]))

    assert response["Content-Disposition"].startswith('attachment; filename="')
    assert "\n" not in response["Content-Disposition"]


def test_empty_lists_say_what_they_are_for(client, manager):
    assert "No file yet." in text(client.get(NEW))
    assert "No data set yet" in text(client.get(reverse("exchange:exports")))


# --- Queries ---


@pytest.mark.parametrize("number", [1, 3])
def test_lists_ask_as_often_for_one_row_as_for_three(
    client, bring, number, django_assert_num_queries
):
    for n in range(number):
        bring(small(dataset=f"d{n}"))
        Dataset.objects.create(name=f"d{n}")
    one = Upload.objects.first().get_absolute_url()
    client.get(NEW)

    with django_assert_num_queries(6):
        client.get(NEW)
    with django_assert_num_queries(6):
        client.get(reverse("exchange:exports"))
    with django_assert_num_queries(6):
        client.get(one)


def test_a_cut_off_file_is_told_to_a_browser_that_proves_itself(manager, settings):
    """The proof against forgery stands before the file in the form, so it arrives."""
    settings.UPLOAD_MAX_BYTES = 5000
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(manager)
    browser.get(NEW)
    token = browser.cookies[settings.CSRF_COOKIE_NAME].value
    file = SimpleUploadedFile("large.json", b" " * 200_000)

    response = browser.post(NEW, {"csrfmiddlewaretoken": token, "file": file})

    assert response.status_code == 422
    assert "This file is larger than" in text(response)


def wait_since(upload, seconds):
    Upload.objects.filter(pk=upload.pk).update(since=timezone.now() - dt.timedelta(seconds=seconds))


def test_a_lost_message_is_sent_again_by_the_scheduler(manager, django_capture_on_commit_callbacks):
    content = SimpleUploadedFile("orchard.json", json.dumps(small()).encode())
    upload = services.receive(content, by=manager)  # its message is never sent

    wait_since(upload, 11)
    with django_capture_on_commit_callbacks(execute=True):
        Scheduler().look()

    upload.refresh_from_db()
    assert upload.state == UploadState.CHECKED

    services.ask_for_import(upload, by=manager, version=None)
    wait_since(upload, 11)
    os.utime(upload.progress_path, (0, 0))  # what the check said long ago
    with django_capture_on_commit_callbacks(execute=True):
        Scheduler().look()

    upload.refresh_from_db()
    assert upload.state == UploadState.IMPORTED


def test_a_file_that_a_worker_has_begun_with_is_left_to_it(
    manager, django_capture_on_commit_callbacks
):
    content = SimpleUploadedFile("orchard.json", json.dumps(small()).encode())
    upload = services.receive(content, by=manager)
    upload.progress_path.write_text('[10, "Reading the file"]')
    Scheduler().look()  # others have it look for notices, too, when it has just begun

    wait_since(upload, 3600)
    with django_capture_on_commit_callbacks() as sent:
        Scheduler().look()

    assert sent == []
