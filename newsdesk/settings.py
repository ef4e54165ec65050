"""The one settings file. Installations differ by environment variables only; docs/operator.md lists them."""

import contextlib
import datetime
import os
import re
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
MARK_BYTES = 20_000


def variable(name: str, default: str = "") -> str:
    """An environment variable without surrounding space; empty counts as not set."""
    return os.environ.get(name, "").strip() or default


def switch(name: str, default: str = "0") -> bool:
    value = variable(name, default).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0.")


def number(name: str, default: str) -> int:
    value = variable(name, default)
    if not re.fullmatch(r"[1-9][0-9]{0,5}", value):
        raise ImproperlyConfigured(f"{name} must be a whole number from 1 to 999999.")
    return int(value)


def site_url() -> str:
    """NEWSDESK_URL without a final slash. Addresses are appended to it, so anything after the host is refused."""
    url = variable("NEWSDESK_URL", "http://127.0.0.1:8000").lower()
    match = re.fullmatch(r"(https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?)/?", url)
    if not match or not 0 < int(match[2] or 80) < 65536:
        raise ImproperlyConfigured(
            "NEWSDESK_URL must be the site's own address, such as https://news.example.org or http://127.0.0.1:8000: "
            "http or https, a host (letters, digits, dots, hyphens), perhaps a port, and no user, path or query."
        )
    return match[1]


def tag_authority() -> str:
    """NEWSDESK_TAG, an authority and a date as a tag URI has them: the host and the first year by default."""
    host = re.sub(r"[^a-z0-9.-]", "", urlsplit(NEWSDESK_URL).hostname)
    tag = variable("NEWSDESK_TAG", f"{host},2026").lower()
    if not re.fullmatch(r"[a-z0-9.@_-]+,[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", tag):
        raise ImproperlyConfigured(
            "NEWSDESK_TAG must be a name and a date on which it was yours, such as news.example.org,2026."
        )
    return tag


def hubs() -> list[str]:
    found = [url.strip() for url in variable("NEWSDESK_HUBS").split(",") if url.strip()]
    if not all(re.fullmatch(r"https?://[!-;=?-~]+", url) for url in found):
        raise ImproperlyConfigured("NEWSDESK_HUBS must be one or more URLs, separated by commas.")
    return found


def mark() -> str:
    """The drawing in the file that NEWSDESK_MARK names, or nothing. It stands on every page, so it has to be small."""
    if not (path := variable("NEWSDESK_MARK")):
        return ""
    try:
        drawing = Path(path).expanduser().read_bytes()
        root = ElementTree.fromstring(drawing.decode()) if len(drawing) <= MARK_BYTES else None
    except OSError as error:
        raise ImproperlyConfigured(f"NEWSDESK_MARK: {path} cannot be read ({error.strerror}).") from error
    except (ElementTree.ParseError, UnicodeDecodeError):
        root = None
    if root is None or root.tag != "{http://www.w3.org/2000/svg}svg":
        raise ImproperlyConfigured(f"NEWSDESK_MARK must be an SVG file in UTF-8 of at most {MARK_BYTES // 1000} kB.")
    return drawing.decode()


def data_directory() -> Path:
    # Private: it holds the secret key and what is not published yet.
    path = Path(variable("NEWSDESK_VAR", str(BASE_DIR / "var"))).expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"NEWSDESK_VAR: {path} cannot be made ({error.strerror}).") from error
    return path


def kept_secret(path: Path) -> str:
    """The secret key in this file, made at the first start, which may be that of several processes."""
    try:
        if not path.exists():
            # Whole and private (0600) before it has its name; `link` never replaces, so the first process wins.
            with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft, contextlib.suppress(FileExistsError):
                draft.write(get_random_secret_key())
                draft.flush()
                os.link(draft.name, path)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"The secret key cannot be kept in {path} ({error.strerror}).") from error


# The site

NEWSDESK_URL = site_url()
NEWSDESK_TITLE = variable("NEWSDESK_TITLE", "Newsdesk")
NEWSDESK_DESCRIPTION = variable("NEWSDESK_DESCRIPTION")
NEWSDESK_LICENSE = variable("NEWSDESK_LICENSE")
NEWSDESK_MARK = mark()

# Feed readers know entries by this for good, so it has to stay when the site moves (RFC 4151): a name that was ours on
# a date.
NEWSDESK_TAG = tag_authority()
# WebSub hubs that are told of what is new, and that feeds name.
NEWSDESK_HUBS = hubs()
# Where to report what is not safe: a URL or a mail address, for /.well-known/security.txt.
NEWSDESK_SECURITY_CONTACT = variable("NEWSDESK_SECURITY_CONTACT")

# Requests to the API a minute, from one address and with one key.
NEWSDESK_RATE = number("NEWSDESK_RATE", "300")
NEWSDESK_KEY_RATE = number("NEWSDESK_KEY_RATE", "3000")
# Whether webhooks and hubs may be at addresses of one's own network, where a stranger's request should never lead.
NEWSDESK_PRIVATE_CALLBACKS = switch("NEWSDESK_PRIVATE_CALLBACKS")

# Whether an editor may publish an entry that they wrote.
NEWSDESK_OWN_PUBLISHING = switch("NEWSDESK_OWN_PUBLISHING", "1")

