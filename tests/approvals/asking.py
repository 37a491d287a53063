"""Sheets that are asked for, and people in browsers who answer."""

from approvals.models import Signoff
from approvals.services import ask
from tests.factories import LevelFactory, RuleFactory, SignoffFactory, UserFactory

CONTENT = {"Train": "Larch", "Application releases": ["Nova 33.0"]}


def member(group, **names):
    person = UserFactory(role="Approver", **names)
    person.groups.add(group)
    return person


def asked(signoff, by, barred=(), **others):
    return ask(
        signoff,
        by=by,
        question="Put Larch into production?",
        content=CONTENT,
        facts=[["When", "Saturday", "At night"]],
        barred=list(barred),
        url="/trains/RT-1/",
    )


def sheet(*levels, by, barred=(), **columns):
    """A sheet that is asked for; each level is a list of people and (group, needed) pairs."""
    signoff = SignoffFactory(title="Executive approval of Larch", **columns)
    for number, members in enumerate(levels, start=1):
        level = LevelFactory(signoff=signoff, number=number)
        for who in members:
            if isinstance(who, tuple):
                RuleFactory(level=level, person=None, group=who[0], needed=who[1])
            else:
                RuleFactory(level=level, person=who)
    return asked(signoff, by, barred)


def post(client, signoff, verdict, user, **form):
    client.force_login(user)
    form = {"version": signoff.version, "seal": signoff.seal} | form
    return client.post(f"/approvals/{signoff.pk}/steps/{verdict}/", form)


def page(client, signoff, user):
    client.force_login(user)
    answer = client.get(signoff.get_absolute_url())
    assert answer.status_code == 200
    return answer.content.decode()


def now(signoff):
    return Signoff.objects.get(pk=signoff.pk)
