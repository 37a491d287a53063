import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("environments", "0002_confirmed_bookings_do_not_overlap"),
        ("trains", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("fence", models.PositiveIntegerField()),
                ("key", models.CharField(max_length=100)),
                ("worker", models.CharField(max_length=200)),
                ("claimed_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=20)),
                ("detail", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["task_run", "fence"],
                "indexes": [
                    models.Index(fields=["claimed_at"], name="turnovers_a_claimed_e55da6_idx")
                ],
            },
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("part", models.CharField(max_length=100, unique=True)),
                ("kind", models.CharField(default="scheduler", max_length=20)),
                ("since", models.DateTimeField(default=django.utils.timezone.now)),
                ("at", models.DateTimeField()),
                ("facts", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("number", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("deploy", "Deployment"), ("undo", "Undoing")],
                        default="deploy",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("started_by", models.CharField(editable=False, max_length=200)),
                (
                    "started_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                ("skip", models.JSONField(default=list, editable=False)),
                ("turned_at", models.DateTimeField(editable=False, null=True)),
                ("reason", models.TextField(blank=True, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("aborted", "Aborted"),
                        ],
                        default="running",
                        editable=False,
                        max_length=50,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(fields=["state", "turned_at"], name="turnovers_r_state_48ad79_idx")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["running", "succeeded", "failed", "aborted"])
                        ),
                        name="run_state_is_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Secret",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("name", models.SlugField(max_length=100, unique=True)),
                ("description", models.CharField(blank=True, max_length=300)),
                (
                    "targets",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text='The only host:port pairs it may be sent to, such as ["ci.example:443"].',
                    ),
                ),
                (
                    "set_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="value set"),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Callback",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                ("received_at", models.DateTimeField(null=True)),
                ("succeeded", models.BooleanField(null=True)),
                ("body", models.TextField(blank=True)),
                (
                    "attempt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="callback",
                        to="turnovers.attempt",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeploymentTask",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "order",
                    models.PositiveIntegerField(
                        default=1,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100000),
                        ],
                    ),
                ),
                ("section", models.CharField(blank=True, max_length=200, verbose_name="phase")),
                ("title", models.CharField(max_length=500)),
                ("instructions", models.TextField(blank=True)),
                (
                    "executor",
                    models.CharField(
                        blank=True, default="", max_length=30, verbose_name="carried out by"
                    ),
                ),
                ("parameters", models.JSONField(blank=True, default=dict)),
                (
                    "estimate_minutes",
                    models.PositiveIntegerField(
                        default=5,
                        validators=[django.core.validators.MaxValueValidator(100000)],
                        verbose_name="estimate (minutes)",
                    ),
                ),
                (
                    "timeout_seconds",
                    models.PositiveIntegerField(
                        default=300,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(86400),
                        ],
                        verbose_name="timeout (seconds)",
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="How often it is tried before it counts as failed.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                    ),
                ),
                (
                    "repeat_safe",
                    models.BooleanField(
                        default=False,
                        help_text="Doing it twice does no harm, or its receiver honours the Idempotency-Key: if its worker dies, it is resumed by itself. Otherwise it is done once only, and people settle what is not known.",
                        verbose_name="may be repeated",
                    ),
                ),
                (
                    "not_before",
                    models.DateTimeField(
                        blank=True,
                        help_text="It does not begin earlier, even if its turn has come.",
                        null=True,
                    ),
                ),
                ("undo", models.TextField(blank=True, verbose_name="what undoes it")),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("removed_at", models.DateTimeField(editable=False, null=True)),
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
                    "owner_group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="turnovers.deploymenttask",
                    ),
                ),
            ],
            options={
                "ordering": ["order", "pk"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalAllowedCommand",
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
                ("name", models.CharField(db_index=True, max_length=100)),
                ("description", models.CharField(blank=True, max_length=300)),
                (
                    "program",
                    models.CharField(
                        help_text="Absolute path; no shell is involved.", max_length=500
                    ),
                ),
                (
                    "arguments",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text='A list of fixed first arguments, such as ["--quiet"].',
                    ),
                ),
                (
                    "takes_arguments",
                    models.BooleanField(
                        default=False,
                        help_text="Tasks may add arguments of their own after the fixed ones.",
                    ),
                ),
                (
                    "directory",
                    models.CharField(blank=True, max_length=500, verbose_name="working directory"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="may be used")),
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
                "verbose_name": "historical allowed command",
                "verbose_name_plural": "historical allowed commands",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalSecret",
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
                ("name", models.SlugField(max_length=100)),
                ("description", models.CharField(blank=True, max_length=300)),
                (
                    "targets",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text='The only host:port pairs it may be sent to, such as ["ci.example:443"].',
                    ),
                ),
                (
                    "set_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="value set"),
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
                "verbose_name": "historical secret",
                "verbose_name_plural": "historical secrets",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="LateWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("succeeded", models.BooleanField()),
                ("detail", models.TextField(blank=True)),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="late_words",
                        to="turnovers.attempt",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="ReviewAction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("words", models.CharField(max_length=500, verbose_name="what is to be done")),
                ("due", models.DateField(blank=True, null=True)),
                ("done_at", models.DateTimeField(editable=False, null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="actions",
                        to="turnovers.run",
                    ),
                ),
            ],
            options={
                "ordering": ["done_at", "due", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("words", models.TextField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="turnovers.run",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalTaskRun",
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
                ("order", models.PositiveIntegerField(editable=False)),
                ("key", models.CharField(editable=False, max_length=100)),
                ("fence", models.PositiveIntegerField(default=0, editable=False)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("worker", models.CharField(blank=True, editable=False, max_length=200)),
                ("started_at", models.DateTimeField(editable=False, null=True)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                (
                    "ready_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("detail", models.TextField(blank=True, editable=False)),
                ("output", models.TextField(blank=True, editable=False)),
                ("evidence", models.TextField(blank=True, editable=False)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("happened", "It happened"),
                            ("again", "Run it again"),
                            ("failed", "It failed"),
                        ],
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("verdict_reason", models.TextField(blank=True, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("ready", "Ready"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("unknown", "Unknown"),
                            ("failed", "Failed"),
                            ("skipped", "Skipped"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
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
                    "done_by",
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
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="turnovers.deploymenttask",
                    ),
                ),
                (
                    "verdict_by",
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
                    "run",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="turnovers.run",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical task run",
                "verbose_name_plural": "historical task runs",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalReviewAction",
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
                ("words", models.CharField(max_length=500, verbose_name="what is to be done")),
                ("due", models.DateField(blank=True, null=True)),
                ("done_at", models.DateTimeField(editable=False, null=True)),
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
                    "run",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="turnovers.run",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical review action",
                "verbose_name_plural": "historical review actions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="AllowedCommand",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("name", models.CharField(max_length=100, unique=True)),
                ("description", models.CharField(blank=True, max_length=300)),
                (
                    "program",
                    models.CharField(
                        help_text="Absolute path; no shell is involved.", max_length=500
                    ),
                ),
                (
                    "arguments",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text='A list of fixed first arguments, such as ["--quiet"].',
                    ),
                ),
                (
                    "takes_arguments",
                    models.BooleanField(
                        default=False,
                        help_text="Tasks may add arguments of their own after the fixed ones.",
                    ),
                ),
                (
                    "directory",
                    models.CharField(blank=True, max_length=500, verbose_name="working directory"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="may be used")),
                (
                    "secrets",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Given to it in its environment, as RM_SECRET_ and the name.",
                        related_name="commands",
                        to="turnovers.secret",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="SecretValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sealed", models.TextField(editable=False)),
                (
                    "secret",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="value",
                        to="turnovers.secret",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TaskRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("order", models.PositiveIntegerField(editable=False)),
                ("key", models.CharField(editable=False, max_length=100)),
                ("fence", models.PositiveIntegerField(default=0, editable=False)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("worker", models.CharField(blank=True, editable=False, max_length=200)),
                ("started_at", models.DateTimeField(editable=False, null=True)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                (
                    "ready_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("detail", models.TextField(blank=True, editable=False)),
                ("output", models.TextField(blank=True, editable=False)),
                ("evidence", models.TextField(blank=True, editable=False)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("happened", "It happened"),
                            ("again", "Run it again"),
                            ("failed", "It failed"),
                        ],
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("verdict_reason", models.TextField(blank=True, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("ready", "Ready"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("unknown", "Unknown"),
                            ("failed", "Failed"),
                            ("skipped", "Skipped"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        editable=False,
                        max_length=50,
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="task_runs",
                        to="turnovers.run",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="task_runs",
                        to="turnovers.deploymenttask",
                    ),
                ),
                (
                    "verdict_by",
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
                "ordering": ["order", "task_id", "pk"],
                "permissions": [
                    ("settle_unknown", "Can say what became of a task whose ending is unknown")
                ],
                "indexes": [
                    models.Index(
                        fields=["state", "lease_until"], name="turnovers_t_state_2e6e89_idx"
                    ),
                    models.Index(fields=["run", "order"], name="turnovers_t_run_id_4c3fd9_idx"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "waiting",
                                    "ready",
                                    "running",
                                    "succeeded",
                                    "unknown",
                                    "failed",
                                    "skipped",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="taskrun_state_is_known",
                    ),
                    models.UniqueConstraint(fields=("run", "task"), name="task_once_a_run"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("fence__gte", 1),
                                ("lease_until__isnull", False),
                                ("state", "running"),
                            ),
                            models.Q(
                                models.Q(("state", "running"), _negated=True),
                                ("lease_until__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="taskrun_runs_under_a_lease",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="attempt",
            name="task_run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tries",
                to="turnovers.taskrun",
            ),
        ),
        migrations.CreateModel(
            name="Turnover",
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
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "earliest",
                    models.DateTimeField(blank=True, null=True, verbose_name="earliest start"),
                ),
                (
                    "latest",
                    models.DateTimeField(blank=True, null=True, verbose_name="latest start"),
                ),
                (
                    "if_late",
                    models.CharField(
                        choices=[
                            ("expire", "It expires: a new window has to be set"),
                            ("wait", "It waits, and starts as soon as it can"),
                        ],
                        default="expire",
                        max_length=10,
                        verbose_name="if it cannot start in its window",
                    ),
                ),
                (
                    "most_parallel",
                    models.PositiveSmallIntegerField(
                        default=10,
                        help_text="How many tasks of the same order are carried out at the same time.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="tasks at once",
                    ),
                ),
                ("deploys_alone", models.BooleanField(default=True, editable=False)),
                ("zone", models.CharField(default="UTC", editable=False, max_length=64)),
                ("delivered_digest", models.CharField(blank=True, editable=False, max_length=64)),
                ("delivered_at", models.DateTimeField(editable=False, null=True)),
                ("deployed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Being defined"),
                            ("delivered", "Delivered"),
                            ("ready", "Ready to deploy"),
                            ("deploying", "Deploying"),
                            ("deployed", "Deployed"),
                            ("verified", "Verified"),
                            ("closed", "Closed"),
                            ("failed", "Deployment failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=50,
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="turnovers",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="developer",
                    ),
                ),
                (
                    "booking",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="environments.booking",
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="turnovers",
                        to="environments.environment",
                    ),
                ),
                (
                    "promoted_from",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="promoted_to",
                        to="turnovers.turnover",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="turnovers",
                        to="trains.applicationrelease",
                        verbose_name="application release",
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="turnovers",
                        to="trains.train",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "permissions": [
                    ("write_turnover", "Can write, change and deliver turnovers"),
                    ("judge_turnover", "Can accept and return turnovers"),
                    ("run_turnover", "Can start, retry and abort deployments"),
                    ("start_early", "Can start a turnover before its window"),
                    ("verify_turnover", "Can verify deployments"),
                    ("promote_turnover", "Can promote turnovers"),
                    ("promote_restricted", "Can promote into restricted environments"),
                ],
                "indexes": [
                    models.Index(fields=["state", "earliest"], name="turnovers_t_state_6395c5_idx"),
                    models.Index(fields=["author", "state"], name="turnovers_t_author__a262cc_idx"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("dataset", "external_id"),
                        name="turnovers_turnover_is_imported_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "draft",
                                    "delivered",
                                    "ready",
                                    "deploying",
                                    "deployed",
                                    "verified",
                                    "closed",
                                    "failed",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="turnover_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("train__isnull", True), ("release__isnull", True), _connector="XOR"
                        ),
                        name="turnover_of_a_train_or_a_release",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("latest__gte", models.F("earliest")),
                            ("earliest__isnull", True),
                            ("latest__isnull", True),
                            _connector="OR",
                        ),
                        name="turnover_window_runs_forwards",
                        violation_error_message="The latest start must not be before the earliest.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("deploys_alone", True), ("state", "deploying")),
                        fields=("environment",),
                        name="one_deployment_an_environment",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="run",
            name="turnover",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="turnovers.turnover",
            ),
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("all", "Everything"),
                            ("train", "One train"),
                            ("environment", "One environment"),
                            ("turnover", "One turnover"),
                        ],
                        default="all",
                        max_length=12,
                    ),
                ),
                (
                    "stops_running",
                    models.BooleanField(
                        default=False,
                        help_text="Commands are ended and calls are broken off; what had begun may be unknown.",
                        verbose_name="also stop what is running",
                    ),
                ),
                ("reason", models.TextField()),
                (
                    "placed_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Held"), ("lifted", "Lifted")],
                        default="active",
                        editable=False,
                        max_length=50,
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holds",
                        to="environments.environment",
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "train",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holds",
                        to="trains.train",
                    ),
                ),
                (
                    "turnover",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holds",
                        to="turnovers.turnover",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "permissions": [("hold_line", "Can stop the line and let it go on")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["active", "lifted"])),
                        name="hold_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("environment__isnull", True),
                                ("scope", "all"),
                                ("train__isnull", True),
                                ("turnover__isnull", True),
                            ),
                            models.Q(("scope", "train"), ("train__isnull", False)),
                            models.Q(("environment__isnull", False), ("scope", "environment")),
                            models.Q(("scope", "turnover"), ("turnover__isnull", False)),
                            _connector="OR",
                        ),
                        name="hold_names_its_scope",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalTurnoverWork",
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
                    "item",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="trains.workitem",
                    ),
                ),
                (
                    "turnover",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="turnovers.turnover",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical turnover work",
                "verbose_name_plural": "historical turnover works",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalTurnover",
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
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "earliest",
                    models.DateTimeField(blank=True, null=True, verbose_name="earliest start"),
                ),
                (
                    "latest",
                    models.DateTimeField(blank=True, null=True, verbose_name="latest start"),
                ),
                (
                    "if_late",
                    models.CharField(
                        choices=[
                            ("expire", "It expires: a new window has to be set"),
                            ("wait", "It waits, and starts as soon as it can"),
                        ],
                        default="expire",
                        max_length=10,
                        verbose_name="if it cannot start in its window",
                    ),
                ),
                (
                    "most_parallel",
                    models.PositiveSmallIntegerField(
                        default=10,
                        help_text="How many tasks of the same order are carried out at the same time.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="tasks at once",
                    ),
                ),
                ("deploys_alone", models.BooleanField(default=True, editable=False)),
                ("zone", models.CharField(default="UTC", editable=False, max_length=64)),
                ("delivered_digest", models.CharField(blank=True, editable=False, max_length=64)),
                ("delivered_at", models.DateTimeField(editable=False, null=True)),
                ("deployed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Being defined"),
                            ("delivered", "Delivered"),
                            ("ready", "Ready to deploy"),
                            ("deploying", "Deploying"),
                            ("deployed", "Deployed"),
                            ("verified", "Verified"),
                            ("closed", "Closed"),
                            ("failed", "Deployment failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
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
                    "author",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="developer",
                    ),
                ),
                (
                    "booking",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="environments.booking",
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
                        verbose_name="application release",
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
                (
                    "promoted_from",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="turnovers.turnover",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical turnover",
                "verbose_name_plural": "historical turnovers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalRun",
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
                ("number", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("deploy", "Deployment"), ("undo", "Undoing")],
                        default="deploy",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("started_by", models.CharField(editable=False, max_length=200)),
                (
                    "started_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                ("skip", models.JSONField(default=list, editable=False)),
                ("turned_at", models.DateTimeField(editable=False, null=True)),
                ("reason", models.TextField(blank=True, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("aborted", "Aborted"),
                        ],
                        default="running",
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
                    "turnover",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="turnovers.turnover",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical run",
                "verbose_name_plural": "historical runs",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalHold",
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
                    "scope",
                    models.CharField(
                        choices=[
                            ("all", "Everything"),
                            ("train", "One train"),
                            ("environment", "One environment"),
                            ("turnover", "One turnover"),
                        ],
                        default="all",
                        max_length=12,
                    ),
                ),
                (
                    "stops_running",
                    models.BooleanField(
                        default=False,
                        help_text="Commands are ended and calls are broken off; what had begun may be unknown.",
                        verbose_name="also stop what is running",
                    ),
                ),
                ("reason", models.TextField()),
                (
                    "placed_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Held"), ("lifted", "Lifted")],
                        default="active",
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
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "placed_by",
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
                (
                    "turnover",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="turnovers.turnover",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical hold",
                "verbose_name_plural": "historical holds",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalDeploymentTask",
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
                    "order",
                    models.PositiveIntegerField(
                        default=1,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100000),
                        ],
                    ),
                ),
                ("section", models.CharField(blank=True, max_length=200, verbose_name="phase")),
                ("title", models.CharField(max_length=500)),
                ("instructions", models.TextField(blank=True)),
                (
                    "executor",
                    models.CharField(
                        blank=True, default="", max_length=30, verbose_name="carried out by"
                    ),
                ),
                ("parameters", models.JSONField(blank=True, default=dict)),
                (
                    "estimate_minutes",
                    models.PositiveIntegerField(
                        default=5,
                        validators=[django.core.validators.MaxValueValidator(100000)],
                        verbose_name="estimate (minutes)",
                    ),
                ),
                (
                    "timeout_seconds",
                    models.PositiveIntegerField(
                        default=300,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(86400),
                        ],
                        verbose_name="timeout (seconds)",
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="How often it is tried before it counts as failed.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(20),
                        ],
                    ),
                ),
                (
                    "repeat_safe",
                    models.BooleanField(
                        default=False,
                        help_text="Doing it twice does no harm, or its receiver honours the Idempotency-Key: if its worker dies, it is resumed by itself. Otherwise it is done once only, and people settle what is not known.",
                        verbose_name="may be repeated",
                    ),
                ),
                (
                    "not_before",
                    models.DateTimeField(
                        blank=True,
                        help_text="It does not begin earlier, even if its turn has come.",
                        null=True,
                    ),
                ),
                ("undo", models.TextField(blank=True, verbose_name="what undoes it")),
                ("extra", models.JSONField(blank=True, default=dict, editable=False)),
                ("removed_at", models.DateTimeField(editable=False, null=True)),
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
                    "owner_group",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="turnovers.deploymenttask",
                    ),
                ),
                (
                    "turnover",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="turnovers.turnover",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical deployment task",
                "verbose_name_plural": "historical deployment tasks",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalContent",
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
                    "version_name",
                    models.CharField(blank=True, max_length=100, verbose_name="version"),
                ),
                ("position", models.PositiveIntegerField(default=0)),
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
                    "turnover",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="turnovers.turnover",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical content",
                "verbose_name_plural": "historical contents",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name="deploymenttask",
            name="turnover",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tasks",
                to="turnovers.turnover",
            ),
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("plan", models.JSONField()),
                ("delivered_by", models.CharField(max_length=200)),
                ("delivered_at", models.DateTimeField()),
                (
                    "turnover",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="turnovers.turnover",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("turnover", "number"), name="delivery_number_is_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Content",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "version_name",
                    models.CharField(blank=True, max_length=100, verbose_name="version"),
                ),
                ("position", models.PositiveIntegerField(default=0)),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contents",
                        to="trains.applicationrelease",
                    ),
                ),
                (
                    "turnover",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contents",
                        to="turnovers.turnover",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("turnover", "release"), name="content_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TurnoverWork",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="turnover_links",
                        to="trains.workitem",
                    ),
                ),
                (
                    "turnover",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="work_links",
                        to="turnovers.turnover",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("turnover", "item"), name="work_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="turnover",
            name="work_items",
            field=models.ManyToManyField(
                related_name="turnovers", through="turnovers.TurnoverWork", to="trains.workitem"
            ),
        ),
        migrations.CreateModel(
            name="Presence",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seen_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="present",
                        to="turnovers.run",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("run", "person"), name="once_present_at_a_run")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                fields=("task_run", "fence"), name="one_attempt_a_fence"
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("task_run",),
                name="one_open_attempt_a_task",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                fields=("turnover", "number"), name="run_number_is_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")),
                fields=("turnover",),
                name="one_run_a_turnover_at_a_time",
            ),
        ),
        migrations.AddIndex(
            model_name="deploymenttask",
            index=models.Index(fields=["turnover", "order"], name="turnovers_d_turnove_67bfa1_idx"),
        ),
    ]
