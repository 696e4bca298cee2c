"""Settings: one flat file, read from the environment here and nowhere else (docs/settings.md).

Every default runs at once. A value that cannot work is reported by portal.checks, not by a traceback.
"""

import sys
from pathlib import Path

import environ

from portal.runtime import embedded_postgres, keyfile, running

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# Where things live ---------------------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", default="") or ".data")
if not DATA_DIR.is_absolute():
    DATA_DIR = BASE_DIR / DATA_DIR
# A command typed beside a running `manage.py up` speaks to the same Klaviyo; the environment has the last word.
for _name, _value in running.values(DATA_DIR).items():
    env.ENVIRON.setdefault(_name, _value)
DEBUG = env.bool("DEBUG", default=False)
PORTAL_URL = env.str("PORTAL_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

# Secrets: from the environment, or made once and kept in DATA_DIR with mode 600 ----------------
SECRET_KEY = env.str("SECRET_KEY", default="") or keyfile.secret_key(DATA_DIR)
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[]) or keyfile.encryption_keys(DATA_DIR)

# Applications ----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "axes",
    "auditlog",
    "ninja",
    "csp",
    "django_q",
    "portal.tenancy",
    "portal.runtime",
    "portal",
    "loyalty",
    "integrations",
    "integrations.klaviyo",
]
DESTINATIONS = ["integrations.klaviyo.destination.Klaviyo"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "axes.middleware.AxesMiddleware",
]
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
                "portal.tenancy.context.navigation",
                "integrations.context.connections",
            ],
        },
    }
]

# Database: PostgreSQL everywhere; with no DATABASE_URL the portal runs its own -------------------
DATABASES = {
    "default": env.db_url_config(env.str("DATABASE_URL", default="") or embedded_postgres.url(DATA_DIR))
}
DATABASES["default"] |= {
    # Without persistent connections every queue call reconnects (measured: six times slower).
    # A psycopg pool does not survive the fork of a qcluster, so none is used.
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"},
}

# The queue: django-q2 on the same database, two clusters that share one set of code -------------
# retry >= timeout * (1 + ceil((queue_limit + bulk) / workers)) + 30 (the clock of `retry` starts when
# the pusher claims a task, not when a worker starts it).
QUEUE_WORKERS = env.int("QUEUE_WORKERS", default=2)
Q_CLUSTER = {
    "name": "portal",
    "label": "Background work",
    "orm": "default",
    "workers": QUEUE_WORKERS,
    "queue_limit": QUEUE_WORKERS,
    "bulk": 1,
    "timeout": 60,
    "retry": 300,
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": 250,
    "catch_up": False,
    "poll": 0.5,
    "guard_cycle": 0.5,
    "recycle": 500,
    "max_rss": 300_000,
    "cache": "default",
    "ALT_CLUSTERS": {
        "live": {"workers": QUEUE_WORKERS, "queue_limit": QUEUE_WORKERS, "poll": 0.1, "scheduler": False},
        "bulk": {"workers": QUEUE_WORKERS, "queue_limit": QUEUE_WORKERS, "poll": 0.3, "scheduler": True},
    },
}
# Set by the supervisor for the clusters that it starts.
QUEUE_LANE = env.str("Q_CLUSTER_NAME", default="")
QUEUE_BEAT_DIR = env.str("QUEUE_BEAT_DIR", default="")
# Dotted names, so that the ground knows nothing of what is built on it.
ANNOUNCE_TARGET = "integrations.services.lanes.nudge_tenant"
TICK_TARGET = "integrations.services.clock.tick"
ERASE_TARGET = "integrations.services.erasures.request"

# People --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "tenancy.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=8)
AXES_COOLOFF_TIME = 0.25  # hours
AXES_USERNAME_FORM_FIELD = "username"  # as Django names it in credentials; the default would be "email"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "portal.tenancy.views.signing_in.lockout"
AXES_SENSITIVE_PARAMETERS = ["code", "old_password", "new_password1", "new_password2"]  # kept as stars
AXES_CLIENT_IP_CALLABLE = "portal.tenancy.client_address.of"
REQUIRE_TWO_FACTOR_FOR_STAFF = env.bool("REQUIRE_TWO_FACTOR_FOR_STAFF", default=False)
# How many proxies of our own every request passes. What they add to a request is believed only then:
# without any, whoever asks could write X-Forwarded-* as they like.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
CSRF_FAILURE_VIEW = "portal.error_pages.stale_form"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PORTAL_URL.startswith("https://")
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    }
}
# A larger body is refused before it is read; 1,000 members by API need room.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DEMO = env.bool("DEMO", default=False)

# Language, time, static files, mail ------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["portal.formats"]
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # seconds; otherwise a mail server that does not answer holds a page or a worker for ever
# Webhooks go to public https addresses only; the demo's may go to a receiver on this machine.
WEBHOOKS_TO_THIS_MACHINE = env.bool("WEBHOOKS_TO_THIS_MACHINE", default=DEMO)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Loyalty portal <portal@localhost>")

# Klaviyo --------------------------------------------------------------------------------------
KLAVIYO_API_URL = env.str("KLAVIYO_API_URL", default="") or "https://a.klaviyo.com"
KLAVIYO_REVISION = env.str("KLAVIYO_REVISION", default="") or "2026-07-15"
KLAVIYO_AUTHORIZE_URL = (
    env.str("KLAVIYO_AUTHORIZE_URL", default="") or "https://www.klaviyo.com/oauth/authorize"
)
KLAVIYO_TOKEN_URL = env.str("KLAVIYO_TOKEN_URL", default="") or "https://a.klaviyo.com/oauth/token"
KLAVIYO_REVOKE_URL = env.str("KLAVIYO_REVOKE_URL", default="") or "https://a.klaviyo.com/oauth/revoke"
KLAVIYO_CLIENT_ID = env.str("KLAVIYO_CLIENT_ID", default="")
KLAVIYO_CLIENT_SECRET = env.str("KLAVIYO_CLIENT_SECRET", default="")

# Sync -----------------------------------------------------------------------------------------
LIVE_SINGLE_LIMIT = 100  # up to this many due members go one by one, more go as a bulk job
FULL_DUE_ABOVE = 10_000  # a change of more members marks the whole tenant instead
LATE_EVENT_AFTER_HOURS = env.int("LATE_EVENT_AFTER_HOURS", default=24)
BATCH_ATTEMPTS = 8
LEASE_SECONDS = 60
BEAT_SECONDS = 4
TICK_SECONDS = 1
BEAT_STALE_SECONDS = 15
POLL_DEADLINE_HOURS = 6

# How long history is kept, in days ---------------------------------------------------------------
KEEP_SENT_ROWS_DAYS = env.int("KEEP_SENT_ROWS_DAYS", default=30)
KEEP_OTHER_ROWS_DAYS = env.int("KEEP_OTHER_ROWS_DAYS", default=180)
KEEP_RUNS_DAYS = env.int("KEEP_RUNS_DAYS", default=400)
KEEP_OUTBOX_DAYS = env.int("KEEP_OUTBOX_DAYS", default=400)

# A command answers in words of its own; what goes on running tells what it does.
_is_command = Path(sys.argv[0]).name == "manage.py" and sys.argv[1:2] not in (
    ["up"],
    ["worker"],
    ["qcluster"],
    ["klaviyo_sandbox"],
)
_usual_level = "WARNING" if _is_command else "INFO"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="") or _usual_level},
    "loggers": {
        "django-q": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
    },
}
