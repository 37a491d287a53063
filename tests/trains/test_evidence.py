"""Evidence: notes, links and files, kept for those who see the train and shown by no browser."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.factories import CriterionFactory, GateFactory, TrainFactory, UserFactory
from tests.world import let_go
from trains import filing
from trains.models import Evidence

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    return tmp_path / "evidence"


def report(content=b"<script>alert(1)</script>", name="../re\nport.html"):
    return SimpleUploadedFile(name, content, content_type="text/html")


def file_it(client, criterion, **sent):
    return client.post(reverse("trains:evidence-new", args=[criterion.pk]), sent)


def test_a_file_is_kept_under_a_name_of_our_own_and_only_handed_out(client, manager, folder):
    criterion = CriterionFactory()

    answer = file_it(client, criterion, note="Load test", file=report())

    assert answer.status_code == 303
    piece = Evidence.objects.get()
    assert piece.history.get().history_user == manager
    assert [path.name for path in folder.iterdir()] == [piece.stored_as]
    page = client.get(criterion.gate.train.tab_url("gates")).content.decode()
    assert "Load test" in page
    answer = client.get(reverse("trains:evidence-file", args=[piece.pk]))
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_who_may_not_see_the_train_may_not_have_the_file(client, manager):
    criterion = CriterionFactory()
    file_it(client, criterion, file=report())
    address = reverse("trains:evidence-file", args=[Evidence.objects.get().pk])

    client.force_login(UserFactory(role="Stakeholder"))
    sent = client.get(address)
    let_go(sent)
    assert sent.status_code == 200
    client.force_login(UserFactory())
    assert client.get(address).status_code == 404
    client.logout()
    assert client.get(address).status_code == 302


def test_too_large_empty_or_nothing_is_refused_beside_its_field(client, manager, settings, folder):
    settings.EVIDENCE_MAX_BYTES = 10
    criterion = CriterionFactory()

    large = file_it(client, criterion, file=report(b"x" * 11))
    empty = file_it(client, criterion, file=report(b""))
    nothing = file_it(client, criterion, note=" ")

    assert [answer.status_code for answer in (large, empty, nothing)] == [422] * 3
    assert "larger than 10\N{NO-BREAK SPACE}bytes" in str(large.context["form"].errors["file"])
    assert "empty" in str(empty.context["form"].errors["file"])
    assert "note" in nothing.context["form"].errors
    assert not Evidence.objects.exists()
    assert not folder.exists()


def test_a_gate_that_is_passed_takes_none_and_leaves_no_file(client, manager, folder):
    criterion = CriterionFactory(gate=GateFactory(train=TrainFactory(state="construction")))

    answer = file_it(client, criterion, file=report())

    assert answer.status_code == 409
    assert not Evidence.objects.exists()
    assert not folder.exists() or not list(folder.iterdir())


def test_there_is_an_end_to_it(client, manager, monkeypatch, folder):
    monkeypatch.setattr(filing, "MOST_PIECES", 1)
    criterion = CriterionFactory()
    file_it(client, criterion, note="One")

    answer = file_it(client, criterion, file=report())

    assert answer.status_code == 409
    assert Evidence.objects.count() == 1
    assert list(folder.iterdir()) == []


def test_removed_its_file_goes_and_its_history_stays(
    client, manager, folder, django_capture_on_commit_callbacks
):
    file_it(client, CriterionFactory(), file=report())
    piece = Evidence.objects.get()

    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("trains:evidence-remove", args=[piece.pk]))

    assert not Evidence.objects.exists()
    assert list(folder.iterdir()) == []
    gone = Evidence.history.filter(id=piece.pk).latest()
    assert (gone.transition, gone.history_user) == ("remove", manager)


def test_a_file_that_is_gone_from_the_disk_is_not_found(client, manager, folder):
    file_it(client, CriterionFactory(), file=report())
    piece = Evidence.objects.get()
    piece.file.unlink()

    assert client.get(reverse("trains:evidence-file", args=[piece.pk])).status_code == 404


def test_its_owner_files_and_others_do_not(client):
    owner = UserFactory(role="Stakeholder")
    criterion = CriterionFactory(owner=owner)

    client.force_login(owner)
    assert file_it(client, criterion, note="Seen").status_code == 303
    client.force_login(UserFactory(role="Stakeholder"))
    assert file_it(client, criterion, note="Seen").status_code == 403
    assert Evidence.objects.count() == 1
