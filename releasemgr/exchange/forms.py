"""What people bring: a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile


class UploadForm(forms.Form):
    """A file with release data; its content is checked later, by a worker."""

    file = forms.FileField(
        label="File",
        max_length=255,
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
        error_messages={"empty": "This file is empty."},
    )

    def __init__(self, *args: Any, sent: int = 0, **kwargs: Any) -> None:
        """``sent`` is the size of the request: a file that was too large has not arrived."""
        super().__init__(*args, **kwargs)
        self._was_cut = sent > settings.UPLOAD_MAX_BYTES
        self.fields["file"].help_text = f"JSON, at most {self._most()}."
        if self._was_cut:
            self.fields["file"].error_messages["required"] = self._too_large()

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(self._too_large())
        return file

    def _most(self) -> str:
        return filesizeformat(settings.UPLOAD_MAX_BYTES)

    def _too_large(self) -> str:
        return (
            f"This file is larger than {self._most()}. An administrator can import it with "
            "“manage.py import_release_data”."
        )
