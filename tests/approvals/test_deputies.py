"""Somebody decides for a person who is away: for a time, visibly, and never upon own work."""

import datetime as dt

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from approvals.models import Decision, Signoff
from releasemgr.accounts.models import Deputy
from releasemgr.ui import navigation
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.approvals.asking import member, now, page, post, sheet
from tests.factories import DeputyFactory, UserFactory

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def ana():
    return UserFactory(role="Approver", first_name="Ana", last_name="Silva")


@pytest.fixture
def ben():
    return UserFactory(role="Approver", first_name="Ben", last_name="Okafor")


def test_a_deputy_decides_and_it_says_for_whom(client, manager, ana, ben):
    DeputyFactory(person=ana, deputy=ben)
    signoff = sheet([ana], by=manager)

    assert "for Ana Silva" in page(client, signoff, ben)
    assert post(client, signoff, "approve", ben).status_code == 303

    decision = Decision.objects.get()
    assert (decision.person, decision.on_behalf_of) == (ben, ana)
    assert now(signoff).state == "approved"
    assert "Ben Okafor for Ana Silva" in page(client, signoff, manager)
    assert "Ben Okafor has decided for you" in page(client, signoff, ana)
    listed = client.get("/approvals/?tab=decided").content.decode()
    assert "Ben Okafor for Ana Silva" in listed


def test_what_is_decided_for_others_is_listed_with_for_whom(client, manager, ana, ben):
    DeputyFactory(person=ana, deputy=ben)
    given, waits = sheet([ana], by=manager), sheet([ana], by=manager)
    own, other = sheet([ben], by=manager), sheet([UserFactory(role="Approver")], by=manager)
    perform(given, "approve", by=ben)
    perform(own, "approve", by=ben)

    def listed(person):
        client.force_login(person)
        answer = client.get("/approvals/?tab=delegated")
        return [row.pk for row in answer.context["page"]], answer.content.decode()

    for person, words in ((ben, "To be decided for Ana Silva."), (ana, "Ben Okafor for you.")):
        rows, text = listed(person)
        assert rows == [waits.pk, given.pk]
        assert words in text
        assert "Ben Okafor for Ana Silva" in text
    assert listed(manager)[0] == []
    waits.barred.add(ben)
    assert listed(ben)[0] == [given.pk]
    assert "Ben Okafor for you" not in listed(ana)[1]
    assert other.pk not in listed(ana)[0]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_them_costs_the_same_for_one_row_and_for_three(
    client, manager, django_assert_num_queries, monkeypatch, ana, ben, count
):
    monkeypatch.setattr(navigation, "counters", [])
    monkeypatch.setattr(navigation, "following", [])
    DeputyFactory(person=ana, deputy=ben)
    for _ in range(count):
        sheet([ana], by=manager)
        perform(sheet([ana], by=manager), "approve", by=ben)
    client.force_login(ben)

    with django_assert_num_queries(14):
        client.get("/approvals/?tab=delegated")


def test_a_deputy_stands_in_for_a_member_of_a_group(manager, board, ben):
    ana, other = member(board), member(board)
    DeputyFactory(person=ana, deputy=ben)
    signoff = sheet([(board, 2)], by=manager)

    perform(signoff, "approve", by=ben)
    assert perform(now(signoff), "approve", by=other).state == "approved"


@pytest.mark.parametrize("days", [(-3, -1), (1, 3)])
def test_outside_the_time_a_deputy_decides_nothing(client, manager, ana, ben, days):
    starts, ends = (timezone.now() + day * DAY for day in days)
    DeputyFactory(person=ana, deputy=ben, starts=starts, ends=ends)
    signoff = sheet([ana], by=manager)

    assert not now(signoff).waits_for(ben)
    assert post(client, signoff, "approve", ben).status_code == 403
    assert not Decision.objects.exists()


def test_a_vote_is_given_once_whoever_is_first(client, manager, board, ben):
    ana, other = member(board), member(board)
    DeputyFactory(person=ana, deputy=ben)
    signoff = sheet([(board, 2)], by=manager)
    perform(signoff, "approve", by=ben)

    answer = post(client, signoff, "approve", ana)

    assert answer.status_code == 409
    assert "has decided for you" in answer.content.decode()
    assert Decision.objects.count() == 1
    assert now(signoff).waits_for(other)


