"""One factory per model. Each makes the smallest valid row, and no surprises."""

import datetime as dt

import factory
from django.contrib.auth.models import Group
from django.utils import timezone

from approvals.models import Condition, Decision, Level, Policy, Rule, Signoff
from environments.models import Booking, Environment
from releasemgr.accounts.models import Deputy, User
from releasemgr.notices.models import Letter, Notice
from trains.models import (
    Application,
    ApplicationRelease,
    Boarding,
    Cadence,
    Criterion,
    Freeze,
    Gate,
    Milestone,
    ReleaseType,
    Template,
    TemplateVersion,
    Train,
    Waiver,
    WorkItem,
)
from trains.outline import Outline
from turnovers.models import (
    DeploymentTask,
    FreezeException,
    Hold,
    ReviewAction,
    Run,
    TaskRun,
    Turnover,
)


class UserFactory(factory.django.DjangoModelFactory):
    """Somebody without a role; ``role="Developer"`` gives one."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence("user{}".format)
    first_name = factory.Sequence("Person{}".format)
    last_name = "Example"
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")

    @factory.post_generation
    def role(self, create, extracted, **kwargs):
        names = [extracted] if isinstance(extracted, str) else extracted or []
        self.groups.set(Group.objects.get(name=name) for name in names)


class SignoffFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Signoff

    title = factory.Sequence("Approval {}".format)


class LevelFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Level

    signoff = factory.SubFactory(SignoffFactory)
    number = 1


class RuleFactory(factory.django.DjangoModelFactory):
    """One named person."""

    class Meta:
        model = Rule

    level = factory.SubFactory(LevelFactory)
    person = factory.SubFactory(UserFactory, role="Approver")


class DecisionFactory(factory.django.DjangoModelFactory):
    """An approval with a condition, in the present round."""

    class Meta:
        model = Decision

    signoff = factory.SubFactory(SignoffFactory, allows_override=True)
    round = factory.SelfAttribute("signoff.round")
    level_number = 1
    person = factory.SubFactory(UserFactory, role="Approver")
    person_name = factory.LazyAttribute(lambda decision: str(decision.person))
    verdict = Decision.Verdict.CONDITION


class ConditionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Condition

    decision = factory.SubFactory(DecisionFactory)
    signoff = factory.SelfAttribute("decision.signoff")
    asked_by = factory.SelfAttribute("decision.person")
    words = factory.Sequence("Condition {}".format)


class PolicyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Policy

    name = factory.Sequence("Policy {}".format)


class DeputyFactory(factory.django.DjangoModelFactory):
    """From an hour ago, for a day."""

    class Meta:
        model = Deputy

    person = factory.SubFactory(UserFactory, role="Approver")
    deputy = factory.SubFactory(UserFactory, role="Approver")
    starts = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(hours=1))
    ends = factory.LazyAttribute(lambda row: row.starts + dt.timedelta(days=1))


class EnvironmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Environment

    name = factory.Sequence("env-{}".format)
    kind = "test"
    state = Environment.State.ONLINE


class BookingFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Booking

    environment = factory.SubFactory(EnvironmentFactory)
    title = factory.Sequence("Booking {}".format)
    starts = factory.LazyFunction(timezone.now)
    ends = factory.LazyAttribute(lambda b: b.starts + dt.timedelta(days=1))


class ReleaseTypeFactory(factory.django.DjangoModelFactory):
    """One that asks for no approval."""

    class Meta:
        model = ReleaseType

    name = factory.Sequence("Type {}".format)
    needs_train_approval = False
    needs_development_approval = False
    needs_executive_approval = False


class TrainFactory(factory.django.DjangoModelFactory):
    """In Scoping, with a whole schedule and no approvals."""

    class Meta:
        model = Train

    name = factory.Sequence("Train {}".format)
    purpose = "To be released."
    release_type = factory.SubFactory(ReleaseTypeFactory)
    manager = factory.SubFactory(UserFactory, role="Release manager")
    start = factory.LazyFunction(timezone.localdate)
    scoping_end = factory.LazyAttribute(lambda t: t.start + dt.timedelta(days=7))
    construction_end = factory.LazyAttribute(lambda t: t.start + dt.timedelta(days=21))
    qa_end = factory.LazyAttribute(lambda t: t.start + dt.timedelta(days=35))
    end = factory.LazyAttribute(lambda t: t.start + dt.timedelta(days=42))
    needs_train_approval = False
    needs_development_approval = False
    needs_executive_approval = False


class GateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Gate

    train = factory.SubFactory(TrainFactory)
    stage = "scoping"


class CriterionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Criterion

    gate = factory.SubFactory(GateFactory)
    title = factory.Sequence("Criterion {}".format)


class WaiverFactory(factory.django.DjangoModelFactory):
    """Asked for by somebody, until tomorrow."""

    class Meta:
        model = Waiver

    criterion = factory.SubFactory(CriterionFactory)
    reason = "Late."
    scope = "All of it."
    until = factory.LazyFunction(lambda: timezone.localdate() + dt.timedelta(days=1))
    asked_by = factory.SubFactory(UserFactory, role="Release manager")


class ApplicationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Application

    name = factory.Sequence("application-{}".format)


class ReleaseFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ApplicationRelease

    application = factory.SubFactory(ApplicationFactory)
    version_name = "1.0"
    owner = factory.SubFactory(UserFactory, role="Product owner")


class BoardingFactory(factory.django.DjangoModelFactory):
    """Aboard."""

    class Meta:
        model = Boarding

    train = factory.SubFactory(TrainFactory)
    release = factory.SubFactory(ReleaseFactory)
    state = Boarding.State.ABOARD


class MilestoneFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Milestone

    train = factory.SubFactory(TrainFactory)
    title = factory.Sequence("Milestone {}".format)
    due = factory.LazyFunction(timezone.localdate)


class WorkItemFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = WorkItem

    release = factory.SubFactory(ReleaseFactory)
    title = factory.Sequence("Work item {}".format)


class TemplateFactory(factory.django.DjangoModelFactory):
    """With one version, which says the usual lengths and nothing else."""

    class Meta:
        model = Template
        skip_postgeneration_save = True

    name = factory.Sequence("Template {}".format)
    release_type = factory.SubFactory(ReleaseTypeFactory)

    @factory.post_generation
    def outline(self, create, extracted, **kwargs):
        content = (extracted or Outline()).to_json()
        TemplateVersion.objects.create(template=self, number=1, content=content)


class CadenceFactory(factory.django.DjangoModelFactory):
    """Every month, from a month ahead; nothing is due yet."""

    class Meta:
        model = Cadence

    name = factory.Sequence("Cadence {}".format)
    template = factory.SubFactory(TemplateFactory)
    manager = factory.SubFactory(UserFactory, role="Release manager")
    train_name = "Train {number}"
    first_start = factory.LazyFunction(lambda: timezone.localdate() + dt.timedelta(days=60))


class TurnoverFactory(factory.django.DjangoModelFactory):
    """A draft of an application release whose work has begun, in a window that is open now."""

    class Meta:
        model = Turnover

    title = factory.Sequence("Turnover {}".format)
    release = factory.SubFactory(ReleaseFactory, state="executing")
    environment = factory.SubFactory(EnvironmentFactory)
    author = factory.SubFactory(UserFactory, role="Developer")
    earliest = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(minutes=1))
    latest = factory.LazyAttribute(lambda t: t.earliest + dt.timedelta(hours=2))


class TaskFactory(factory.django.DjangoModelFactory):
    """An automated one that succeeds at once."""

    class Meta:
        model = DeploymentTask

    turnover = factory.SubFactory(TurnoverFactory)
    order = factory.Sequence(lambda n: n + 1)
    title = factory.Sequence("Task {}".format)
    executor = "checkpoint"


class RunFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Run

    turnover = factory.SubFactory(TurnoverFactory, state="deploying")
    number = 1


class TaskRunFactory(factory.django.DjangoModelFactory):
    """A manual one whose turn it is."""

    class Meta:
        model = TaskRun

    run = factory.SubFactory(RunFactory)
    task = factory.SubFactory(
        TaskFactory, executor="", turnover=factory.SelfAttribute("..run.turnover")
    )
    order = factory.SelfAttribute("task.order")
    key = factory.Sequence("1:{}:1".format)
    state = TaskRun.State.READY


class ReviewActionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ReviewAction

    run = factory.SubFactory(RunFactory)
    words = factory.Sequence("Action {}".format)
    owner = factory.SubFactory(UserFactory, role="Developer")


class LetterFactory(factory.django.DjangoModelFactory):
    """One that waits to be sent now."""

    class Meta:
        model = Letter

    person = factory.SubFactory(UserFactory, role="Approver")
    subject = "Something is yours"
    at = factory.LazyFunction(timezone.now)
    not_before = factory.SelfAttribute("at")


class NoticeFactory(factory.django.DjangoModelFactory):
    """Unread, about a milestone, and not mailed."""

    class Meta:
        model = Notice

    class Params:
        row = factory.SubFactory(MilestoneFactory)

    person = factory.SubFactory(UserFactory, role="Approver")
    event = "milestone_due"
    kind = "trains.milestone"
    row_id = factory.SelfAttribute("row.pk")
    occasion = factory.Sequence(str)
    title = factory.Sequence("Notice {}".format)
    url = factory.LazyAttribute(lambda notice: notice.row.get_absolute_url())
    at = factory.LazyFunction(timezone.now)


class HoldFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Hold

    reason = "Something looks wrong."
    placed_by = factory.SubFactory(UserFactory, role="Release manager")


class FreezeFactory(factory.django.DjangoModelFactory):
    """Of everything, since an hour ago and until tomorrow."""

    class Meta:
        model = Freeze

    name = factory.Sequence("Freeze {}".format)
    reason = "Nobody is there."
    begins = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(hours=1))
    ends = factory.LazyAttribute(lambda freeze: freeze.begins + dt.timedelta(days=1))


class FreezeExceptionFactory(factory.django.DjangoModelFactory):
    """Asked for by somebody, for a turnover, until tomorrow."""

    class Meta:
        model = FreezeException

    freeze = factory.SubFactory(FreezeFactory)
    turnover = factory.SubFactory(TurnoverFactory)
    reason = "Customers cannot pay."
    risk = "They still cannot."
    rollback = "The version before."
    expires = factory.LazyFunction(lambda: timezone.now() + dt.timedelta(days=1))
    asked_by = factory.SubFactory(UserFactory, role="Developer")
