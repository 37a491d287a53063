"""The timeline of a train: its picture, the chain that decides how long it takes, its table."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from releasemgr.accounts.models import User
from tests.factories import (
    BoardingFactory,
    EnvironmentFactory,
    FreezeFactory,
    MilestoneFactory,
    ReleaseFactory,
    TrainFactory,
)
from trains.bands import MOST_BANDS, bands_of
from trains.chains import longest_chain
from trains.dependencies import add_dependency
from trains.http import releases_of
from trains.models import Dependency, Freeze
from trains.timeline import MOST_ARROWS, timeline_of

pytestmark = pytest.mark.django_db

START = dt.date(2027, 1, 4)


def test_the_longest_chain_is_the_one_with_the_most_days():
    days = {1: 10, 2: 20, 3: 5, 4: 40}

    assert longest_chain(days, {2: [1], 3: [2, 1]}) == [1, 2, 3]
    assert longest_chain(days, {2: [1], 3: [2], 4: [1]}) == [1, 4]


def test_without_two_that_need_each_other_there_is_no_chain():
    assert longest_chain({}, {}) == []
    assert longest_chain({1: 10, 2: 20}, {}) == []
    assert longest_chain({1: 10}, {1: [7]}) == []


def test_a_chain_of_equals_is_the_same_every_time():
    assert longest_chain({1: 5, 2: 5, 3: 5}, {3: [2, 1]}) == [1, 3]


def test_a_cycle_is_no_chain():
    assert longest_chain({1: 5, 2: 5}, {1: [2], 2: [1]}) == []


def days_after(number):
    return START + dt.timedelta(days=number)


def aboard(train, first, last):
    release = ReleaseFactory(start=days_after(first), end=days_after(last))
    BoardingFactory(train=train, release=release, state="aboard")
    return release


@pytest.fixture
def train():
    return TrainFactory(start=START, end=days_after(90))


def drawn(train):
    return timeline_of(train, list(releases_of(train)))


def heads(timeline):
    """The ways in which arrows fly, by the paths of their heads."""
    return re.findall(r'<path class="(arrow[^"]*)" d="([^"]*)"', timeline.picture)


def test_arrows_lead_to_what_waits_and_the_longest_chain_is_marked(train):
    by = User.objects.robot()
    first, second, third = aboard(train, 0, 9), aboard(train, 10, 30), aboard(train, 20, 25)
    add_dependency(second, first, by=by)
    add_dependency(third, first, by=by)

    timeline = drawn(train)

    assert [bar.release for bar in timeline.chain] == [first, second]
    assert (timeline.chain_first, timeline.chain_last) == (START, days_after(30))
    assert [bar.is_critical for bar in timeline.bars].count(True) == 2
    assert sorted(css for css, _ in heads(timeline)) == ["arrow", "arrow-crit"]
    assert timeline.picture.count("crit-bar") == 2


@pytest.mark.parametrize(
    ("period", "path"),
    [((20, 30), "M-6-4 1 0-6 4Z"), ((5, 30), "M-4-6 0 1 4-6Z"), ((0, 5), "M6-4-1 0 6 4Z")],
    ids=["begins after it", "has begun by then", "is over by then"],
)
def test_an_arrow_comes_to_the_bar_from_where_it_can_be_seen(train, period, path):
    first = aboard(train, 0, 10)
    later = aboard(train, *period)
    add_dependency(later, first, by=User.objects.robot())
    bars = [bar.release for bar in drawn(train).bars]
    if bars.index(first) > bars.index(later):
        path = path.replace("M-4-6 0 1 4-6Z", "M-4 6 0-1 4 6Z")

    assert heads(drawn(train)) == [("arrow-crit", path)]


def test_of_too_many_arrows_only_those_of_the_longest_chain_are_drawn(train):
    releases = [aboard(train, n, n + 1) for n in range(12)]
    for n, release in enumerate(releases):
        for needed in releases[:n]:
            Dependency.objects.create(release=release, needs=needed)

    timeline = drawn(train)

    assert sum(len(bar.needs) for bar in timeline.bars) > MOST_ARROWS
    assert [css for css, _ in heads(timeline)] == ["arrow-crit"] * 11
    assert not timeline.draws_all_needs


def test_the_page_says_the_chain_in_words_and_in_the_table(train, client, manager):
    first, second = aboard(train, 0, 9), aboard(train, 10, 30)
    add_dependency(second, first, by=manager)

    page = client.get(train.get_absolute_url()).content.decode()

    assert "Longest chain, " in page
    assert page.count("<td>Yes</td>") == 2


def test_without_dependencies_nothing_is_said_of_chains(train, client, manager):
    aboard(train, 0, 9)

    page = client.get(train.get_absolute_url()).content.decode()

    assert "Longest chain, " not in page
    assert "<td>Yes</td>" not in page


# --- Freezes --------------------------------------------------------------------------------------


def moment(number, hour=0):
    return timezone.make_aware(dt.datetime.combine(days_after(number), dt.time(hour)))


def test_freezes_are_bands_and_the_flag_is_red_inside_one(train):
    FreezeFactory(name="End of year", begins=moment(80), ends=moment(100))
    FreezeFactory(name="Elsewhere", scope="train", train=TrainFactory(), begins=moment(1))
    FreezeFactory(name="Lifted", begins=moment(1), state="lifted")

    timeline = drawn(train)

    assert [band.freeze.name for band in timeline.bands] == ["End of year"]
    assert timeline.picture.count("freeze-bg") == 1
    assert '<g class="tone-bad"><line class="pole"' in timeline.picture
    assert "Its end lies in the freeze “End of year”." in timeline.summary


def test_a_freeze_of_scope_leaves_the_flag_as_it_is(train):
    FreezeFactory(scope="train", train=train, stops="scope", begins=moment(80), ends=None)

    timeline = drawn(train)

    assert len(timeline.bands) == 1
    assert '<g class="tone-mute"><line class="pole"' in timeline.picture
    assert "freeze" not in timeline.summary


def test_one_that_comes_again_has_a_band_each_time_and_only_so_many(train):
    FreezeFactory(name="Weekends", begins=moment(5, 18), ends=moment(7), recurrence="weekly")

    bands = drawn(train).bands

    assert (bands[0].first, bands[0].after) == (days_after(5), days_after(7))
    assert bands[1].first == days_after(12)
    assert len(bands) == 14
    assert len(bands_of(Freeze.objects.all(), START, START + dt.timedelta(days=5000))) == MOST_BANDS


def test_what_is_aboard_and_where_it_goes_brings_its_freezes(train):
    release = aboard(train, 0, 10)
    place = EnvironmentFactory(kind="staging")
    FreezeFactory(name="A", scope="application", application=release.application, begins=moment(3))
    FreezeFactory(name="B", scope="environment", environment=place, begins=moment(4))
    FreezeFactory(name="C", scope="kind", kind="staging", begins=moment(5))
    FreezeFactory(name="D", scope="kind", kind="test", begins=moment(6))

    timeline = timeline_of(train, list(releases_of(train)), [place])

    assert [band.freeze.name for band in timeline.bands] == ["A", "B", "C"]


def test_a_milestone_says_which_freeze_begins_with_it(train, client, manager):
    milestone = MilestoneFactory(train=train, title="Content complete", due=days_after(20))
    FreezeFactory(
        name="Scope",
        scope="train",
        train=train,
        stops="scope",
        begins=moment(20),
        ends=None,
        milestone=milestone,
    )

    page = client.get(train.get_absolute_url()).content.decode()
    tab = client.get(train.tab_url("milestones")).content.decode()

    assert "the freeze “Scope” begins</title>" in page
    assert ">Scope</a>”, with the milestone “Content complete”" in page
    assert ">Scope</a>” begins" in tab
