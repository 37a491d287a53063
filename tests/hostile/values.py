"""What people, machines and attackers put into addresses and forms."""

import datetime as dt

from django import forms
from django.utils import timezone

MARKUP = "\"'><live onclick=x>&amp;</td><script>alert(1)</script>"
RIGHT_TO_LEFT = (
    "\u202e\u05e9\u05dc\u05d5\u05dd\u202c \U0001f682\U0001f469\u200d\U0001f692 e\u0301 \ufdfd"
)
SQL = "'; DROP TABLE trains_train; -- \\ % _ %s {0} {{ x }} {% x %}"

TEXTS = (
    f"{MARKUP}{RIGHT_TO_LEFT}{SQL}",
    "x" * 100_000,
    " \t\r\n ",
    "\x01\x08\x1b[31m\x7f\ufeff\ufffe",
    "",
)
NUMBERS = ("-1", "0", str(2**31), str(2**63), "9" * 400, "1e309", "NaN", "٣", "1.5", "0x10", "x")
MOMENTS = (
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "9999-12-31T23:59:59.999999+00:00",
    "1969-12-31T23:59",
    "2026-02-30",
    "2026-03-29T01:30",  # the hour that Europe/London skips
    "2026-10-25T01:30",  # the hour that it has twice
    "2026-W01-1",
    "tomorrow",
)
CHOICES = ("0", "-1", str(2**31), str(2**63), "9" * 400, "nobody", "' OR 1=1 --", "[]")
#: As far ahead as zones go, with a day that never was; and one that shifts by half an hour.
ZONES = ("Pacific/Kiritimati", "Australia/Lord_Howe")
#: For one value in an address, whatever it means there.
QUERY = (
    f"{MARKUP}{RIGHT_TO_LEFT}{SQL}",
    "-1",
    str(2**63),
    "9" * 400,
    "²",
    "0001-01-01",
    "9999-12-31T23:59",
)


def kind(field: forms.Field) -> str:
    """Which of the values above a field is tried with."""
    if isinstance(field, (forms.ModelChoiceField, forms.ChoiceField)):
        return "choice"
    if isinstance(field, (forms.DateField, forms.DateTimeField)):
        return "moment"
    if isinstance(field, (forms.IntegerField, forms.FloatField, forms.DecimalField)):
        return "number"
    return "text" if isinstance(field, forms.CharField) else "other"


def fitting(form: forms.BaseForm) -> dict[str, object]:
    """Values that the form takes, as a browser would send them."""
    data = {}
    for name, field in form.fields.items():
        value = form[name].value()
        value = _fitting(field) if value in (None, "", []) else value
        if value not in (None, False):
            data[name] = value
    return data


def _fitting(field: forms.Field) -> object:
    many = isinstance(field, (forms.ModelMultipleChoiceField, forms.MultipleChoiceField))
    found: object = None
    if isinstance(field, forms.ModelChoiceField):
        first = field.queryset.first()
        found = None if first is None else first.pk
    elif isinstance(field, forms.ChoiceField):
        found = next((str(value) for value, _ in field.choices if value), None)
    elif isinstance(field, forms.DateTimeField):
        found = f"{timezone.localtime() + dt.timedelta(days=1):%Y-%m-%dT%H:%M}"
    elif isinstance(field, forms.DateField):
        found = timezone.localdate().isoformat()
    elif kind(field) == "number":
        found = 1
    elif isinstance(field, forms.URLField):
        found = "https://example.com/"
    elif kind(field) == "text":
        found = "Something"
    if many and found is not None:
        return [found]
    return found
