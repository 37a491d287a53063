"""A thousand rounds of approving against editing, in two connections, on PostgreSQL.

In each round somebody approves while somebody else changes the train; in every twentieth, both do
so in a browser. Whoever is first: no train moves on, and no approval counts, for anything but what
was on the approver's screen, and nobody is answered with an error.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from approvals.models import Decision, Signoff
from releasemgr.workflow.edit import edit
from releasemgr.workflow.perform import perform
from releasemgr.workflow.refusals import TransitionRefused
from tests.factories import (
    BoardingFactory,
    CriterionFactory,
    GateFactory,
    LevelFactory,
    RuleFactory,
    SignoffFactory,
    TrainFactory,
    UserFactory,
)
from trains.models import Train

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("as_installed"),
]
ROUNDS = 1000


@pytest.fixture
def manager():
    return UserFactory(role="Release manager")


@pytest.fixture
def approver():
    return UserFactory(role="Approver")


@pytest.fixture
def train(manager, approver):
    signoff = SignoffFactory()
    RuleFactory(level=LevelFactory(signoff=signoff), person=approver)
    train = TrainFactory(manager=manager, needs_train_approval=True, train_signoff=signoff)
    CriterionFactory(gate=GateFactory(train=train, stage="scoping"), state="met")
    BoardingFactory(train=train)
    perform(train, "request_train_approval", by=manager)
    return train


def browser(user):
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


class Pair:
    """Two threads with a connection each that do one thing at the same time, over and over."""

    def __enter__(self):
        self.pool = ThreadPoolExecutor(2)
        return self

    def __exit__(self, *_):
        barrier = threading.Barrier(2)
        ends = [self.pool.submit(lambda: (barrier.wait(), connection.close())) for _ in range(2)]
        for end in ends:
            end.result()
        self.pool.shutdown()

    def at_once(self, *deeds):
        """What each answered, with when it began and when it had ended."""
        barrier = threading.Barrier(2)

        def run(deed, late):
            barrier.wait()
            time.sleep(late)
            began = time.monotonic()
            return deed(), began, time.monotonic()

        # A head start of a few milliseconds for one of them, so that both orders are met.
        lead = random.choice([(0, 0), (0.004, 0), (0, 0.004), (0.03, 0), (0, 0.03)])  # noqa: S311
        futures = [self.pool.submit(run, *pair) for pair in zip(deeds, lead, strict=True)]
        return [future.result() for future in futures]


def test_no_approval_counts_for_other_content(train, manager, approver):
    approving, editing = browser(approver), browser(manager)
    edit_url, criterion = f"/trains/RT-{train.pk}/edit/", train.gates.get().criteria.get()
    signoff, outcomes = train.train_signoff, []
    fields = editing.get(edit_url).context["form"].initial

    def approve_in_a_browser():
        form = {"version": signoff.version, "seal": signoff.seal}
        return approving.post(f"/approvals/{signoff.pk}/steps/approve/", form).status_code

    def edit_in_a_browser():
        changed = {name: value for name, value in fields.items() if value is not None}
        changed |= {"purpose": f"Round {number}", "version": asked.version}
        return editing.post(edit_url, changed).status_code

    def reopen_a_criterion_in_a_browser():
        address = f"/criteria/{criterion.pk}/steps/reopen/"
        return editing.post(address, {"reason": "Not after all"}).status_code

    def approve():
        return answered(lambda: perform(signoff, "approve", by=approver, seal=signoff.seal))

    def change():
        return answered(
            lambda: edit(asked, by=manager, version=asked.version, purpose=f"Round {number}")
        )

    with Pair() as pair:
        for number in range(ROUNDS):
            in_browsers = number % 20 == 0
            # Where the gate was passed before, approving moves nothing else: those are cheap.
            waits = in_browsers or number % 20 == 1
            begin_again(train, signoff, criterion, waits=waits)
            signoff = Signoff.objects.get(pk=signoff.pk)
            asked = Train.objects.get(pk=train.pk)
            deeds = (approve, change)
            if in_browsers:
                other = edit_in_a_browser if number % 40 else reopen_a_criterion_in_a_browser
                deeds = (approve_in_a_browser, other)

            (given, began, _), (edited, _, ended) = pair.at_once(*deeds)

            outcomes.append((given, edited))
            check(signoff, asked, given, edited, waits=waits, came_later=began > ended)

    codes = {code for pair_of_codes in outcomes for code in pair_of_codes}
    assert codes <= {303, 409}, sorted(set(outcomes))
    # Both orders have been met, and neither side has always won.
    assert (303, 303) in outcomes
    assert (409, 303) in outcomes


def answered(deed):
    """What the page would answer; whatever it would not expect is an error of the test."""
    try:
        deed()
    except TransitionRefused:
        return 409
    return 303


def begin_again(train, signoff, criterion, *, waits):
    """Another round of the same question about the same train, past the steps, which cost more."""
    state = "awaiting_train" if waits else "construction"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE trains_train SET state = %s, purpose = %s WHERE id = %s",
            [state, train.purpose, train.pk],
        )
        cursor.execute("UPDATE trains_criterion SET state = 'met' WHERE id = %s", [criterion.pk])
        cursor.execute(
            "UPDATE approvals_signoff SET state = 'ready', round = round + 1, open_level = 1"
            " WHERE id = %s",
            [signoff.pk],
        )


def check(signoff, asked, given, edited, *, waits, came_later):
    """After a round: what is stored is what one of the two orders would have made."""
    decision = Decision.objects.filter(signoff=signoff, round=signoff.round).first()
    signoff, train = Signoff.objects.get(pk=signoff.pk), Train.objects.get(pk=asked.pk)
    is_other = train.content_for("train") != signoff.content
    if given == 303:
        assert signoff.state == "approved"
        assert decision.digest == signoff.digest
        # Whoever approved after the edit had been answered would have approved something unseen.
        assert not (edited == 303 and came_later)
    else:
        assert decision is None
        assert signoff.state == "ready"
        assert train.state == asked.state
    if edited == 303 and train.state == asked.state:
        assert is_other
    # What counts is decided by comparing at each use; here with the rows themselves.
    assert signoff.is_valid_for(train.content_for("train")) == (
        signoff.state == "approved" and not is_other
    )
    if waits and train.state == "construction":
        entry = train.history.filter(transition="start_construction").latest("history_id")
        assert entry.purpose == asked.purpose, "it moved on for what nobody approved"
