"""What a turnover carries: application releases in dependency order, and finished work items."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from releasemgr.workflow.edit import create
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    BoardingFactory,
    ReleaseFactory,
    TrainFactory,
    TurnoverFactory,
    WorkItemFactory,
)
from trains.models import Dependency
from turnovers import plans
from turnovers.models import Content, Turnover

pytestmark = pytest.mark.django_db


@pytest.fixture
def train():
    return TrainFactory(state="construction")


@pytest.fixture
def of_train(developer, train):
    return TurnoverFactory(title="All of it", train=train, release=None, author=developer)


def aboard(train, name):
    return BoardingFactory(train=train, release__application__name=name).release


def needs(release, other):
    return create(Dependency(release=release, needs=other), by=None)


def carried(turnover):
    return [content.release.application.name for content in turnover.contents.all()]


def page_of(answer):
    return answer.content.decode()


# --- Contents -------------------------------------------------------------------------------------


def test_what_is_needed_comes_before_what_needs_it(as_developer, train, of_train):
    web, api, base = (aboard(train, name) for name in ("Web", "Api", "Base"))
    needs(web, api)
    needs(api, base)

    answer = as_developer.post(reverse("turnovers:contents-refresh", args=[of_train.pk]))

    assert answer.status_code == 303
    assert carried(of_train) == ["Base", "Api", "Web"]


def test_a_cycle_is_refused_and_named(as_developer, train, of_train):
    web, api = aboard(train, "Web"), aboard(train, "Api")
    needs(web, api)
    needs(api, web)

    with pytest.raises(TransitionRefused, match=r"Web 1\.0 needs Api 1\.0 needs Web 1\.0|Api"):
        plans.releases_for(of_train)
    answer = as_developer.post(reverse("turnovers:contents-refresh", args=[of_train.pk]))
    assert answer.status_code == 409
    assert "There is no order to deploy these in" in page_of(answer)
    assert carried(of_train) == []


def test_who_boarded_since_is_named_and_taken_in(as_developer, train, of_train):
    aboard(train, "Api")
    assert "1 application release aboard" in page_of(as_developer.get(of_train.tab_url("contents")))

    as_developer.post(reverse("turnovers:contents-refresh", args=[of_train.pk]))

    assert carried(of_train) == ["Api"]
    assert "not in it" not in page_of(as_developer.get(of_train.tab_url("contents")))


def test_a_release_is_left_out_with_its_work_items(as_developer, train, of_train):
    release = aboard(train, "Api")
    item = WorkItemFactory(release=release, state="done")
    as_developer.post(reverse("turnovers:contents-refresh", args=[of_train.pk]))
    change(as_developer, of_train, do="attach-all")
    content = Content.objects.get()

    answer = as_developer.post(reverse("turnovers:content-remove", args=[of_train.pk, content.pk]))

    assert answer.status_code == 303
    assert carried(of_train) == []
    assert not item.turnover_links.exists()


def test_a_turnover_of_one_release_keeps_it(as_developer, turnover):
    content = turnover.contents.create(release=turnover.release)

    answer = as_developer.post(reverse("turnovers:content-remove", args=[turnover.pk, content.pk]))

    assert answer.status_code == 409
    assert turnover.contents.exists()


def test_another_version_of_a_release_is_carried(as_developer, turnover):
    content = turnover.contents.create(release=turnover.release, version_name="1.0rc1")
    address = reverse("turnovers:content", args=[turnover.pk, content.pk])

    answer = as_developer.post(address, {"version_name": "1.0", "version": content.version})

    assert (answer.status_code, answer.url) == (303, turnover.tab_url("contents"))
    content.refresh_from_db()
    assert content.version_name == "1.0"
    assert "1.0rc1 is now 1.0" in Turnover.objects.get().history.latest().history_change_reason


def test_the_contents_of_a_delivered_plan_stay(as_developer, developer):
    delivered = TurnoverFactory(author=developer, state="delivered")
    content = delivered.contents.create(release=delivered.release, version_name="1")
    address = reverse("turnovers:content", args=[delivered.pk, content.pk])

    assert as_developer.post(address, {"version_name": "2"}).status_code == 409
    refresh = reverse("turnovers:contents-refresh", args=[delivered.pk])
    assert as_developer.post(refresh).status_code == 409
    content.refresh_from_db()
    assert content.version_name == "1"


def test_product_owners_change_no_contents(as_owner, of_train):
    refresh = reverse("turnovers:contents-refresh", args=[of_train.pk])
    assert as_owner.post(refresh).status_code == 403
    assert "Refresh from the train" not in page_of(as_owner.get(of_train.tab_url("contents")))


def test_the_contents_cost_the_same_with_more_rows(as_developer, train, of_train):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            as_developer.get(of_train.tab_url("contents"))
        return len(seen)

    aboard(train, "A")
    plans.refresh_contents(of_train, by=None)
    one = queries()
    for name in ("B", "C"):
        aboard(train, name)
    plans.refresh_contents(of_train, by=None)
    assert one == queries()


# --- Work items -----------------------------------------------------------------------------------


@pytest.fixture
def items(turnover):
    turnover.contents.create(release=turnover.release)
    done = [
        WorkItemFactory(release=turnover.release, state="done", title=f"Done {n}") for n in (1, 2)
    ]
    WorkItemFactory(release=turnover.release, state="progress", title="Half done")
    WorkItemFactory(release=ReleaseFactory(), state="done", title="Of another")
    return done


def change(client, turnover, **data):
    return client.post(reverse("turnovers:work-change", args=[turnover.pk]), data)


def attached(turnover):
    return {item.title for item in turnover.work_items.all()}


def test_only_finished_work_of_what_it_carries_is_offered(as_developer, turnover, items):
    page = page_of(as_developer.get(turnover.tab_url("work") + "?show=finished"))

    assert "Done 1" in page
    assert "Half done" not in page
    assert "Of another" not in page


def test_all_finished_work_is_attached_by_one_button(as_developer, turnover, items):
    answer = change(as_developer, turnover, do="attach-all")

    assert (answer.status_code, answer.url) == (303, turnover.tab_url("work"))
    assert attached(turnover) == {"Done 1", "Done 2"}


def test_chosen_work_is_attached_and_detached(as_developer, turnover, items):
    change(as_developer, turnover, do="attach", item=[items[0].pk])
    assert attached(turnover) == {"Done 1"}

    change(as_developer, turnover, do="detach", item=[items[0].pk])
    assert attached(turnover) == set()


def test_unfinished_work_is_not_attached_however_it_is_asked_for(as_developer, turnover, items):
    unfinished = turnover.release.work_items.get(title="Half done")
    change(as_developer, turnover, do="attach", item=[unfinished.pk, "x", "9" * 40, -1])
    assert attached(turnover) == set()


def test_a_delivered_turnover_takes_no_more_work(as_developer, developer):
    delivered = TurnoverFactory(author=developer, state="delivered")
    assert change(as_developer, delivered, do="attach-all").status_code == 409


def test_another_deed_is_refused(as_developer, turnover):
    assert change(as_developer, turnover, do="burn").status_code == 400


def test_product_owners_attach_nothing(as_owner, turnover):
    assert change(as_owner, turnover, do="attach-all").status_code == 403
