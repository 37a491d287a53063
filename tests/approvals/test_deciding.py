"""Asking, deciding and what becomes of decisions when the content changes."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied

from approvals import rules
from approvals.models import Decision, Signoff
from releasemgr.ui import navigation
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.approvals.asking import member, now, page, post, sheet
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_levels_open_one_after_the_other_and_the_last_one_approves(client, manager, board):
    ana, ben, cleo = member(board), member(board), UserFactory(role="Approver")
    signoff = sheet([(board, 2)], [cleo], by=manager)

    assert post(client, signoff, "approve", ana).status_code == 303
    assert now(signoff).open_level == 1
    assert post(client, signoff, "approve", cleo).status_code == 403
    assert post(client, signoff, "approve", ben).status_code == 303
    assert now(signoff).open_level == 2
    assert post(client, signoff, "approve", cleo, reason="Go").status_code == 303

    assert now(signoff).state == "approved"
    assert [d.comment for d in Decision.objects.all()] == ["", "", "Go"]
    assert {d.digest for d in Decision.objects.all()} == {signoff.digest}


def test_others_who_vote_meanwhile_do_not_stop_a_vote(client, manager, board):
    ana, ben = member(board), member(board)
    signoff = sheet([(board, 2)], by=manager)

    assert post(client, signoff, "approve", ana).status_code == 303
    assert post(client, signoff, "approve", ben).status_code == 303

    assert now(signoff).state == "approved"


def test_a_form_that_does_not_say_what_was_seen_decides_nothing(client, manager):
    ana = UserFactory(role="Approver")
    signoff = sheet([ana], by=manager)

    assert post(client, signoff, "approve", ana, seal="", version="").status_code == 422
    assert post(client, signoff, "approve", ana, seal="").status_code == 303


def test_rejecting_needs_a_reason_which_whoever_asked_reads(client, manager):
    ana = UserFactory(role="Approver", first_name="Ana", last_name="Silva")
    signoff = sheet([ana], by=manager)

    assert post(client, signoff, "reject", ana).status_code == 422
    assert now(signoff).state == "ready"
    assert post(client, signoff, "reject", ana, reason="Too risky").status_code == 303

    assert now(signoff).state == "rejected"
    said = page(client, signoff, manager)
    assert "Ana Silva rejected it" in said
    assert "Too risky" in said


def test_changed_content_is_refused_with_the_difference_and_asked_for_again(
    client, manager, content
):
    ana = UserFactory(role="Approver")
    signoff = sheet([ana], by=manager)
    content["Application releases"] = ["Nova 33.0", "Glance 27.1"]

    answer = post(client, signoff, "approve", ana)

    assert answer.status_code == 409
    assert "Glance 27.1" in answer.content.decode()
    assert not Decision.objects.exists()
    assert "Ask again" not in page(client, signoff, ana)
    assert "Ask again" in page(client, signoff, manager)
    client.force_login(manager)
    renew = {"version": signoff.version}
    assert client.post(f"/approvals/{signoff.pk}/steps/request/", renew).status_code == 303

    # The page that was open since before shows the old content: it decides nothing.
    answer = post(client, signoff, "approve", ana)
    assert answer.status_code == 409
    assert "Glance 27.1" in answer.content.decode()
    assert post(client, now(signoff), "approve", ana).status_code == 303
    assert now(signoff).is_valid_for(content)


def test_an_approval_of_other_content_is_not_valid(client, manager, content):
    ana = UserFactory(role="Approver")
    signoff = sheet([ana], by=manager)
    post(client, signoff, "approve", ana)

    content["Train"] = "Maple"

    assert not now(signoff).is_valid_for(content)
    assert "The approval does not count for this." in page(client, signoff, ana)


def test_whoever_asked_does_not_decide(client, manager, board):
    manager.groups.add(board)
    other = member(board)
    signoff = sheet([(board, 1)], by=manager)

    assert "you asked for it" in page(client, signoff, manager)
    assert post(client, signoff, "approve", manager).status_code == 403
    assert post(client, signoff, "approve", other).status_code == 303


def test_whose_own_work_it_is_does_not_decide(client, manager, board):
    owner, other = member(board), member(board)
    signoff = sheet([(board, 1)], by=manager, barred=[owner])

    assert "your own work" in page(client, signoff, owner)
    assert post(client, signoff, "approve", owner).status_code == 403
    assert not signoff.waits_for(owner)
    assert signoff.waits_for(other)


def test_what_could_never_be_complete_is_not_asked_for(manager, board):
    member(board)
    with pytest.raises(TransitionRefused, match="cannot be met"):
        sheet([(board, 2)], by=manager)
    with pytest.raises(TransitionRefused, match="cannot be met"):
        sheet([manager], by=manager)
    gone = UserFactory(is_active=False)
    with pytest.raises(TransitionRefused, match="cannot be met"):
        sheet([gone], by=manager)


def test_a_person_in_two_groups_counts_once(client, manager, board):
    security = Group.objects.create(name="Security")
    both, other = member(board), member(security)
    both.groups.add(security)
    signoff = sheet([(board, 1), (security, 1)], by=manager)

    post(client, signoff, "approve", both)
    assert now(signoff).state == "ready"
    post(client, signoff, "approve", other)

    assert now(signoff).state == "approved"


def test_one_decides_once(client, manager, board):
    ana = member(board)
    member(board)
    signoff = sheet([(board, 2)], by=manager)
    post(client, signoff, "approve", ana)

    answer = post(client, now(signoff), "approve", ana)

    assert answer.status_code == 409
    assert "You have decided already" in answer.content.decode()
    assert Decision.objects.count() == 1
    assert "You have decided" in page(client, signoff, ana)


def test_whose_level_was_complete_meanwhile_is_told_so(client, manager, board):
    ana, ben, cleo = member(board), member(board), UserFactory(role="Approver")
    signoff = sheet([(board, 1)], [cleo], by=manager)
    post(client, signoff, "approve", ana)

    answer = post(client, signoff, "approve", ben)

    assert answer.status_code == 409
    assert "complete without you" in answer.content.decode()
    assert "complete without you" in page(client, signoff, ben)


def test_who_is_quicker_wins_and_the_other_is_told(client, manager, board):
    ana, ben = member(board), member(board)
    signoff = sheet([(board, 1)], by=manager)
    post(client, signoff, "approve", ana)

    assert post(client, signoff, "approve", ben).status_code == 409
    assert Decision.objects.count() == 1


def test_who_is_not_named_reads_why_they_cannot_decide(client, manager):
    signoff = sheet([UserFactory(role="Approver")], by=manager)
    developer = UserFactory(role="Developer")

    assert "You are not named" in page(client, signoff, developer)
    assert post(client, signoff, "approve", developer).status_code == 403
    assert post(client, signoff, "reject", developer, reason="No").status_code == 403


def test_a_later_level_reads_when_it_opens(client, manager):
    ana, ben = UserFactory(role="Approver"), UserFactory(role="Approver")
    signoff = sheet([ana], [ben], by=manager)

    assert "opens when level 1 is complete" in page(client, signoff, ben)


def test_decisions_of_an_earlier_round_do_not_count(client, manager, board):
    ana, ben = member(board), member(board)
    signoff = sheet([(board, 2)], by=manager)
    post(client, signoff, "approve", ana)
    signoff = perform(now(signoff), "request", by=manager)

    post(client, signoff, "approve", ben)

    assert now(signoff).state == "ready"
    assert now(signoff).waits_for(ana)
    assert "earlier rounds" in page(client, signoff, ana)


def test_who_left_is_not_counted_and_cannot_vote(manager, board):
    ana, ben, cleo = member(board), member(board), member(board)
    signoff = sheet([(board, 2)], by=manager)
    ana.is_active = False
    ana.save()

    with pytest.raises(PermissionDenied):
        perform(signoff, "approve", by=ana)
    perform(signoff, "approve", by=ben)
    assert perform(now(signoff), "approve", by=cleo).state == "approved"


# --- The inbox ---


def test_deciding_leads_on_to_the_next_decision_and_then_to_the_inbox(client, manager):
    ana = UserFactory(role="Approver")
    first, second = sheet([ana], by=manager), sheet([ana], by=manager)

    assert post(client, first, "approve", ana)["Location"] == second.get_absolute_url()
    assert post(client, second, "approve", ana)["Location"] == "/approvals/"


def test_the_inbox_has_what_waits_what_is_asked_and_what_was_decided(client, manager):
    ana, ben = UserFactory(role="Approver"), UserFactory(role="Approver")
    mine, theirs, done = (sheet([who], by=manager) for who in (ana, ben, ana))
    post(client, done, "reject", ana, reason="Not this one")

    def rows(query=""):
        return {row.pk for row in client.get(f"/approvals/{query}").context["page"]}

    assert rows() == {mine.pk}
    assert rows("?tab=asked") == {mine.pk, theirs.pk}
    assert rows("?tab=decided") == {done.pk}
    assert "Not this one" in client.get("/approvals/?tab=decided").content.decode()
    assert rows("?q=nothing") == set()


@pytest.mark.parametrize("tab", ["waiting", "asked", "decided", "delegated"])
def test_an_empty_inbox_says_what_will_be_there(client, tab):
    client.force_login(UserFactory(role="Approver"))

    assert client.get(f"/approvals/?tab={tab}").status_code == 200


def test_waiting_is_the_same_for_one_sheet_and_for_the_list(manager, board):
    people = [member(board) for _ in range(3)]
    extra = UserFactory(role="Approver")
    sheets = [
        sheet([(board, 2)], [extra], by=manager),
        sheet([extra, (board, 1)], by=UserFactory(role="Release manager")),
        sheet([people[1]], by=manager, barred=[extra]),
    ]
    perform(sheets[0], "approve", by=people[1])
    for user in [*people, extra, manager]:
        listed = set(Signoff.objects.waiting_for(user))
        assert listed == {s for s in Signoff.objects.all() if s.waits_for(user)}


def test_nothing_is_there_for_strangers_and_unknown_ids(client, manager):
    signoff = sheet([UserFactory(role="Approver")], by=manager)
    assert client.get("/approvals/").status_code == 302
    client.force_login(UserFactory())
    assert client.get(signoff.get_absolute_url()).status_code == 404
    client.force_login(manager)
    assert client.get(f"/approvals/{'9' * 40}/").status_code == 404
    assert client.get(f"/approvals/{signoff.pk}/steps/nothing/").status_code == 404
    assert client.post("/approvals/").status_code == 405


@pytest.mark.parametrize(
    "form",
    [
        {"seal": "x" * 200},
        {"version": "9" * 40, "seal": ""},
        {"version": "-1", "seal": ""},
        {"reason": "x" * 2001},
    ],
)
def test_hostile_values_decide_nothing(client, manager, form):
    ana = UserFactory(role="Approver")
    signoff = sheet([ana], by=manager)

    assert post(client, signoff, "approve", ana, **form).status_code == 422
    assert not Decision.objects.exists()


@pytest.mark.parametrize("seal", ["1:" + "0" * 64, "x", "99999999999999999999:", ":"])
def test_a_made_up_seal_is_refused(client, manager, seal):
    ana = UserFactory(role="Approver")
    signoff = sheet([ana], by=manager)

    assert post(client, signoff, "approve", ana, seal=seal).status_code == 409
    assert not Decision.objects.exists()


@pytest.mark.parametrize("query", ["?tab=x", "?page=99999999999", "?q=%E2%80%AE" + "x" * 900])
def test_no_address_breaks_the_inbox(client, manager, query):
    client.force_login(manager)
    assert client.get(f"/approvals/{query}").status_code == 200


@pytest.mark.parametrize(("tab", "queries"), [("waiting", 6), ("asked", 6), ("decided", 7)])
@pytest.mark.parametrize("count", [1, 3])
def test_the_inbox_costs_the_same_for_one_row_and_for_three(
    client, manager, django_assert_num_queries, monkeypatch, tab, queries, count
):
    monkeypatch.setattr(navigation, "counters", [])
    monkeypatch.setattr(navigation, "following", [])
    ana = UserFactory(role="Approver")
    for _ in range(count):
        sheet([ana, UserFactory(role="Approver")], by=UserFactory(role="Release manager"))
        post(client, sheet([ana], by=manager), "approve", ana)
    client.force_login(ana)

    with django_assert_num_queries(queries):
        client.get(f"/approvals/?tab={tab}")


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_for_one_level_and_for_three(
    client, manager, django_assert_num_queries, monkeypatch, count
):
    monkeypatch.setattr(navigation, "counters", [])
    monkeypatch.setattr(navigation, "following", [])
    monkeypatch.setattr(rules, "current_content", [])
    ana = UserFactory(role="Approver")
    boards = [Group.objects.create(name=f"Board {n}") for n in range(count)]
    for group in boards:
        member(group)
    signoff = sheet([ana], *([(group, 1)] for group in boards), by=manager)
    client.force_login(ana)

    with django_assert_num_queries(17):
        client.get(signoff.get_absolute_url())
