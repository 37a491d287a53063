"""Settings, read from the environment, with defaults for a laptop.

``docs/operations.md`` explains every variable. Nothing else in the code reads the environment.
"""

import hashlib
import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

env = environ.Env()
# An empty variable counts as absent, as it does in compose files and unit files.
env.ENVIRON = {name: value for name, value in os.environ.items() if value}

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where we are ---------------------------------------------------------------------------------

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
"""Everything that running writes on this machine: database, messages, collected files, key."""
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

BIND_ADDRESS = env.str("BIND_ADDRESS", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
if not 0 < PORT < 65536:  # noqa: PLR2004 - what TCP has
    raise ImproperlyConfigured(f"PORT must be between 1 and 65535, and is {PORT}.")
BASE_URL = env.str("BASE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
"""The address people type; links in mails start with it."""

_address = urlsplit(BASE_URL)
if _address.scheme not in {"http", "https"} or not _address.hostname:
    raise ImproperlyConfigured(f"BASE_URL must look like https://releases.example: {BASE_URL!r}")
_loopback = ["localhost", "127.0.0.1", "[::1]"]
ON_LAPTOP = _address.hostname in {"localhost", "127.0.0.1", "::1"}
"""Only this machine can reach us, so defaults that need no secret are good enough."""

IS_HTTPS = _address.scheme == "https"
INSTANCE_ID = env.str("INSTANCE_ID", default=socket.gethostname())
"""Who this installation is, so that a restored copy can tell that it is not the original."""

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=_loopback if ON_LAPTOP else [_address.hostname])
CSRF_TRUSTED_ORIGINS = [f"{_address.scheme}://{_address.netloc}"]
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
"""Addresses or networks of the reverse proxies whose X-Forwarded-* headers we believe."""

# --- Secrets --------------------------------------------------------------------------------------


def laptop_key() -> str:
    """Return this laptop's own key, made at the first start and readable by its owner only."""
    path = VAR_DIR / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        key = get_random_secret_key()
        file.write(key)
    return key


# The first key signs; the others are still believed, so that a key can be replaced in peace.
_keys = env.list("SECRET_KEYS", default=[])
if not _keys and not ON_LAPTOP:
    raise ImproperlyConfigured(
        f"Set SECRET_KEYS: BASE_URL says that others can reach this installation ({BASE_URL})."
    )
SECRET_KEY, *SECRET_KEY_FALLBACKS = _keys or [laptop_key()]

SECRETS_KEYS = env.list("SECRETS_KEYS", default=[SECRET_KEY, *SECRET_KEY_FALLBACKS])
"""What the secrets of automated tasks are sealed with: the first seals, the others still open."""

# --- Application ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_fsm",
    "simple_history",
    "releasemgr.workflow",
    "releasemgr.ui",
    "releasemgr.accounts",
    "approvals",
    "environments",
    "trains",
    "turnovers",
    "releasemgr.notices",
    "releasemgr.exchange",
    "releasemgr.demo",
    "releasemgr.operations",
    "releasemgr.portal",
]
MIDDLEWARE = [
    "releasemgr.middleware.HealthMiddleware",
    "releasemgr.middleware.TrustedProxyMiddleware",
    "releasemgr.ui.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "releasemgr.middleware.PolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "releasemgr.ui.middleware.ReadableInputMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "releasemgr.accounts.middleware.UserTimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
ROOT_URLCONF = "releasemgr.urls"
CSRF_FAILURE_VIEW = "releasemgr.ui.views.csrf_failure"
WSGI_APPLICATION = "releasemgr.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "releasemgr.ui.context.shell",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
USE_I18N = False  # one language; this also keeps form values in ISO dates, as <input> wants them
DATE_FORMAT = "j F Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j F Y, H:i"
FIRST_DAY_OF_WEEK = 1
USE_TZ = True
TIME_ZONE = "UTC"
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
# Nothing in history is rewritten, not even by an administrator.
SIMPLE_HISTORY_REVERT_DISABLED = True

WEB_PROCESSES = env.int("WEB_PROCESSES", default=2)
WEB_THREADS = env.int("WEB_THREADS", default=16)
"""Requests that one process answers at a time; up to half of them are pages that look on."""

# --- People ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"

# --- Database -------------------------------------------------------------------------------------

SQLITE = {
    # Writers take turns from the first statement on, since SQLite has no row locks.
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
POSTGRESQL = {
    "connect_timeout": 5,
    "application_name": "releasemgr",
    # Nobody waits for ever: a lock, a query and a forgotten transaction all have an end.
    "options": (
        "-c lock_timeout=3s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
    ),
}

_database = env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'releasemgr.sqlite3'}")
_is_sqlite = _database["ENGINE"] == "django.db.backends.sqlite3"
if not _is_sqlite and _database["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// or sqlite:///")
DATABASES = {
    "default": {
        **_database,
        "OPTIONS": {**(SQLITE if _is_sqlite else POSTGRESQL), **_database.get("OPTIONS", {})},
        "CONN_MAX_AGE": 0 if _is_sqlite else env.int("CONN_MAX_AGE", default=600),
        "CONN_HEALTH_CHECKS": not _is_sqlite,
    }
}

# --- Messages to workers --------------------------------------------------------------------------

TICK_SECONDS = env.float("TICK_SECONDS", default=5.0)
"""How often the scheduler looks even when nothing has told it to."""

LEASE_SECONDS = env.float("LEASE_SECONDS", default=120.0)
"""How long a worker holds a claim before another may take it over."""

if TICK_SECONDS <= 0 or LEASE_SECONDS < 2:  # noqa: PLR2004 - see the time limits below
    raise ImproperlyConfigured("TICK_SECONDS must be above 0 and LEASE_SECONDS at least 2.")

BROKER_URL = env.str("BROKER_URL", default="filesystem://")
if BROKER_URL.startswith("filesystem:"):
    _queue = VAR_DIR / "queue"
    _folders = {
        "data_folder_in": _queue / "messages",
        "data_folder_out": _queue / "messages",  # the same: this machine talks to itself
        "control_folder": _queue / "control",
    }
    for _folder in _folders.values():
        _folder.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "polling_interval": 0.2,
        **{name: str(path) for name, path in _folders.items()},
    }
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # it would poll the disk for nothing
else:
    # A broker that hangs must not hang the person who clicked: the scheduler finds the row anyway.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5}

