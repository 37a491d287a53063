from django.db import models


class Imported(models.Model):
    """A row that came from a release-data file, and all that the file said besides our fields."""

    dataset = models.CharField(max_length=100, blank=True, default="", editable=False)
    external_id = models.CharField(max_length=300, blank=True, default="", editable=False)
    extra = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "external_id"],
                condition=~models.Q(external_id=""),
                name="%(app_label)s_%(class)s_is_imported_once",
            )
        ]