def test_a_deputy_cannot_give_a_vote_that_was_given(manager, board, ben):
    ana = member(board)
    member(board)
    DeputyFactory(person=ana, deputy=ben)
    signoff = sheet([(board, 2)], by=manager)
    perform(signoff, "approve", by=ana)

    with pytest.raises(TransitionRefused):
        perform(now(signoff), "approve", by=ben)
    assert Decision.objects.count() == 1


def test_one_person_gives_one_vote_though_they_stand_in_for_others(manager, board):
    ana, ben, cleo = member(board), member(board), member(board)
    DeputyFactory(person=ana, deputy=ben)
    DeputyFactory(person=cleo, deputy=ben)
    signoff = sheet([(board, 2)], by=manager)
    perform(signoff, "approve", by=ben)

    for voice in (None, ana.pk, cleo.pk):
        with pytest.raises(TransitionRefused):
            perform(now(signoff), "approve", by=ben, voice=voice)
    assert now(signoff).state == "ready"
    assert Decision.objects.count() == 1


def test_who_may_decide_for_several_chooses_for_whom(client, manager, board):
    ana, ben, _ = member(board), member(board), member(board)
    DeputyFactory(person=ana, deputy=ben)
    signoff = sheet([(board, 2)], by=manager)

    assert "for yourself" in page(client, signoff, ben)
    assert post(client, signoff, "approve", ben, voice=ana.pk).status_code == 303

    assert Decision.objects.get().on_behalf_of == ana


@pytest.mark.parametrize("voice", ["0", "999999999", "9" * 30, "x", "-1"])
def test_for_somebody_else_nobody_decides(client, manager, ana, ben, voice):
    signoff = sheet([ana], [ben], by=manager)

    assert post(client, signoff, "approve", ana, voice=voice).status_code in {409, 422}
    assert post(client, signoff, "approve", ana, voice=ben.pk).status_code == 409
    assert not Decision.objects.exists()


def test_whose_own_work_it_is_is_no_deputy_for_it(client, manager, ana, ben):
    DeputyFactory(person=ana, deputy=ben)
    DeputyFactory(person=ana, deputy=manager)
    signoff = sheet([ana], by=manager, barred=[ben])

    for person in (ben, manager):
        assert not now(signoff).waits_for(person)
        assert not Signoff.objects.waiting_for(person).exists()
        assert post(client, signoff, "approve", person).status_code == 403
    assert not Decision.objects.exists()


def test_nobody_decides_through_a_deputy_upon_their_own_work(client, manager, board, ben):
    owner, other = member(board), member(board)
    DeputyFactory(person=owner, deputy=ben)
    DeputyFactory(person=manager, deputy=ben)
    manager.groups.add(board)
    signoff = sheet([(board, 1)], by=manager, barred=[owner])

    assert not now(signoff).waits_for(ben)
    assert post(client, signoff, "approve", ben).status_code == 403
    assert now(signoff).waits_for(other)


def test_a_deputy_of_a_deputy_decides_nothing(client, manager, ana, ben):
    cleo = UserFactory(role="Approver")
    DeputyFactory(person=ana, deputy=ben)
    DeputyFactory(person=ben, deputy=cleo)
    signoff = sheet([ana], by=manager)

    assert not now(signoff).waits_for(cleo)
    assert post(client, signoff, "approve", cleo).status_code == 403


def test_a_deputy_of_somebody_who_left_decides_nothing(manager, board, ben):
    ana = member(board)
    member(board)
    DeputyFactory(person=ana, deputy=ben)
    signoff = sheet([(board, 1)], by=manager)
    ana.is_active = False
    ana.save()

    with pytest.raises(PermissionDenied):
        perform(signoff, "approve", by=ben)


def test_either_takes_back_what_a_deputy_has_decided(manager, ana, ben):
    DeputyFactory(person=ana, deputy=ben)
    for person in (ana, ben):
        signoff = sheet([ana], by=manager)
        perform(signoff, "approve", by=ben)

        assert perform(now(signoff), "recall", by=person, reason="Wait").state == "ready"
        assert now(signoff).waits_for(ana)


def test_waiting_is_the_same_for_one_sheet_and_for_the_list(manager, board):
    ana, ben, cleo = member(board), member(board), UserFactory(role="Approver")
    DeputyFactory(person=ana, deputy=cleo)
    DeputyFactory(person=ben, deputy=ana)
    DeputyFactory(person=manager, deputy=cleo)
    sheets = [
        sheet([(board, 2)], by=manager),
        sheet([ana], [ben], by=manager),
        sheet([cleo], by=UserFactory(role="Release manager")),
        sheet([(board, 1)], by=UserFactory(role="Release manager"), barred=[ana]),
        sheet([(board, 1)], by=UserFactory(role="Release manager"), barred=[cleo]),
    ]
    perform(sheets[0], "approve", by=cleo)
    for user in (ana, ben, cleo, manager):
        listed = set(Signoff.objects.waiting_for(user))
        assert listed == {s for s in Signoff.objects.all() if s.waits_for(user)}, user


