"""The pages of environments and bookings, as people of each role use them."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from environments import panels
from environments.models import Booking, Environment
from releasemgr.accounts.models import User
from releasemgr.ui import navigation
from releasemgr.workflow.perform import perform
from tests.factories import BookingFactory, EnvironmentFactory, UserFactory

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2030, 6, 3, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
FORM = "%Y-%m-%dT%H:%M"


@pytest.fixture
def engineer(client):
    user = UserFactory(role="Release engineer")
    client.force_login(user)
    return user


@pytest.fixture
def developer(client):
    user = UserFactory(role="Developer")
    client.force_login(user)
    return user


def held(environment, starts=NOON, hours=2, **others):
    booking = BookingFactory(
        environment=environment, starts=starts, ends=starts + hours * HOUR, **others
    )
    return perform(booking, "confirm", by=User.objects.robot())


def typed(environment, starts=NOON, hours=2, **others):
    return {
        "environment": environment.pk,
        "title": "Load test",
        "kind": "maintenance",
        "starts": starts.strftime(FORM),
        "ends": (starts + hours * HOUR).strftime(FORM),
        "exclusive": "on",
    } | others


def text(answer):
    return answer.content.decode()


# --- Environments ---


def test_the_list_shows_who_holds_what_and_who_is_next(client, developer):
    environment = EnvironmentFactory(name="stg-eu", is_production=True)
    now = timezone.now()
    held(environment, now - HOUR, title="Held by this")
    held(environment, now + 9 * HOUR, title="Then by that")

    page = text(client.get("/environments/"))

    assert "stg-eu" in page
    assert "Held by this" in page
    assert "Then by that" in page
    assert "Production" in page


def test_the_list_is_narrowed_by_words_kind_state_and_production(client, developer):
    EnvironmentFactory(name="alpha", kind="test")
    EnvironmentFactory(name="beta", kind="staging", is_production=True)
    EnvironmentFactory(name="gone", state="decommissioned")

    def names(query):
        return {row.name for row, _, _ in client.get(f"/environments/{query}").context["rows"]}

    assert names("") == {"alpha", "beta"}
    assert names("?q=alp") == {"alpha"}
    assert names("?kind=staging") == {"beta"}
    assert names("?production=yes") == {"beta"}
    assert names("?production=no") == {"alpha"}
    assert names("?state=decommissioned") == {"gone"}
    assert names("?state=all") == {"alpha", "beta", "gone"}
    assert "No environment matches" in text(client.get("/environments/?q=nowhere"))


def test_an_engineer_adds_an_environment_and_places_it_online(client, engineer):
    answer = client.post("/environments/new/", {"name": "qa-2", "kind": "test", "position": 3})

    environment = Environment.objects.get(name="qa-2")
    assert answer.status_code == 303
    assert answer["Location"] == environment.get_absolute_url()
    assert environment.history.latest().actor == str(engineer)
    step = environment.step_url("place_online")
    assert client.post(step, {"version": environment.version}).status_code == 303
    environment.refresh_from_db()
    assert environment.is_online


def test_no_deployments_at_once_is_refused_next_to_the_field(client, engineer):
    form = {"name": "qa-3", "kind": "test", "position": 3, "most_deployments": 0}

    answer = client.post("/environments/new/", form)

    assert answer.status_code == 422
    assert "greater than or equal to 1" in text(answer)
    assert not Environment.objects.exists()


def test_an_edit_from_an_outdated_page_is_a_conflict_and_keeps_what_was_typed(client, engineer):
    environment = EnvironmentFactory(name="qa-1")
    url = reverse("environments:edit", args=[environment.pk])
    form = {"name": "qa-1", "kind": "test", "position": 0, "version": environment.version}
    assert client.post(url, form | {"host": "first.example"}).status_code == 303

    answer = client.post(url, form | {"host": "second.example"})

    assert answer.status_code == 409
    assert "second.example" in text(answer)
    assert "first.example" in text(answer)
    assert Environment.objects.get().host == "first.example"


def test_two_environments_of_one_name_are_refused(client, engineer):
    EnvironmentFactory(name="qa-1")

    answer = client.post("/environments/new/", {"name": "qa-1", "kind": "test", "position": 0})

    assert answer.status_code == 422
    assert "There is an environment of this name already." in text(answer)


def test_an_environment_is_no_part_of_its_own_part(client, engineer):
    whole = EnvironmentFactory(name="whole")
    part = EnvironmentFactory(name="part", parent=whole)
    url = reverse("environments:edit", args=[whole.pk])
    form = {"name": "whole", "kind": "test", "position": 0, "parent": part.pk}

    assert client.post(url, form).status_code == 422
    whole.refresh_from_db()
    assert whole.parent is None


def test_the_page_shows_what_is_deployed_there(client, developer, monkeypatch):
    environment = EnvironmentFactory()
    row = panels.Deployed(
        name="Nova",
        url="/releases/AR-1/",
        version="33.0",
        status=Booking.State.CONFIRMED,
        by="TO-7",
        by_url="/turnovers/TO-7/",
        at=NOON,
    )
    monkeypatch.setattr(panels, "deployed", [lambda _: [row]])

    page = text(client.get(environment.get_absolute_url()))

    assert "Nova" in page
    assert "/turnovers/TO-7/" in page


def test_those_who_may_not_manage_see_no_buttons_and_are_refused(client, developer):
    environment = EnvironmentFactory()

    page = text(client.get(environment.get_absolute_url()))

    assert "Take offline" not in page
    assert "/edit/" not in page
    for path in ("/environments/new/", f"/environments/{environment.pk}/edit/"):
        assert client.get(path).status_code == 403
        assert client.post(path, {}).status_code == 403
    assert client.post(environment.step_url("take_offline"), {}).status_code == 403


@pytest.mark.parametrize(
    "path", ["", "new/", "board/", "book/", "bookings/", "1/", "bookings/EB-1/"]
)
def test_nobody_looks_without_signing_in(client, path):
    assert client.get(f"/environments/{path}").status_code == 302


def test_nothing_is_there_for_unknown_ids(client, engineer):
    giant = "9" * 40
    for number in ("1", giant):
        assert client.get(f"/environments/{number}/").status_code == 404
        assert client.get(f"/environments/{number}/edit/").status_code == 404
        assert client.get(f"/environments/bookings/EB-{number}/").status_code == 404
        assert client.get(f"/environments/bookings/EB-{number}/edit/").status_code == 404


def test_somebody_without_a_role_sees_no_environment(client):
    client.force_login(UserFactory())
    environment = EnvironmentFactory()

    assert client.get(environment.get_absolute_url()).status_code == 404
    assert client.get("/environments/").context["rows"] == []


# --- Booking ---


def test_booking_holds_the_environment(client, engineer):
    environment = EnvironmentFactory()

    answer = client.post("/environments/book/", typed(environment))

    booking = Booking.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == booking.get_absolute_url()
    assert booking.state == "confirmed"
    assert booking.starts == NOON


def test_times_are_read_in_the_zone_of_the_reader(client):
    user = UserFactory(role="Release engineer", time_zone="Europe/Berlin")
    client.force_login(user)

    client.post("/environments/book/", typed(EnvironmentFactory()))

    booking = Booking.objects.get()
    assert booking.starts == NOON - 2 * HOUR
    assert booking.zone == "Europe/Berlin"
    assert "3 June 2030, 12:00" in text(client.get(booking.get_absolute_url()))


def test_a_clash_names_everybody_in_the_way_and_offers_ways_out(client, engineer):
    environment = EnvironmentFactory(name="stg-eu")
    EnvironmentFactory(name="stg-us")
    first = held(environment, title="Hibiscus")
    second = held(environment, NOON + 2 * HOUR, title="Flamingo")

    answer = client.post("/environments/book/", typed(environment, hours=3))

    page = text(answer)
    assert answer.status_code == 409
    assert Booking.objects.count() == 2
    for other in (first, second):
        assert other.title in page
        assert other.get_absolute_url() in page
    assert "slot:2030-06-03T16:00:00+00:00" in page
    assert "stg-us instead" in page
    assert "Ask for it anyway" in page
    assert 'value="Load test"' in page


def test_the_next_free_slot_is_taken_with_all_that_was_typed(client, engineer):
    environment = EnvironmentFactory()
    held(environment)

    form = typed(environment, way="slot:2030-06-03T14:00:00+00:00")
    assert client.post("/environments/book/", form).status_code == 303

    booking = Booking.objects.get(title="Load test")
    assert (booking.starts, booking.ends) == (NOON + 2 * HOUR, NOON + 4 * HOUR)


def test_another_environment_is_taken_instead(client, engineer):
    environment, other = EnvironmentFactory(), EnvironmentFactory()
    held(environment)

    form = typed(environment, way=f"environment:{other.pk}")
    assert client.post("/environments/book/", form).status_code == 303

    assert Booking.objects.get(title="Load test").environment == other


def test_what_is_asked_for_anyway_is_a_visible_clash_for_both_sides(client, engineer):
    environment = EnvironmentFactory()
    holder = held(environment, title="Holder")

    answer = client.post("/environments/book/", typed(environment, way="anyway"))

    booking = Booking.objects.get(title="Load test")
    assert answer.status_code == 303
    assert booking.state == "requested"
    page = text(client.get(booking.get_absolute_url()))
    assert "2 things stand between Load test" in page
    assert "Take this time" in page
    assert "Load test" in text(client.get(holder.get_absolute_url()))
    assert "Load test" in text(client.get("/environments/bookings/?clash=yes"))


@pytest.mark.parametrize(
    "way", ["slot:", "slot:x", "slot:9999-12-31T23:59:59+00:00", "?", "environment:x"]
)
def test_a_way_out_that_is_none_changes_nothing(client, engineer, way):
    environment = EnvironmentFactory()
    held(environment)

    answer = client.post("/environments/book/", typed(environment, way=way))

    assert answer.status_code in {409, 422}
    assert Booking.objects.count() == 1


def test_a_request_is_resolved_by_moving_it_from_its_own_page(client, engineer):
    environment = EnvironmentFactory()
    held(environment)
    client.post("/environments/book/", typed(environment, way="anyway"))
    booking = Booking.objects.get(title="Load test")
    url = reverse("environments:booking-edit", args=[booking.pk])

    form = typed(environment, way="slot:2030-06-03T14:00:00+00:00", version=booking.version)
    assert client.post(url, form).status_code == 303

    booking.refresh_from_db()
    assert (booking.state, booking.starts) == ("confirmed", NOON + 2 * HOUR)


def test_a_booking_is_not_moved_into_another(client, engineer):
    environment = EnvironmentFactory()
    held(environment, title="In the way")
    booking = held(environment, NOON + 9 * HOUR)
    url = reverse("environments:booking-edit", args=[booking.pk])

    answer = client.post(url, typed(environment, version=booking.version))

    assert answer.status_code == 409
    assert "In the way" in text(answer)
    assert "Ask for it anyway" not in text(answer)
    booking.refresh_from_db()
    assert booking.starts == NOON + 9 * HOUR


def test_who_asked_for_a_restricted_environment_cannot_confirm_it(client, engineer):
    environment = EnvironmentFactory(is_restricted=True)
    client.post("/environments/book/", typed(environment))
    booking = Booking.objects.get()

    assert client.post(booking.step_url("confirm"), {}).status_code == 403

    client.force_login(UserFactory(role="Release manager"))
    answer = client.post(booking.step_url("confirm"), {"version": booking.version})
    assert answer.status_code == 303


def test_declining_needs_a_reason(client, engineer):
    booking = BookingFactory(requested_by=UserFactory(role="Release manager"))

    assert client.post(booking.step_url("decline"), {}).status_code == 422
    answer = client.post(booking.step_url("decline"), {"reason": "Maintenance that week"})

    assert answer.status_code == 303
    assert "Maintenance that week" in text(client.get(booking.get_absolute_url()))


def test_those_who_may_not_book_are_refused(client, developer):
    environment = EnvironmentFactory()

    assert client.get("/environments/book/").status_code == 403
    assert client.post("/environments/book/", typed(environment)).status_code == 403
    booking = held(environment)
    assert client.get(reverse("environments:booking-edit", args=[booking.pk])).status_code == 403


HOSTILE = [
    {"starts": "0001-01-01T00:00"},
    {"starts": "9999-12-31T23:59", "ends": "9999-12-31T23:59"},
    {"ends": "9999-12-31T23:59"},
    {"starts": "2030-06-03T12:00", "ends": "2030-06-03T12:00"},
    {"starts": "2030-06-03T12:00", "ends": "2030-06-03T11:00"},
    {"starts": "soon"},
    {"starts": "2030-13-45T99:99"},
    {"environment": "9" * 40},
    {"environment": "-1"},
    {"environment": "x"},
    {"title": ""},
    {"title": "x" * 301},
    {"kind": "turnover"},
    {"kind": "train"},
]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("wrong", HOSTILE)
def test_hostile_values_are_answered_with_the_form(client, wrong, zone):
    client.force_login(UserFactory(role="Release engineer", time_zone=zone))

    answer = client.post("/environments/book/", typed(EnvironmentFactory()) | wrong)

    assert answer.status_code == 422
    assert not Booking.objects.exists()


def test_text_from_right_to_left_is_kept(client, engineer):
    title = "بيئة الاختبار \u202e"

    client.post("/environments/book/", typed(EnvironmentFactory(), title=title))

    assert Booking.objects.get().title == title.strip()


def test_nul_is_refused(client, engineer):
    form = typed(EnvironmentFactory(), title="a\0b")
    assert client.post("/environments/book/", form).status_code == 400


def test_mass_assignment_is_ignored(client, engineer):
    form = typed(EnvironmentFactory(is_restricted=True), state="confirmed", requested_by="", pk="9")

    client.post("/environments/book/", form)

    booking = Booking.objects.get()
    assert (booking.state, booking.requested_by) == ("requested", engineer)


# --- Lists and the board ---


def test_bookings_are_narrowed_by_time_state_kind_and_environment(client, developer):
    now = timezone.now()
    one, two = EnvironmentFactory(), EnvironmentFactory()
    past = held(one, now - 9 * HOUR, title="Past")
    coming = held(one, now + HOUR, title="Coming", kind="outage")
    asked = BookingFactory(environment=two, title="Asked", starts=now, ends=now + HOUR)

    def found(query):
        return set(client.get(f"/environments/bookings/{query}").context["page"].rows)

    assert found("") == {coming, asked}
    assert found("?when=past") == {past}
    assert found("?when=all") == {past, coming, asked}
    assert found("?state=requested") == {asked}
    assert found("?kind=outage") == {coming}
    assert found(f"?when=all&environment={one.pk}") == {past, coming}
    assert found("?q=ask") == {asked}


def test_the_board_draws_bookings_and_says_the_same_in_a_table(client, developer):
    environment = EnvironmentFactory(name="stg-eu")
    held(environment, title="Hibiscus")
    BookingFactory(environment=environment, title="Flamingo", starts=NOON + HOUR)

    answer = client.get("/environments/board/?from=2030-06-03&weeks=2")

    board = answer.context["board"]
    page = text(answer)
    assert [b.title for b in board.bookings] == ["Hibiscus", "Flamingo"]
    assert [bar.y for bar in board.rows[0].bars] == [50, 78]
    assert "Flamingo asks for stg-eu" in page
    assert "Same bookings as a table" in page


@pytest.mark.parametrize(
    "query",
    [
        "from=0001-01-01",
        "from=9999-12-31",
        "from=x&weeks=99999999999999999999",
        "from=2199-01-07&weeks=12",
        "page=999999999999",
        "q=%E2%80%AE&kind=" + "x" * 500,
        "environment=" + "9" * 40,
        "starts=0001-01-01&ends=9999-12-31T00:00Z",
        "starts=2030-01-01T00:00&ends=2029-01-01T00:00",
    ],
)
@pytest.mark.parametrize("path", ["", "board/", "bookings/", "book/", "detail"])
def test_no_address_breaks_a_page(client, engineer, path, query):
    environment = EnvironmentFactory()
    BookingFactory(
        environment=environment,
        starts=dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
        ends=dt.datetime(9999, 12, 31, 23, 59, tzinfo=dt.UTC),
    )
    path = f"{environment.pk}/" if path == "detail" else path

    assert client.get(f"/environments/{path}?{query}").status_code == 200


@pytest.mark.parametrize(
    ("path", "queries"),
    [("", 6), ("board/", 7), ("bookings/", 4), ("detail", 15), ("booking", 8)],
)
@pytest.mark.parametrize("rows", [1, 3])
def test_pages_cost_the_same_for_one_row_and_for_three(
    client, engineer, django_assert_num_queries, monkeypatch, path, queries, rows
):
    # What the sidebar asks is the business of the apps that plug into it.
    monkeypatch.setattr(navigation, "counters", [])
    monkeypatch.setattr(navigation, "following", [])
    environment = EnvironmentFactory(owner=engineer)
    for _ in range(rows):
        other = EnvironmentFactory(owner=UserFactory(), parent=environment)
        held(other, timezone.now() - HOUR, requested_by=UserFactory())
    holder = held(environment, timezone.now() - HOUR, requested_by=UserFactory())
    for _ in range(rows):
        BookingFactory(environment=environment, requested_by=UserFactory())
    paths = {"detail": f"{environment.pk}/", "booking": f"bookings/{holder.ref}/"}
    client.get("/environments/")  # the first page of a session also looks up permissions

    with django_assert_num_queries(queries):
        client.get(f"/environments/{paths.get(path, path)}")