CELERY_BROKER_URL = "filesystem://localhost/" if BROKER_URL == "filesystem://" else BROKER_URL
CELERY_BROKER_CONNECTION_TIMEOUT = 2
# A hint is an id in one database. Installations that share a broker must not take each other's.
CELERY_TASK_DEFAULT_QUEUE = env.str(
    "QUEUE",
    default=f"releasemgr-{hashlib.sha256(str(_database['NAME']).encode()).hexdigest()[:12]}",
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = max(1, int(LEASE_SECONDS * 0.9))  # ends before somebody else may begin
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_POOL = "releasemgr.pool:Pool"
CELERY_WORKER_CONCURRENCY = env.int("WORKER_PROCESSES", default=2)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

OUTBOUND_ALLOW = env.list("OUTBOUND_ALLOW", default=[])
"""The only host:port pairs that automated tasks may call."""

# --- Health ---------------------------------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
"""What a reader of /metrics must show; without it there is no such page."""

HEALTH_TOKEN = env.str("HEALTH_TOKEN", default="")
"""What shows details at /readyz from elsewhere than this machine."""

READY_NEEDS = env.list("READY_NEEDS", default=[])
"""Of scheduler and worker, those that must have been seen before this installation is ready."""
if unknown := set(READY_NEEDS) - {"scheduler", "worker"}:
    raise ImproperlyConfigured(f"READY_NEEDS may name scheduler and worker, not {unknown}.")

DISK_FREE_MB = env.int("DISK_FREE_MB", default=200)
"""With less free space than this where VAR_DIR is, the installation is not ready."""

# --- Files ----------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=64 * 1024 * 1024)
"""The largest release data file that can be uploaded."""
EVIDENCE_MAX_BYTES = env.int("EVIDENCE_MAX_BYTES", default=10 * 1024 * 1024)
"""The largest file that can be filed as evidence."""
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # a request's fields, files apart
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 5
FILE_UPLOAD_HANDLERS = [
    "releasemgr.exchange.limits.SizeLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # larger ones go through a temporary file

# --- Mail -----------------------------------------------------------------------------------------

_mail = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST = _mail["EMAIL_HOST"] or "localhost"
EMAIL_PORT = _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = f"/{_mail['EMAIL_FILE_PATH']}"  # where filemail:///folder puts them
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default=f"releases@{_address.hostname}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

NOTICE_DAYS = env.int("NOTICE_DAYS", default=180)
"""For how many days people's notices, and the mails of them, are kept."""
if NOTICE_DAYS < 14:  # noqa: PLR2004 - weekly reminders look back a week
    raise ImproperlyConfigured("NOTICE_DAYS must be at least 14.")

# --- Security headers and cookies -----------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 12  # a working day
SESSION_COOKIE_NAME = "rm_session"
CSRF_COOKIE_NAME = "rm_csrf"
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=3600) if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = SECURE_HSTS_INCLUDE_SUBDOMAINS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "frame-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# Django's own administration pages carry a few style attributes and one data: image.
ADMIN_CSP_CHANGES = {"style-src": [SELF, UNSAFE_INLINE], "img-src": [SELF, "data:"]}

# --- Logs -----------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # Error pages show the reference number of their request; this is where it is found again.
    "filters": {
        "request": {"()": "releasemgr.ui.middleware.RequestIdFilter"},
        "secrets": {"()": "turnovers.redaction.RedactingFilter"},
    },
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(request_id)s %(name)s: %(message)s"}
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request", "secrets"],
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # Django's own handlers would hide what goes wrong when DEBUG is off: root says it all.
    "loggers": {"django": {"handlers": [], "level": LOG_LEVEL, "propagate": True}},
}
