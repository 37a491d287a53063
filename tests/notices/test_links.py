"""What is linked from a mail is a page on which one decides; to fetch it decides nothing."""

import re

import pytest

from approvals.models import Decision
from releasemgr.notices import postman
from releasemgr.notices.events import EVENTS
from releasemgr.notices.models import Preferences
from releasemgr.notices.services import News, tell
from tests.factories import (
    BoardingFactory,
    BookingFactory,
    ConditionFactory,
    CriterionFactory,
    GateFactory,
    LevelFactory,
    MilestoneFactory,
    RuleFactory,
    SignoffFactory,
    TaskRunFactory,
    TrainFactory,
    TurnoverFactory,
    UserFactory,
    WaiverFactory,
)

pytestmark = pytest.mark.django_db

#: How a mail program, a scanner of links and a browser that guesses fetch.
PREFETCH = {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "prefetch"}


def links_of(mail):
    """Every address in both bodies of the mail, without its host."""
    bodies = [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]
    found = {link for body in bodies for link in re.findall(r"https?://[^\s\"'<>]+", body)}
    return sorted(re.sub(r"^https?://[^/]+", "", link) for link in found)


def everything_that_waits():
    """A row of each kind that is decided somewhere, with the event that tells of it and to whom."""
    bea = UserFactory(username="bea", role="Approver")
    mona = UserFactory(username="mona", role="Release manager")
    edo = UserFactory(username="edo", role="Release engineer")
    signoff = SignoffFactory(state="ready", round=1, open_level=1)
    RuleFactory(level=LevelFactory(signoff=signoff), person=bea)
    given = SignoffFactory(state="approved", round=1)
    gate = GateFactory(train=TrainFactory(manager=mona, state="scoping"), stage="scoping")
    asked = CriterionFactory(gate=gate, owner=mona)
    return [
        ("approval_asked", signoff, bea),
        ("condition_open", ConditionFactory(decision__signoff=given, decision__person=bea), bea),
        ("criterion_open", asked, mona),
        ("waiver_asked", WaiverFactory(criterion=CriterionFactory(gate=gate)), mona),
        ("milestone_due", MilestoneFactory(owner=mona), mona),
        ("boarding_asked", BoardingFactory(state="requested", train=gate.train), mona),
        ("booking_asked", BookingFactory(state="requested"), edo),
        ("turnover_delivered", TurnoverFactory(state="delivered"), edo),
        ("task_ready", TaskRunFactory(task__owner=edo), edo),
    ]


def test_fetching_every_link_of_a_mail_decides_nothing(client, sink):
    waiting = everything_that_waits()
    for person in {person for _, _, person in waiting}:
        Preferences.objects.create(person=person, ways=dict.fromkeys(EVENTS, "mail"))
    for event, row, person in waiting:
        assert tell(News(event, row, [person], f"Of {event}", occasion="now")) == 1, event
    postman.send()
    assert len(sink.mails) == len(waiting)
    before = [(row.state, row.version, row.history.count()) for _, row, _ in waiting]

    for mail in sink.mails:
        client.logout()
        for link in links_of(mail):  # a scanner is nobody
            assert client.get(link, headers=PREFETCH).status_code in {200, 302}, link
        person = next(p for _, _, p in waiting if p.email == mail["To"])
        client.force_login(person)
        for link in links_of(mail):
            assert client.head(link).status_code == 200, link
            page = client.get(link, headers=PREFETCH)
            assert page.status_code == 200, link

    for _, row, _ in waiting:
        row.refresh_from_db()
    assert [(row.state, row.version, row.history.count()) for _, row, _ in waiting] == before
    assert not Decision.objects.exclude(condition__isnull=False).exists()


def test_the_link_of_an_approval_leads_to_where_it_is_decided(client, sink):
    bea = UserFactory(role="Approver")
    signoff = SignoffFactory(state="ready", round=1, open_level=1)
    RuleFactory(level=LevelFactory(signoff=signoff), person=bea)
    tell(News("approval_asked", signoff, [bea], "Start?", occasion="1:1"))
    postman.send()
    client.force_login(bea)

    page = client.get(signoff.get_absolute_url())

    assert signoff.get_absolute_url() in links_of(sink.mails[0])
    assert f'action="{signoff.step_url("approve")}"' in page.content.decode()
    client.get(signoff.step_url("approve"), headers=PREFETCH)
    signoff.refresh_from_db()
    assert (signoff.state, Decision.objects.count()) == ("ready", 0)
