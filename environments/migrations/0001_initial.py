import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Environment",
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
                    "kind",
                    models.CharField(
                        help_text="Such as test, staging or production.", max_length=60
                    ),
                ),
                ("description", models.TextField(blank=True)),
                (
                    "owner_name",
                    models.CharField(
                        blank=True,
                        help_text="Where the owner has no account here.",
                        max_length=200,
                        verbose_name="owner outside",
                    ),
                ),
                ("is_production", models.BooleanField(default=False, verbose_name="production")),
                (
                    "most_deployments",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="How many turnovers may deploy here at the same time; the others queue.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                        verbose_name="deployments at once",
                    ),
                ),
                (
                    "is_restricted",
                    models.BooleanField(
                        default=False,
                        help_text="Bookings need a confirmation; only release managers promote into it.",
                        verbose_name="restricted",
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="The order of promotion; lowest first.",
                        verbose_name="order",
                    ),
                ),
                ("host", models.CharField(blank=True, max_length=300)),
                ("services", models.JSONField(blank=True, default=list, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("commissioned", "Commissioned"),
                            ("online", "Online"),
                            ("offline", "Offline"),
                            ("decommissioned", "Decommissioned"),
                        ],
                        default="commissioned",
                        editable=False,
                        max_length=50,
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
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="environments.environment",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "name", "pk"],
                "permissions": [
                    ("manage_environment", "Can add, change and place environments online")
                ],
                "indexes": [
                    models.Index(
                        fields=["state", "position", "name"], name="environment_state_c8924b_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("dataset", "external_id"),
                        name="environments_environment_is_imported_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["commissioned", "online", "offline", "decommissioned"])
                        ),
                        name="environment_state_is_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", "")),
                        fields=("name",),
                        name="environment_name_is_unique",
                        violation_error_message="There is an environment of this name already.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Booking",
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
                            ("train", "Train reservation"),
                            ("turnover", "Turnover"),
                            ("maintenance", "Maintenance"),
                            ("outage", "Outage"),
                            ("other", "Other event"),
                        ],
                        default="other",
                        max_length=12,
                    ),
                ),
                ("title", models.CharField(max_length=300)),
                ("starts", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                ("zone", models.CharField(default="UTC", editable=False, max_length=64)),
                (
                    "exclusive",
                    models.BooleanField(
                        default=True,
                        help_text="Nobody else may use the environment in this period.",
                    ),
                ),
                ("share_key", models.BigIntegerField(default=0, editable=False)),
                ("url", models.CharField(blank=True, editable=False, max_length=200)),
                ("note", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("confirmed", "Confirmed"),
                            ("declined", "Declined"),
                            ("released", "Released"),
                        ],
                        default="requested",
                        editable=False,
                        max_length=50,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bookings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bookings",
                        to="environments.environment",
                    ),
                ),
            ],
            options={
                "ordering": ["starts", "pk"],
                "permissions": [
                    ("book_environment", "Can book environments"),
                    ("confirm_booking", "Can confirm and decline bookings"),
                ],
                "indexes": [
                    models.Index(
                        fields=["environment", "state", "starts"],
                        name="environment_environ_e04d3f_idx",
                    ),
                    models.Index(fields=["state", "ends"], name="environment_state_067970_idx"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("dataset", "external_id"),
                        name="environments_booking_is_imported_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["requested", "confirmed", "declined", "released"])
                        ),
                        name="booking_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends__gt", models.F("starts"))),
                        name="booking_ends_after_it_starts",
                        violation_error_message="The end must be after the start.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalBooking",
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
                            ("train", "Train reservation"),
                            ("turnover", "Turnover"),
                            ("maintenance", "Maintenance"),
                            ("outage", "Outage"),
                            ("other", "Other event"),
                        ],
                        default="other",
                        max_length=12,
                    ),
                ),
                ("title", models.CharField(max_length=300)),
                ("starts", models.DateTimeField()),
                ("ends", models.DateTimeField()),
                ("zone", models.CharField(default="UTC", editable=False, max_length=64)),
                (
                    "exclusive",
                    models.BooleanField(
                        default=True,
                        help_text="Nobody else may use the environment in this period.",
                    ),
                ),
                ("share_key", models.BigIntegerField(default=0, editable=False)),
                ("url", models.CharField(blank=True, editable=False, max_length=200)),
                ("note", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("confirmed", "Confirmed"),
                            ("declined", "Declined"),
                            ("released", "Released"),
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
            ],
            options={
                "verbose_name": "historical booking",
                "verbose_name_plural": "historical bookings",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalEnvironment",
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
                    "kind",
                    models.CharField(
                        help_text="Such as test, staging or production.", max_length=60
                    ),
                ),
                ("description", models.TextField(blank=True)),
                (
                    "owner_name",
                    models.CharField(
                        blank=True,
                        help_text="Where the owner has no account here.",
                        max_length=200,
                        verbose_name="owner outside",
                    ),
                ),
                ("is_production", models.BooleanField(default=False, verbose_name="production")),
                (
                    "most_deployments",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="How many turnovers may deploy here at the same time; the others queue.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                        verbose_name="deployments at once",
                    ),
                ),
                (
                    "is_restricted",
                    models.BooleanField(
                        default=False,
                        help_text="Bookings need a confirmation; only release managers promote into it.",
                        verbose_name="restricted",
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="The order of promotion; lowest first.",
                        verbose_name="order",
                    ),
                ),
                ("host", models.CharField(blank=True, max_length=300)),
                ("services", models.JSONField(blank=True, default=list, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("commissioned", "Commissioned"),
                            ("online", "Online"),
                            ("offline", "Offline"),
                            ("decommissioned", "Decommissioned"),
                        ],
                        default="commissioned",
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
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="environments.environment",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical environment",
                "verbose_name_plural": "historical environments",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
    ]
