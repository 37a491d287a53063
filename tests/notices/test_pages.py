"""What one was told, on a page, and how one chooses."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from releasemgr.notices.events import EVENTS
from releasemgr.notices.models import Notice, Preferences
from tests.factories import LetterFactory, NoticeFactory, UserFactory

pytestmark = pytest.mark.django_db

LIST, READ = "/notices/", "/notices/read/"
PREFERENCES = "/me/notices/"


@pytest.fixture
def bea(client):
    person = UserFactory(username="bea", role="Approver")
    client.force_login(person)
    return person


def shown(client, **query):
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_one_sees_ones_own_the_newest_first_and_nobody_elses(client, bea):
    old = timezone.now() - dt.timedelta(days=2)
    NoticeFactory(person=bea, title="Older", at=old)
    NoticeFactory(person=bea, title="Newer")
    NoticeFactory(title="Of somebody else")

    page = shown(client)

    assert page.index("Newer") < page.index("Older")
    assert "Of somebody else" not in page
    assert "You are told because it is yours to reach." in page


def test_it_can_be_narrowed_to_what_is_unread_and_to_what_it_is_about(client, bea):
    NoticeFactory(person=bea, title="Read milestone", read_at=timezone.now())
    NoticeFactory(person=bea, title="Unread milestone")
    NoticeFactory(person=bea, title="Unread approval", event="approval_asked")

    unread, trains = shown(client, show="unread"), shown(client, about="Gates and milestones")
    both = shown(client, show="unread", about="Gates and milestones")

    assert "Read milestone" not in unread
    assert "Unread approval" in unread
    assert "Unread approval" not in trains
    assert "Read milestone" in trains
    assert "Unread milestone" in both
    assert "Read milestone" not in both
    odd = shown(client, about="<script>", show="what")
    assert "Read milestone" in odd
    assert "Unread approval" in odd
    assert "<script>" not in odd


def test_the_menu_says_how_much_is_unread(client, bea):
    NoticeFactory(person=bea)
    NoticeFactory(person=bea, read_at=timezone.now())
    NoticeFactory()

    page = shown(client)

    assert 'aria-label="Notices, 1 unread"' in page
    assert '<span class="count">1<span class="sr"> waiting</span></span>' in page


def test_opening_leads_to_what_it_is_about_and_counts_as_read(client, bea):
    notice = NoticeFactory(person=bea)

    assert client.head(notice.get_absolute_url()).headers["Location"] == notice.url
    assert Notice.objects.unread().count() == 1
    answer = client.get(notice.get_absolute_url())

    assert (answer.status_code, answer.headers["Location"]) == (303, notice.url)
    assert Notice.objects.unread().count() == 0


def test_nobody_opens_or_reads_anothers(client, bea):
    notice = NoticeFactory()

    assert client.get(notice.get_absolute_url()).status_code == 404
    assert client.post(READ, {"notice": notice.pk}).status_code == 404
    client.post(READ)

    assert Notice.objects.get().read_at is None


def test_one_or_all_are_marked_as_read(client, bea):
    first, second, third = (NoticeFactory(person=bea) for _ in range(3))

    answer = client.post(READ, {"notice": first.pk, "next": "/notices/?show=unread"})
    assert answer.headers["Location"] == "/notices/?show=unread"
    assert set(Notice.objects.unread()) == {second, third}
    answer = client.post(READ, {"next": "https://elsewhere.example/"}, follow=True)

    assert answer.redirect_chain == [(LIST, 303)]
    assert "2 notices marked as read." in answer.content.decode()
    assert not Notice.objects.unread().exists()


@pytest.mark.parametrize("number", ["x", "²", "-1", "9" * 30])
def test_what_is_no_number_of_a_notice_is_not_found(client, bea, number):
    assert client.post(READ, {"notice": number}).status_code == 404


def test_empty_lists_say_what_will_be_there(client, bea):
    assert "You were told nothing yet" in shown(client)
    assert "Nothing is unread" in shown(client, show="unread")
    assert "Nothing about this" in shown(client, about="Turnovers")


def test_the_page_asks_the_same_however_much_there_is(client, bea):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            shown(client)
        return len(queries)

    NoticeFactory(person=bea)
    asked()
    few = asked()
    NoticeFactory(person=bea)
    NoticeFactory(person=bea)

    assert asked() == few


def test_a_long_list_has_pages(client, bea):
    for _ in range(51):
        NoticeFactory(person=bea)

    assert 'rel="next"' in shown(client)
    assert "51 to 51" in shown(client, page="2")


# --- Choosing ------------------------------------------------------------------------------------


def chosen(**more):
    ways = dict.fromkeys(EVENTS, "digest")
    hours = {"digest_hour": "07:30", "quiet_from": "22:00", "quiet_until": "06:30"}
    return {**ways, **hours, "urgent_always": "on", "version": "0", **more}


def test_the_page_shows_what_is_suggested_for_ones_roles(client, bea):
    page = client.get(PREFERENCES)
    form = page.context["form"]

    assert form["approval_due"].value() == "mail"
    assert form["milestone_due"].value() == "digest"
    assert form["digest_hour"].value() == dt.time(8)
    for event in EVENTS.values():
        assert event.label in page.content.decode()


def test_what_is_chosen_is_kept_and_only_what_differs(client, bea):
    answer = client.post(PREFERENCES, chosen(hold_placed="none"))
    assert answer.status_code == 303

    kept = Preferences.objects.get(person=bea)
    assert kept.ways["hold_placed"] == "none"
    assert kept.ways["approval_asked"] == "digest"
    assert "milestone_due" not in kept.ways
    assert (kept.digest_hour, kept.quiet_from) == (dt.time(7, 30), dt.time(22))
    page = client.get(PREFERENCES).context["form"]
    assert page["hold_placed"].value() == "none"


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"quiet_until": ""}, "quiet_until", "Give both"),
        ({"quiet_from": ""}, "quiet_from", "Give both"),
        ({"quiet_until": "22:00"}, "quiet_until", "no time at all"),
        ({"digest_hour": "23:00"}, "digest_hour", "within your quiet hours"),
        ({"digest_hour": "25:00"}, "digest_hour", "valid time"),
        ({"approval_asked": "pigeon"}, "approval_asked", "pigeon"),
    ],
)
def test_what_does_not_fit_is_said_next_to_its_field_and_nothing_is_kept(
    client, bea, typed, field, says
):
    answer = client.post(PREFERENCES, chosen(hold_placed="none", **typed))

    assert answer.status_code == 422
    assert says in " ".join(answer.context["form"].errors[field])
    assert answer.context["form"]["hold_placed"].value() == "none"
    assert not Preferences.objects.exists()


def test_a_page_from_before_another_change_is_told_so_and_can_be_saved_again(client, bea):
    client.post(PREFERENCES, chosen(hold_placed="none"))

    answer = client.post(PREFERENCES, chosen(hold_placed="mail"))
    assert answer.status_code == 409
    assert Preferences.objects.get().ways["hold_placed"] == "none"
    assert 'name="version" value="1"' in answer.content.decode()
    client.post(PREFERENCES, chosen(hold_placed="mail", version="1"))

    assert Preferences.objects.get().ways["hold_placed"] == "mail"


def test_ones_settings_lead_to_it(client, bea):
    assert f'href="{PREFERENCES}"' in client.get(reverse("accounts:me")).content.decode()


# --- Operators -----------------------------------------------------------------------------------


def test_what_was_given_up_is_on_the_status_page_and_in_the_administration(client):
    LetterFactory(state="given_up", problem="550 no such user")
    client.force_login(UserFactory(role="Administrator", is_staff=True))

    status = client.get("/status/").content.decode()
    admin = client.get("/admin/notices/letter/").content.decode()

    assert "Mails given up<span" in status
    assert "550 no such user" in admin


def test_nothing_of_it_is_changed_in_the_administration(client):
    letter = LetterFactory()
    client.force_login(UserFactory(role="Administrator", is_staff=True, is_superuser=True))

    assert client.get(f"/admin/notices/letter/{letter.pk}/change/").status_code == 200
    for address in ("add/", f"{letter.pk}/change/", f"{letter.pk}/delete/"):
        answer = client.post(f"/admin/notices/letter/{address}", {"state": "sent"})
        assert answer.status_code == 403
    letter.refresh_from_db()
    assert letter.state == "waiting"
