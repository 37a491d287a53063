"""The list of turnovers, writing one, and its page."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from releasemgr.accounts.roles import DEVELOPER, STAKEHOLDER
from releasemgr.workflow.perform import perform
from tests.factories import (
    BoardingFactory,
    EnvironmentFactory,
    HoldFactory,
    ReleaseFactory,
    RunFactory,
    TaskFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
)
from turnovers.models import Turnover
from turnovers.states import TurnoverState

pytestmark = pytest.mark.django_db

LIST = "/turnovers/"
NEW = "/turnovers/new/"


def page_of(answer):
    return answer.content.decode()


def typed(environment, author, /, **facts):
    return {
        "title": "",
        "environment": environment.pk,
        "earliest": "2031-03-01T22:00",
        "latest": "2031-03-01T23:30",
        "author": author.pk,
        "description": "",
        "copy_from": "",
    } | facts


def queries(client, address):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


# --- The list -------------------------------------------------------------------------------------


def test_the_list_shows_what_is_on_its_way_and_hides_what_is_over(as_developer):
    TurnoverFactory(title="Under way")
    TurnoverFactory(title="Long gone", state="closed")

    assert "Under way" in page_of(as_developer.get(LIST))
    assert "Long gone" not in page_of(as_developer.get(LIST))
    assert "Long gone" in page_of(as_developer.get(LIST + "?view=over"))


def test_one_finds_turnovers_by_words_state_environment_train_and_owner(as_developer, developer):
    prod = EnvironmentFactory(name="prod-eu")
    train = TrainFactory(name="Hibiscus")
    TurnoverFactory(title="Alpha", environment=prod, author=developer)
    TurnoverFactory(title="Beta", state="delivered")
    TurnoverFactory(title="Gamma", train=train, release=None)

    def found(query):
        page = page_of(as_developer.get(LIST + query))
        return {title for title in ("Alpha", "Beta", "Gamma") if f">{title}</a>" in page}

    assert found("") == {"Alpha", "Beta", "Gamma"}
    assert found("?q=alp+prod") == {"Alpha"}
    assert found("?state=delivered") == {"Beta"}
    assert found(f"?environment={prod.pk}") == {"Alpha"}
    assert found(f"?train={train.pk}") == {"Gamma"}
    assert found("?view=mine") == {"Alpha"}
    assert found("?q=nothing") == set()
    assert "No turnovers match" in page_of(as_developer.get(LIST + "?q=nothing"))


def test_a_list_offers_only_states_that_it_can_hold(as_developer):
    def offered(view):
        page = page_of(as_developer.get(f"{LIST}?view={view}"))
        return set(re.findall(r'<option value="([a-z]+)"', page)) & set(TurnoverState.values)

    assert {"closed", "verified", "cancelled"} == offered("over")
    assert offered("open") == set(TurnoverState.values) - offered("over")
    assert offered("mine") == set(TurnoverState.values)


def test_an_empty_list_says_what_turnovers_are_for(as_developer):
    assert "No turnovers yet" in page_of(as_developer.get(LIST))


@pytest.mark.parametrize(
    "query",
    [
        "?state=nonsense&sort=odd&view=odd",
        f"?environment={'9' * 30}&train={2**63}&page=99999999999",
        "?environment=-1&train=x&page=٣",
        "?q=%E2%80%AEgnp.exe+TO-999999999999999",
    ],
)
def test_any_query_gets_a_list(as_developer, query):
    assert as_developer.get(LIST + query).status_code == 200


def test_a_nul_is_refused(as_developer):
    assert as_developer.get(LIST + "?q=%00").status_code == 400


def test_the_list_costs_the_same_with_more_rows(as_developer):
    TurnoverFactory()
    one = queries(as_developer, LIST)
    TurnoverFactory.create_batch(2)
    assert one == queries(as_developer, LIST) == 8


def test_nobody_signed_out_sees_any(client, turnover):
    assert client.get(LIST).status_code == 302
    assert client.get(turnover.get_absolute_url()).status_code == 302


def test_who_has_no_role_sees_no_turnover(client, turnover):
    client.force_login(UserFactory())
    assert client.get(turnover.get_absolute_url()).status_code == 404


# --- Writing one ----------------------------------------------------------------------------------


def test_a_new_turnover_of_a_release_is_named_and_carries_it(as_developer, developer):
    release = ReleaseFactory(state="executing", version_name="2.1")
    staging = EnvironmentFactory(name="staging")

    answer = as_developer.post(f"{NEW}?release={release.pk}", typed(staging, developer))

    turnover = Turnover.objects.get()
    assert (answer.status_code, answer.url) == (303, turnover.get_absolute_url())
    assert turnover.title == f"{release} to staging"
    assert [content.version_name for content in turnover.contents.all()] == ["2.1"]
    assert turnover.earliest == dt.datetime(2031, 3, 1, 22, 0, tzinfo=dt.UTC)
    assert turnover.history.latest().history_user == developer


def test_the_window_is_read_in_the_time_zone_of_the_person(as_developer, developer):
    developer.time_zone = "Europe/Berlin"
    developer.save()
    release = ReleaseFactory(state="executing")

    as_developer.post(f"{NEW}?release={release.pk}", typed(EnvironmentFactory(), developer))

    turnover = Turnover.objects.get()
    assert turnover.earliest == dt.datetime(2031, 3, 1, 21, 0, tzinfo=dt.UTC)
    assert turnover.zone == "Europe/Berlin"


def test_a_new_turnover_of_a_train_carries_all_aboard_and_copies_tasks(as_developer, developer):
    train = TrainFactory(state="construction")
    releases = [BoardingFactory(train=train).release for _ in range(2)]
    source = TurnoverFactory(release=releases[0])
    TaskFactory(turnover=source, title="Drain")

    as_developer.post(
        f"{NEW}?train={train.pk}",
        typed(EnvironmentFactory(), developer, title="The big one", copy_from=source.pk),
    )

    turnover = Turnover.objects.get(title="The big one")
    assert {content.release for content in turnover.contents.all()} == set(releases)
    assert [task.title for task in turnover.tasks.all()] == ["Drain"]


def test_without_an_item_one_chooses(as_developer):
    train = TrainFactory(name="Hibiscus")
    release = ReleaseFactory()

    page = page_of(as_developer.get(NEW))

    assert f'href="?train={train.pk}"' in page
    assert f'href="?release={release.pk}"' in page


@pytest.mark.parametrize("query", ["?train=0", "?release=x", f"?train={'9' * 40}"])
def test_an_item_that_is_not_there_is_not_found(as_developer, query):
    assert as_developer.get(NEW + query).status_code == 404


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"latest": "2031-03-01T21:00"}, "must not be before"),
        ({"earliest": "0001-01-01T00:00"}, "Give a year from"),
        ({"latest": "9999-12-31T23:59"}, "Give a year from"),
        ({"earliest": "in winter"}, "in winter"),
        ({"environment": "9" * 30}, "Choose"),
        ({"title": "x" * 300}, "200"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(as_developer, developer, facts, words):
    release = ReleaseFactory(state="executing")

    answer = as_developer.post(
        f"{NEW}?release={release.pk}",
        typed(EnvironmentFactory(), developer, description="Kept \u202etxet", **facts),
    )

    assert answer.status_code == 422
    assert words.lower() in page_of(answer).lower()
    assert "Kept \u202etxet" in page_of(answer)
    assert not Turnover.objects.exists()


def test_product_owners_write_no_turnovers(as_owner, turnover):
    assert as_owner.get(NEW).status_code == 403
    assert as_owner.get(turnover.edit_url).status_code == 403
    assert "New turnover" not in page_of(as_owner.get(LIST))


def test_only_who_writes_turnovers_can_be_its_developer(as_developer):
    release = ReleaseFactory(state="executing")
    stranger = UserFactory(role=STAKEHOLDER)

    answer = as_developer.post(f"{NEW}?release={release.pk}", typed(EnvironmentFactory(), stranger))

    assert answer.status_code == 422


def test_an_edit_is_kept_with_its_author(as_developer, developer, turnover):
    colleague = UserFactory(role=DEVELOPER)
    facts = typed(turnover.environment, colleague, title="Nova 2", version=turnover.version)

    answer = as_developer.post(turnover.edit_url, facts)

    turnover.refresh_from_db()
    assert answer.status_code == 303
    assert (turnover.title, turnover.author) == ("Nova 2", colleague)
    assert turnover.history.latest().history_user == developer


def test_who_edits_an_older_version_is_told_and_keeps_the_text(as_developer, developer, turnover):
    seen = turnover.version
    facts = typed(turnover.environment, developer)
    as_developer.post(turnover.edit_url, facts | {"title": "Theirs", "version": seen})

    answer = as_developer.post(turnover.edit_url, facts | {"title": "Mine", "version": seen})

    assert answer.status_code == 409
    assert 'value="Mine"' in page_of(answer)
    assert "Theirs" in page_of(answer)
    assert Turnover.objects.get().title == "Theirs"


def test_a_delivered_turnover_is_not_edited(as_developer, developer):
    delivered = TurnoverFactory(author=developer, state="delivered")
    facts = typed(delivered.environment, developer, title="Other", version=delivered.version)

    assert as_developer.post(delivered.edit_url, facts).status_code == 409
    assert "is frozen" in page_of(as_developer.get(delivered.edit_url))
    assert Turnover.objects.get().title == delivered.title


# --- Its page -------------------------------------------------------------------------------------


def test_the_page_shows_the_plan_with_the_time_of_each_task(as_developer, turnover):
    turnover.earliest = dt.datetime(2031, 3, 1, 22, 0, tzinfo=dt.UTC)
    turnover.latest = turnover.earliest + dt.timedelta(hours=1)
    turnover.save()
    TaskFactory(turnover=turnover, order=1, title="Drain", section="Prepare", estimate_minutes=10)
    TaskFactory(turnover=turnover, order=2, title="Left", estimate_minutes=5)
    TaskFactory(turnover=turnover, order=2, title="Right", estimate_minutes=20)
    TaskFactory(turnover=turnover, order=3, title="Announce", estimate_minutes=1)

    page = " ".join(page_of(as_developer.get(turnover.get_absolute_url())).split())

    assert "31 min" in page
    assert page.count('<span class="tag">In parallel</span>') == 2
    starts = [part.split("</span>")[0] for part in page.split('class="at num dim">')[1:]]
    assert starts == ["22:00", "22:10", "22:10", "22:30"]
    assert '<li class="task-phase">Prepare' in page


def test_the_page_says_what_stands_before_delivery(as_developer, turnover):
    page = page_of(as_developer.get(turnover.get_absolute_url()))

    assert "and delivery" in " ".join(page.split())
    assert "Nova to staging has no deployment tasks" in page


def test_the_page_costs_the_same_with_more_tasks(as_developer, turnover):
    TaskFactory(turnover=turnover, executor="", owner=UserFactory())
    one = queries(as_developer, turnover.get_absolute_url())
    TaskFactory.create_batch(2, turnover=turnover, executor="", owner=UserFactory())
    assert one == queries(as_developer, turnover.get_absolute_url()) == 16


@pytest.mark.parametrize("tab", ["contents", "work", "runs", "history"])
def test_every_tab_answers(as_developer, turnover, tab):
    RunFactory(turnover=turnover, state="failed", reason="HTTP 500")
    TaskFactory(turnover=turnover)
    assert as_developer.get(turnover.tab_url(tab)).status_code == 200


def test_the_runs_are_listed_with_why_they_stopped(as_developer, turnover):
    RunFactory(turnover=turnover, state="failed", reason="Task 3: HTTP 500")
    assert "Task 3: HTTP 500" in page_of(as_developer.get(turnover.tab_url("runs")))


def test_the_history_tells_who_delivered_it(as_developer, turnover, developer):
    TaskFactory(turnover=turnover)
    perform(turnover, "deliver", by=developer, reason="Ready at last")

    page = page_of(as_developer.get(turnover.tab_url("history")))

    assert "Ready at last" in page
    assert str(developer) in page


@pytest.mark.parametrize("address", ["/turnovers/TO-0/", "/turnovers/TO-99999999999999999999/"])
def test_what_is_not_there_is_not_found(as_developer, address):
    assert as_developer.get(address).status_code == 404


def test_an_unknown_tab_is_not_found(as_developer, turnover):
    assert as_developer.get(turnover.get_absolute_url() + "nothing/").status_code == 404


def test_a_hold_is_said_on_the_page(as_developer, turnover):
    HoldFactory(scope="turnover", turnover=turnover, reason="The database is slow.")
    assert "The database is slow." in page_of(as_developer.get(turnover.get_absolute_url()))


def test_the_ends_of_time_do_not_break_a_page(as_developer, developer, turnover):
    developer.time_zone = "Pacific/Kiritimati"
    developer.save()
    ends = dt.datetime(9999, 12, 31, 23, 59, tzinfo=dt.UTC)
    Turnover.objects.filter(pk=turnover.pk).update(earliest=ends, latest=ends)
    TaskFactory(turnover=turnover, estimate_minutes=100_000)
    for address in (LIST, turnover.get_absolute_url(), turnover.tab_url("contents")):
        assert as_developer.get(address).status_code == 200


def test_promotion_lands_on_the_next_turnover(as_engineer):
    verified = TurnoverFactory(state="verified")
    TaskFactory(turnover=verified, title="Drain")
    target = EnvironmentFactory(name="next-one")
    address = verified.step_url("promote")

    answer = as_engineer.post(address, {"version": verified.version, "environment": target.pk})

    promoted = Turnover.objects.get(promoted_from=verified)
    assert (answer.status_code, answer.url) == (303, promoted.get_absolute_url())
    page = page_of(as_engineer.get(promoted.get_absolute_url()))
    assert verified.environment.name in page
    assert f"Tasks were copied from {verified.ref}" in page


def test_a_retry_asks_for_each_task(as_engineer):
    failed = TurnoverFactory(state="failed", earliest=timezone.now())
    TaskFactory(turnover=failed, title="Drain")

    page = page_of(as_engineer.get(failed.step_url("retry")))

    assert "Drain" in page
    assert page.count('type="radio"') == 2


def test_the_train_page_lists_its_turnovers(as_developer):
    train = TrainFactory()
    TurnoverFactory(title="Of this train", train=train, release=None)
    assert "Of this train" in page_of(
        as_developer.get(reverse("trains:tab", args=[train.pk, "turnovers"]))
    )