# --- The page ---


def send(client, who, **form):
    client.force_login(who)
    starts = timezone.now()
    values = {
        "starts": f"{starts:%Y-%m-%d %H:%M}",
        "ends": f"{starts + 7 * DAY:%Y-%m-%d %H:%M}",
        "note": "Call me if in doubt",
    }
    return client.post("/me/deputies/new/", values | form)


def test_one_names_a_deputy_and_ends_it(client, ana, ben):
    assert send(client, ana, deputy=ben.pk).status_code == 303
    row = Deputy.objects.get()
    assert (row.person, row.deputy) == (ana, ben)
    assert row.history.get().history_user == ana
    assert "Decides for you now" in client.get("/me/deputies/").content.decode()
    client.force_login(ben)
    assert "Call me if in doubt" in client.get("/me/deputies/").content.decode()
    assert "You decide for Ana Silva" in client.get("/approvals/").content.decode()

    client.force_login(ana)
    assert client.post(f"/me/deputies/{row.pk}/end/").status_code == 303

    assert not Deputy.objects.current().exists()
    assert Deputy.objects.get().is_over


def test_what_has_not_begun_is_taken_back_and_its_history_stays(client, ana, ben):
    row = DeputyFactory(person=ana, deputy=ben, starts=timezone.now() + DAY)
    client.force_login(ana)

    assert client.post(f"/me/deputies/{row.pk}/end/").status_code == 303

    assert not Deputy.objects.exists()
    assert Deputy.history.get(transition="remove").history_user == ana


def test_what_is_over_is_not_ended_again(client, ana, ben):
    row = DeputyFactory(person=ana, deputy=ben, starts=timezone.now() - 3 * DAY)
    client.force_login(ana)

    said = client.post(f"/me/deputies/{row.pk}/end/", follow=True).content.decode()

    assert "is over" in said
    assert Deputy.objects.get().ends == row.ends


def test_nobody_ends_or_names_the_deputy_of_somebody_else(client, ana, ben):
    row = DeputyFactory(person=ana, deputy=ben)
    client.force_login(ben)

    assert client.post(f"/me/deputies/{row.pk}/end/").status_code == 404
    assert send(client, ben, deputy=ana.pk, person=ana.pk).status_code == 303
    assert Deputy.objects.exclude(pk=row.pk).get().person == ben


@pytest.mark.parametrize(
    "form",
    [
        {"deputy": ""},
        {"deputy": "9" * 40},
        {"starts": "never"},
        {"ends": "2001-01-01 10:00"},
        {"ends": "9999-12-31 10:00"},
        {"note": "x" * 201},
    ],
)
def test_what_is_no_absence_names_nobody(client, ana, ben, form):
    assert send(client, ana, **({"deputy": ben.pk} | form)).status_code == 422
    assert not Deputy.objects.exists()


def test_who_cannot_see_approvals_is_not_offered_nor_is_oneself(client, ana):
    stranger = UserFactory()

    for person in (stranger, ana):
        assert send(client, ana, deputy=person.pk).status_code == 422
    assert not Deputy.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_for_one_deputy_and_for_three(
    client, ana, django_assert_num_queries, monkeypatch, count
):
    monkeypatch.setattr(navigation, "counters", [])
    monkeypatch.setattr(navigation, "following", [])
    for _ in range(count):
        DeputyFactory(person=ana)
        DeputyFactory(deputy=ana)
    client.force_login(ana)

    with django_assert_num_queries(5):
        client.get("/me/deputies/")


def test_a_group_does_not_make_a_deputy_of_ones_own_vote(manager, ben):
    """Ben is named himself and stands in for a member of the group: he fills one seat, not two."""
    security = Group.objects.create(name="Security")
    ana = member(security)
    member(security)
    DeputyFactory(person=ana, deputy=ben)
    signoff = sheet([ben, (security, 1)], by=manager)

    perform(signoff, "approve", by=ben)

    assert now(signoff).state == "ready"
    with pytest.raises(TransitionRefused):
        perform(now(signoff), "approve", by=ben, voice=ana.pk)
