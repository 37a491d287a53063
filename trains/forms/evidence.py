"""Filing evidence for a criterion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat

from releasemgr.ui.forms import EditForm
from trains.models import Evidence

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile


class FilingForm(EditForm):
    """A note, a link, a file: at least one of them."""

    url = forms.URLField(label="Link", required=False, max_length=500, assume_scheme="https")
    file = forms.FileField(
        required=False, max_length=255, error_messages={"empty": "This file is empty."}
    )

    class Meta:
        model = Evidence
        fields = ["note", "url"]
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = filesizeformat(settings.EVIDENCE_MAX_BYTES)
        self.fields["file"].help_text = f"At most {most}. Whoever sees the train can download it."

    def clean_file(self) -> UploadedFile[bytes] | None:
        """Refuse what is larger than a piece of evidence needs to be."""
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > settings.EVIDENCE_MAX_BYTES:
            most = filesizeformat(settings.EVIDENCE_MAX_BYTES)
            raise forms.ValidationError(f"This file is larger than {most}. File a link to it.")
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        given = any(cleaned.get(name) for name in ("note", "url", "file"))
        if not given and not self.errors:
            self.add_error("note", "Write a note, give a link, or choose a file.")
        return cleaned
