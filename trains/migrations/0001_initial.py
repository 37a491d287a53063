import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("approvals", "0001_initial"),
        ("environments", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Gate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("scoping", "Scoping"),
                            ("construction", "Construction"),
                            ("qa", "QA"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "date",
                    models.DateField(
                        blank=True, help_text="Empty: the date on which the stage ends.", null=True
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="ReleaseType",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("name", models.CharField(max_length=60, unique=True)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("needs_train_approval", models.BooleanField(default=True)),
                ("needs_development_approval", models.BooleanField(default=True)),
                ("needs_executive_approval", models.BooleanField(default=True)),
                (
                    "is_emergency",
                    models.BooleanField(
                        default=False,
                        help_text="A short path: only a start and an end date are asked for.",
                        verbose_name="emergency",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                (
                    "is_active",
                    models.BooleanField(default=True, verbose_name="offered for new trains"),
                ),
            ],
            options={
                "ordering": ["position", "name"],
            },
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("name", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                ("kind", models.CharField(blank=True, max_length=100)),
                ("repositories", models.JSONField(blank=True, default=list)),
                ("tracker", models.CharField(blank=True, max_length=500)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name", "pk"],
                "permissions": [("edit_application", "Can add and change applications")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("dataset", "external_id"),
                        name="trains_application_is_imported_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", "")),
                        fields=("name",),
                        name="application_name_is_unique",
                        violation_error_message="There is an application of this name already.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApplicationRelease",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                (
                    "version_name",
                    models.CharField(blank=True, max_length=100, verbose_name="version"),
                ),
                ("description", models.TextField(blank=True)),
                (
                    "criticality",
                    models.CharField(
                        choices=[
                            ("required", "Required"),
                            ("critical", "Critical"),
                            ("desirable", "Desirable"),
                            ("optional", "Optional"),
                        ],
                        default="required",
                        max_length=10,
                    ),
                ),
                ("start", models.DateField(blank=True, null=True)),
                (
                    "construction_end",
                    models.DateField(blank=True, null=True, verbose_name="construction complete"),
                ),
                ("end", models.DateField(blank=True, null=True)),
                ("source_status", models.CharField(blank=True, editable=False, max_length=60)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planning", "Planning"),
                            ("executing", "Executing"),
                            ("complete", "Construction complete"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="planning",
                        editable=False,
                        max_length=50,
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="releases",
                        to="trains.application",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="owned_releases",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="product owner",
                    ),
                ),
            ],
            options={
                "ordering": ["application__name", "version_name", "pk"],
                "permissions": [
                    ("own_release", "Can plan and move application releases of their own")
                ],
                "indexes": [
                    models.Index(fields=["owner", "state"], name="trains_appl_owner_i_5d0957_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("dataset", "external_id"),
                        name="trains_applicationrelease_is_imported_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["planning", "executing", "complete", "closed", "cancelled"],
                            )
                        ),
                        name="release_state_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Boarding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("aboard", "Aboard"),
                            ("rejected", "Rejected"),
                            ("left", "Left"),
                        ],
                        default="requested",
                        editable=False,
                        max_length=50,
                    ),
                ),
                (
                    "postponed_from",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="postponed_to",
                        to="trains.boarding",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="boardings",
                        to="trains.applicationrelease",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["release__application__name", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["requested", "aboard", "rejected", "left"])
                        ),
                        name="boarding_state_is_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["requested", "aboard"])),
                        fields=("release",),
                        name="one_live_place_a_release",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Dependency",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("kind", models.CharField(default="runtime", max_length=20)),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                (
                    "needs",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dependents",
                        to="trains.applicationrelease",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dependencies",
                        to="trains.applicationrelease",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "dependencies",
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("release", "needs", "kind"), name="dependency_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("release", models.F("needs")), _negated=True),
                        name="no_dependency_on_itself",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Criterion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("title", models.CharField(max_length=300)),
                ("description", models.TextField(blank=True)),
                (
                    "own_due",
                    models.DateField(
                        blank=True,
                        help_text="Empty: the gate's date, and follows it.",
                        null=True,
                        verbose_name="due",
                    ),
                ),
                (
                    "evidence",
                    models.TextField(blank=True, help_text="What shows it: a sentence, a figure."),
                ),
                ("evidence_url", models.URLField(blank=True, max_length=500, verbose_name="link")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("met", "Met"),
                            ("rejected", "Rejected"),
                            ("waived", "Waived"),
                        ],
                        default="open",
                        editable=False,
                        max_length=50,
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="environments.environment",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "gate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="criteria",
                        to="trains.gate",
                    ),
                ),
            ],
            options={
                "ordering": ["gate", "pk"],
                "permissions": [
                    ("decide_criterion", "Can decide any criterion"),
                    ("waive_criterion", "Can waive criteria"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "met", "rejected", "waived"])),
                        name="criterion_state_is_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalApplicationRelease",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                (
                    "version_name",
                    models.CharField(blank=True, max_length=100, verbose_name="version"),
                ),
                ("description", models.TextField(blank=True)),
                (
                    "criticality",
                    models.CharField(
                        choices=[
                            ("required", "Required"),
                            ("critical", "Critical"),
                            ("desirable", "Desirable"),
                            ("optional", "Optional"),
                        ],
                        default="required",
                        max_length=10,
                    ),
                ),
                ("start", models.DateField(blank=True, null=True)),
                (
                    "construction_end",
                    models.DateField(blank=True, null=True, verbose_name="construction complete"),
                ),
                ("end", models.DateField(blank=True, null=True)),
                ("source_status", models.CharField(blank=True, editable=False, max_length=60)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planning", "Planning"),
                            ("executing", "Executing"),
                            ("complete", "Construction complete"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="planning",
                        editable=False,
                        max_length=50,
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.application",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="product owner",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical application release",
                "verbose_name_plural": "historical application releases",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalCriterion",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                ("title", models.CharField(max_length=300)),
                ("description", models.TextField(blank=True)),
                (
                    "own_due",
                    models.DateField(
                        blank=True,
                        help_text="Empty: the gate's date, and follows it.",
                        null=True,
                        verbose_name="due",
                    ),
                ),
                (
                    "evidence",
                    models.TextField(blank=True, help_text="What shows it: a sentence, a figure."),
                ),
                ("evidence_url", models.URLField(blank=True, max_length=500, verbose_name="link")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("met", "Met"),
                            ("rejected", "Rejected"),
                            ("waived", "Waived"),
                        ],
                        default="open",
                        editable=False,
                        max_length=50,
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="environments.environment",
                    ),
                ),
                (
                    "gate",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.gate",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical criterion",
                "verbose_name_plural": "historical criterions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalDependency",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                ("kind", models.CharField(default="runtime", max_length=20)),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "needs",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.applicationrelease",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.applicationrelease",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical dependency",
                "verbose_name_plural": "historical dependencies",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalReleaseType",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                ("name", models.CharField(db_index=True, max_length=60)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("needs_train_approval", models.BooleanField(default=True)),
                ("needs_development_approval", models.BooleanField(default=True)),
                ("needs_executive_approval", models.BooleanField(default=True)),
                (
                    "is_emergency",
                    models.BooleanField(
                        default=False,
                        help_text="A short path: only a start and an end date are asked for.",
                        verbose_name="emergency",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
                (
                    "is_active",
                    models.BooleanField(default=True, verbose_name="offered for new trains"),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical release type",
                "verbose_name_plural": "historical release types",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalTeam",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("name", models.CharField(max_length=200)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical team",
                "verbose_name_plural": "historical teams",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalTrain",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("name", models.CharField(max_length=200)),
                (
                    "version_name",
                    models.CharField(blank=True, max_length=100, verbose_name="version"),
                ),
                ("purpose", models.TextField(blank=True)),
                ("start", models.DateField(blank=True, null=True, verbose_name="start")),
                (
                    "scoping_end",
                    models.DateField(blank=True, null=True, verbose_name="scoping complete"),
                ),
                (
                    "construction_end",
                    models.DateField(blank=True, null=True, verbose_name="construction complete"),
                ),
                ("qa_end", models.DateField(blank=True, null=True, verbose_name="QA complete")),
                ("end", models.DateField(blank=True, null=True, verbose_name="end")),
                (
                    "needs_train_approval",
                    models.BooleanField(default=True, verbose_name="train approval"),
                ),
                (
                    "needs_development_approval",
                    models.BooleanField(default=True, verbose_name="development approval"),
                ),
                (
                    "needs_executive_approval",
                    models.BooleanField(default=True, verbose_name="executive approval"),
                ),
                ("consent_at", models.DateTimeField(editable=False, null=True)),
                (
                    "health_override",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("on_track", "On track"),
                            ("attention", "Attention"),
                            ("at_risk", "At risk"),
                        ],
                        default="",
                        max_length=10,
                        verbose_name="status colour",
                    ),
                ),
                ("health_note", models.CharField(blank=True, max_length=300, verbose_name="note")),
                ("source_status", models.CharField(blank=True, editable=False, max_length=60)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("scoping", "Scoping"),
                            ("awaiting_train", "Awaiting train approval"),
                            ("construction", "Construction"),
                            ("awaiting_development", "Awaiting development approval"),
                            ("verification", "Verification"),
                            ("awaiting_executive", "Awaiting executive approval"),
                            ("deployment", "Deployment"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="scoping",
                        editable=False,
                        max_length=50,
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "consent_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "development_signoff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="approvals.signoff",
                    ),
                ),
                (
                    "executive_signoff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="approvals.signoff",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "manager",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="release manager",
                    ),
                ),
                (
                    "train_signoff",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="approvals.signoff",
                    ),
                ),
                (
                    "release_type",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.releasetype",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical train",
                "verbose_name_plural": "historical trains",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("name", models.CharField(max_length=200)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("dataset", "external_id"),
                        name="trains_team_is_imported_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalApplication",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("name", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                ("kind", models.CharField(blank=True, max_length=100)),
                ("repositories", models.JSONField(blank=True, default=list)),
                ("tracker", models.CharField(blank=True, max_length=500)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.team",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical application",
                "verbose_name_plural": "historical applications",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name="application",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="applications",
                to="trains.team",
            ),
        ),
        migrations.CreateModel(
            name="Train",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("name", models.CharField(max_length=200)),
                (
                    "version_name",
                    models.CharField(blank=True, max_length=100, verbose_name="version"),
                ),
                ("purpose", models.TextField(blank=True)),
                ("start", models.DateField(blank=True, null=True, verbose_name="start")),
                (
                    "scoping_end",
                    models.DateField(blank=True, null=True, verbose_name="scoping complete"),
                ),
                (
                    "construction_end",
                    models.DateField(blank=True, null=True, verbose_name="construction complete"),
                ),
                ("qa_end", models.DateField(blank=True, null=True, verbose_name="QA complete")),
                ("end", models.DateField(blank=True, null=True, verbose_name="end")),
                (
                    "needs_train_approval",
                    models.BooleanField(default=True, verbose_name="train approval"),
                ),
                (
                    "needs_development_approval",
                    models.BooleanField(default=True, verbose_name="development approval"),
                ),
                (
                    "needs_executive_approval",
                    models.BooleanField(default=True, verbose_name="executive approval"),
                ),
                ("consent_at", models.DateTimeField(editable=False, null=True)),
                (
                    "health_override",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("on_track", "On track"),
                            ("attention", "Attention"),
                            ("at_risk", "At risk"),
                        ],
                        default="",
                        max_length=10,
                        verbose_name="status colour",
                    ),
                ),
                ("health_note", models.CharField(blank=True, max_length=300, verbose_name="note")),
                ("source_status", models.CharField(blank=True, editable=False, max_length=60)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("scoping", "Scoping"),
                            ("awaiting_train", "Awaiting train approval"),
                            ("construction", "Construction"),
                            ("awaiting_development", "Awaiting development approval"),
                            ("verification", "Verification"),
                            ("awaiting_executive", "Awaiting executive approval"),
                            ("deployment", "Deployment"),
                            ("closed", "Closed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="scoping",
                        editable=False,
                        max_length=50,
                    ),
                ),
                (
                    "consent_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "development_signoff",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="approvals.signoff",
                    ),
                ),
                (
                    "executive_signoff",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="approvals.signoff",
                    ),
                ),
                (
                    "followers",
                    models.ManyToManyField(
                        blank=True, related_name="followed_trains", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "manager",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="managed_trains",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="release manager",
                    ),
                ),
                (
                    "release_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trains",
                        to="trains.releasetype",
                    ),
                ),
                (
                    "train_signoff",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="approvals.signoff",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "permissions": [
                    ("steer_train", "Can plan and steer trains"),
                    ("consent_train", "Can consent to production"),
                    ("close_train", "Can close trains"),
                ],
                "indexes": [
                    models.Index(fields=["state", "end"], name="trains_trai_state_a2c2a2_idx"),
                    models.Index(
                        fields=["manager", "state"], name="trains_trai_manager_e9c02e_idx"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("dataset", "external_id"),
                        name="trains_train_is_imported_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "scoping",
                                    "awaiting_train",
                                    "construction",
                                    "awaiting_development",
                                    "verification",
                                    "awaiting_executive",
                                    "deployment",
                                    "closed",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="train_state_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "booking",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="environments.booking",
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reservations",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "ordering": ["booking__starts", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Milestone",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("title", models.CharField(max_length=300)),
                ("due", models.DateField()),
                (
                    "same_role",
                    models.BooleanField(
                        default=False,
                        help_text="Others in a role of the owner may act too.",
                        verbose_name="same role may act",
                    ),
                ),
                (
                    "for_all",
                    models.BooleanField(
                        default=False,
                        help_text="Copied to each application release when the train enters Construction.",
                        verbose_name="for all application releases",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("completed", "Completed"),
                            ("missed", "Missed"),
                        ],
                        default="open",
                        editable=False,
                        max_length=50,
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="copies",
                        to="trains.milestone",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="milestones",
                        to="trains.applicationrelease",
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="milestones",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "ordering": ["due", "pk"],
                "indexes": [
                    models.Index(
                        fields=["owner", "state", "due"], name="trains_mile_owner_i_d24f53_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("dataset", "external_id"),
                        name="trains_milestone_is_imported_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "completed", "missed"])),
                        name="milestone_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("train__isnull", True), ("release__isnull", True), _connector="XOR"
                        ),
                        name="milestone_of_a_train_or_a_release",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalWorkItem",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("request", "Business request"),
                            ("task", "Development task"),
                            ("defect", "Defect"),
                        ],
                        default="task",
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=200, verbose_name="reference")),
                ("title", models.CharField(max_length=1000)),
                ("url", models.URLField(blank=True, max_length=500, verbose_name="link")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("progress", "In progress"),
                            ("done", "Done"),
                            ("deferred", "Deferred"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.applicationrelease",
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical work item",
                "verbose_name_plural": "historical work items",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalTrainEngineer",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical train engineer",
                "verbose_name_plural": "historical train engineers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalReservation",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "booking",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="environments.booking",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical reservation",
                "verbose_name_plural": "historical reservations",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalMilestone",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("title", models.CharField(max_length=300)),
                ("due", models.DateField()),
                (
                    "same_role",
                    models.BooleanField(
                        default=False,
                        help_text="Others in a role of the owner may act too.",
                        verbose_name="same role may act",
                    ),
                ),
                (
                    "for_all",
                    models.BooleanField(
                        default=False,
                        help_text="Copied to each application release when the train enters Construction.",
                        verbose_name="for all application releases",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("completed", "Completed"),
                            ("missed", "Missed"),
                        ],
                        default="open",
                        editable=False,
                        max_length=50,
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.applicationrelease",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.milestone",
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical milestone",
                "verbose_name_plural": "historical milestones",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalGate",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("scoping", "Scoping"),
                            ("construction", "Construction"),
                            ("qa", "QA"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "date",
                    models.DateField(
                        blank=True, help_text="Empty: the date on which the stage ends.", null=True
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical gate",
                "verbose_name_plural": "historical gates",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalBoarding",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                ("transition", models.CharField(blank=True, max_length=50)),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("history_change_reason", models.TextField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("aboard", "Aboard"),
                            ("rejected", "Rejected"),
                            ("left", "Left"),
                        ],
                        default="requested",
                        editable=False,
                        max_length=50,
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "postponed_from",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.boarding",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.applicationrelease",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical boarding",
                "verbose_name_plural": "historical boardings",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name="gate",
            name="train",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="gates", to="trains.train"
            ),
        ),
        migrations.AddField(
            model_name="boarding",
            name="train",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="boardings",
                to="trains.train",
            ),
        ),
        migrations.CreateModel(
            name="TrainEngineer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="crew",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("train", "person"), name="engineer_named_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="train",
            name="engineers",
            field=models.ManyToManyField(
                blank=True,
                related_name="engineered_trains",
                through="trains.TrainEngineer",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="WorkItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "dataset",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                (
                    "external_id",
                    models.CharField(blank=True, default="", editable=False, max_length=300),
                ),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("request", "Business request"),
                            ("task", "Development task"),
                            ("defect", "Defect"),
                        ],
                        default="task",
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=200, verbose_name="reference")),
                ("title", models.CharField(max_length=1000)),
                ("url", models.URLField(blank=True, max_length=500, verbose_name="link")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("progress", "In progress"),
                            ("done", "Done"),
                            ("deferred", "Deferred"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="work_items",
                        to="trains.applicationrelease",
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="work_items",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "permissions": [("edit_work", "Can add and change work items")],
                "indexes": [
                    models.Index(fields=["release", "state"], name="trains_work_release_452621_idx")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["proposed", "progress", "done", "deferred"])
                        ),
                        name="workitem_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("train__isnull", True), ("release__isnull", True), _connector="XOR"
                        ),
                        name="work_of_a_train_or_a_release",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="gate",
            constraint=models.UniqueConstraint(fields=("train", "stage"), name="one_gate_a_stage"),
        ),
        migrations.AddIndex(
            model_name="boarding",
            index=models.Index(fields=["train", "state"], name="trains_boar_train_i_83b3f4_idx"),
        ),
    ]