VAR = data_directory()
SECRET_KEY = variable("NEWSDESK_SECRET_KEY") or kept_secret(VAR / "secret_key")
DEBUG = switch("NEWSDESK_DEBUG")

LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
NETLOC = urlsplit(NEWSDESK_URL).netloc
HOST = re.sub(r":[0-9]+$", "", NETLOC)
ALLOWED_HOSTS = [HOST, *(LOOPBACK if HOST in LOOPBACK else [])]
ALLOWED_HOSTS += [host.strip() for host in variable("NEWSDESK_HOSTS").split(",") if host.strip()]

LANGUAGE_CODE = variable("NEWSDESK_LANGUAGE", "en")
if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", LANGUAGE_CODE):
    raise ImproperlyConfigured("NEWSDESK_LANGUAGE must be a language tag such as en, de or pt-BR.")
# The language is that of the entries. Our own words are not translated, and a month in one language within a sentence
# in another would be worse than plain English.
USE_I18N = False

TIME_ZONE = variable("NEWSDESK_TIME_ZONE", "UTC")
USE_TZ = True
try:
    ZoneInfo(TIME_ZONE)
except (KeyError, ValueError, OSError) as error:  # not found, not a name, a directory such as "Europe"
    raise ImproperlyConfigured("NEWSDESK_TIME_ZONE must be a time zone's name such as UTC or Europe/Paris.") from error

# Transport

HTTPS = NEWSDESK_URL.startswith("https:")
SECURE_SSL_REDIRECT = HTTPS
SECURE_SSL_HOST = NETLOC
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
NEWSDESK_PROXY = switch("NEWSDESK_PROXY")
if NEWSDESK_PROXY:
    # Only when asked: without a proxy that overwrites it, any client could send this header.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains: those are not this site's to decide about
    "security.W021",  # HSTS preload: cannot be taken back within months
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Code

ROOT_URLCONF = "newsdesk.urls"
WSGI_APPLICATION = "newsdesk.wsgi.application"
APPEND_SLASH = False  # events.addresses decides which spellings redirect

INSTALLED_APPS = [
    "events.desk.apps.Desk",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "reversion",
    "taggit",
    "rest_framework",
    "csp",
    "django_tasks",
    "django_tasks_db",
    "events",
]

# Those for the desk do nothing until a view asks who is there, so public pages set no cookie and vary by none.
MIDDLEWARE = [
    "events.http.redirects_are_fresh",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",  # refuses unknown hosts, says Content-Length
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"reading": "events.pages.reading", "desk": "events.desk.tags"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# The desk

# Its cookies stay at the desk: what is public is the same for everyone, and caches may keep it.
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = "/desk/"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "events.desk.logins.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
NEWSDESK_IDLE_MINUTES = number("NEWSDESK_IDLE_MINUTES", "60")
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = datetime.timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "events.http.client_ip"
AXES_LOCKOUT_CALLABLE = "events.desk.people.locked_out"
AXES_RESET_ON_SUCCESS = True
# Whoever tries on while a login is locked neither keeps it locked nor fills the table.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "otp_token", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True  # the desk's own audit has logins
OTP_TOTP_ISSUER = NEWSDESK_TITLE

REST_FRAMEWORK = {
    # The record is public: nobody signs in to read it, so no request costs a look-up of its user.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "URL_FORMAT_OVERRIDE": None,  # the address says the format; ?format= would be a second spelling of each page
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]

# Data

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# gunicorn's threads live on, so a connection kept per thread does what a pool would, with nothing to size.
try:
    DATABASE = dj_database_url.parse(
        variable("DATABASE_URL", "sqlite:///" + quote(str(VAR / "db.sqlite3"))),
        conn_max_age=600,
        conn_health_checks=True,
    )
except ValueError as error:
    raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from error
DATABASE.setdefault("OPTIONS", {})
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    DATABASE["OPTIONS"] |= {
        # A transaction that reads first and writes later fails at once when another wrote in between, whatever the
        # timeout; taking the write lock at its start makes it wait instead.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # WAL: readers and the writer do not block each other. FULL: what was published survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000",
    }
elif DATABASE["OPTIONS"].get("pool"):
    DATABASE["CONN_MAX_AGE"] = 0  # ?pool=true was asked for; Django takes either a pool or kept connections
DATABASES = {"default": DATABASE}

# Rendered answers are kept here under the state that they show, so an old one is never wrong, only unused.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 5000},  # pages of 20 kB: 100 MB in each process at most
    }
}
if DEBUG:
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}  # an edited template shows at once
elif variable("REDIS_URL"):
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": variable("REDIS_URL"),
        "KEY_PREFIX": "newsdesk",
        # A cache that does not answer must not hold a page up for longer than making it takes.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }

# Work for later is kept in the database and done by `manage.py work`.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # Django's own handlers would mail the admins or, without DEBUG, say nothing.
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # An address with nothing behind it is an answer like others, not worth a line each.
        "django.request": {"level": "ERROR"},
        # Scanners try other host names all day; each would be a traceback.
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
        "django.security.TooManyFieldsSent": {"handlers": ["nowhere"], "propagate": False},
    },
}
