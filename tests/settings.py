"""Settings for the test suite: the real ones, with tasks run on the spot."""

import os
import tempfile

# Each test process writes to a folder of its own, which goes when the process ends.
_folder = tempfile.TemporaryDirectory(prefix="releasemgr-test-")
os.environ["VAR_DIR"] = _folder.name

from releasemgr.settings import *  # noqa: E402, F403

# Nobody looks on, so that no thread asks the database of a test that is over.
WEB_THREADS = 1
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT.mkdir(parents=True)  # noqa: F405 -- WhiteNoise warns where there is none
