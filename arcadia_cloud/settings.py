"""Settings, read once from the environment.

Development fills what is unset from the stack that `bin/run` has up. Production refuses to start
until everything it needs is set, and names all of it at once.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path

import django_stubs_ext
from corsheaders.defaults import default_headers
from kombu import Queue

from arcadia_cloud.console import theme_settings
from arcadia_cloud.console.sign_in_settings import read_single_sign_on, sign_in_settings
from arcadia_cloud.database_limits import ANSWER_SECONDS, CONNECT_SECONDS, ROLES, limited, role_of
from arcadia_cloud.digitalocean.credentials import is_well_formed
from arcadia_cloud.embedded.proxies import no_proxy_variables
from arcadia_cloud.embedded.state import TOKEN_VARIABLES, missing_variables, read_running_stack
from arcadia_cloud.environment import Environment, with_certificate_check
from arcadia_cloud.http.api_description import API_DESCRIPTION, API_GROUPS
from arcadia_cloud.logs import logging_settings

django_stubs_ext.monkeypatch()  # Django's generic classes take their parameter at run time too

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(os.environ)
ARCADIA_ENV = env.choice("ARCADIA_ENV", ("development", "production"))
PRODUCTION = ARCADIA_ENV == "production"

if not PRODUCTION:
    os.environ.update(
        {**missing_variables(read_running_stack(), os.environ), **no_proxy_variables(os.environ)}
    )


def _development(value: str) -> str | None:
    """Return a default that production doesn't have."""
    return None if PRODUCTION else value


# --- Django --------------------------------------------------------------------------------------
SECRET_KEY = env.text("SECRET_KEY", _development("only-for-development-" + "0" * 40))
if PRODUCTION and 0 < len(SECRET_KEY) < 50:  # noqa: PLR2004 - Django's own measure, security.W009
    env.problems.append("SECRET_KEY is shorter than 50 characters")
if PRODUCTION and SECRET_KEY and len(set(SECRET_KEY)) < 5:  # noqa: PLR2004 - as above
    env.problems.append("SECRET_KEY has fewer than 5 different characters")
DEBUG = False if PRODUCTION else env.flag("ARCADIA_DEBUG", default=False)
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver")
if PRODUCTION and not env.is_set("ALLOWED_HOSTS"):
    env.problems.append("ALLOWED_HOSTS is not set")
ROOT_URLCONF = "arcadia_cloud.urls"
WSGI_APPLICATION = "arcadia_cloud.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True  # the admin's habit; API paths have no trailing slash
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
DATA_UPLOAD_MAX_MEMORY_SIZE = env.number("ARCADIA_MAX_BODY_BYTES", 10 * 1024 * 1024, at_least=1024)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "arcadia_cloud.console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "corsheaders",
    "django_celery_beat",
    "django_filters",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "arcadia_cloud.kernel",
    "catalog",
    "deployments",
    "inventory",
    "provisioning",
    "metering",
    "drift",
    "billing",
    "arcadia_cloud.http",
    "arcadia_cloud.main_job",
    "arcadia_cloud.console",
]
MIDDLEWARE = [
    "arcadia_cloud.http.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "arcadia_cloud.http.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "arcadia_cloud.http.middleware.ApiMiddleware",
    "arcadia_cloud.http.middleware.RejectNulMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "arcadia_cloud.http.request_log.RequestLogMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "arcadia_cloud.console.second_factor.middleware.SecondFactorMiddleware",
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
            ],
        },
    },
]
STATIC_URL = "/static/"
# Development serves the files from where they are; a folder that isn't there would be warned about.
STATIC_ROOT = Path(env.text("ARCADIA_STATIC_ROOT", str(BASE_DIR / "staticfiles"))) if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}

# --- PostgreSQL ----------------------------------------------------------------------------------
if not PRODUCTION and not env.is_set("DATABASE_URL"):
    env.problems.append(
        "DATABASE_URL is not set and no embedded PostgreSQL is up: start bin/run, or name a PostgreSQL 18"
    )
    DATABASES = {}
else:
    DATABASES = {
        "default": {
            **env.database("DATABASE_URL"),
            "ENGINE": "arcadia_cloud.database_backend",
            "CONN_MAX_AGE": env.number("ARCADIA_DB_CONNECTION_MAX_AGE_SECONDS", 60),
            "CONN_HEALTH_CHECKS": True,
            "ATOMIC_REQUESTS": False,
        }
    }
    DATABASES["default"].setdefault("OPTIONS", {})
    if env.flag("ARCADIA_DB_BEHIND_PGBOUNCER", default=False):
        DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
        DATABASES["default"]["OPTIONS"]["prepare_threshold"] = None
    _role = env.choice("ARCADIA_ROLE", (role_of(sys.argv), *ROLES))
    DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", CONNECT_SECONDS[_role])
    DATABASES["default"]["ANSWER_SECONDS"] = (
        env.number("ARCADIA_DB_ANSWER_SECONDS", ANSWER_SECONDS.get(_role, 0)) or None
    )
    # PgBouncer takes no options of a session; behind it they are its connect_query's (docs/deploy.md).
    DATABASES["default"]["OPTIONS"] = limited(
        DATABASES["default"]["OPTIONS"],
        _role,
        on_server=not DATABASES["default"].get("DISABLE_SERVER_SIDE_CURSORS"),
    )

# --- Celery --------------------------------------------------------------------------------------
REDIS_URL = with_certificate_check(
    env.url("REDIS_URL", _development("redis://127.0.0.1:6379/0"), schemes=("redis", "rediss"))
)
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # or beat writes a clean-up of results into the schedule, whoever deleted it
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_DEFAULT_QUEUE = "cloud_sync_slow"
QUEUES = (
    "provisioning",
    "cloud_sync_fast",
    "cloud_sync_full",
    "cloud_sync_slow",
    "cloud_billing",
    "metering",
)
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in QUEUES]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # Celery's limit ends a worker after 50 minutes without broker
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_BEAT_SCHEDULER = "arcadia_cloud.kernel.queue.schedule.beat:BeatScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"
DJANGO_CELERY_BEAT_TZ_AWARE = True
# A publish on commit gives up after this, and the sweep finds the row.
ARCADIA_NUDGE_TIMEOUT_SECONDS = 0.5

# --- Access: JWTs minted elsewhere with Guardian, verified here --------------------------------------
ARCADIA_JWT_SECRET = env.text("ARCADIA_JWT_SECRET", _development("only-for-development-" + "0" * 64))
ARCADIA_JWT_SECRET_PREVIOUS = env.text("ARCADIA_JWT_SECRET_PREVIOUS", "")
ARCADIA_JWT_ALGORITHM = env.choice("ARCADIA_JWT_ALGORITHM", ("HS512", "HS384", "HS256"))
ARCADIA_JWT_ISSUER = env.text("ARCADIA_JWT_ISSUER", _development("arcadia"))
ARCADIA_JWT_AUDIENCE = env.text("ARCADIA_JWT_AUDIENCE", _development("arcadia"))
ARCADIA_JWT_LEEWAY_SECONDS = 30
for _name in ("ARCADIA_JWT_SECRET", "ARCADIA_JWT_SECRET_PREVIOUS") if PRODUCTION else ():
    if 0 < len(env.text(_name, "").encode()) < 64:  # noqa: PLR2004 - an HS512 key, RFC 7518 section 3.2
        env.problems.append(f"{_name} is shorter than 64 bytes")
SIMPLE_JWT = {"TOKEN_TYPE_CLAIM": "typ"}  # Guardian's name; kernel.tokens reads the rest at use, for rotation
AXES_FAILURE_LIMIT = env.number("ARCADIA_LOGIN_FAILURES", 5, at_least=1)
AXES_COOLOFF_TIME = timedelta(minutes=env.number("ARCADIA_LOGIN_COOLOFF_MINUTES", 15, at_least=1))
# Of all but viewers; without, a password alone opens the console.
ARCADIA_SECOND_FACTOR_REQUIRED = env.flag("ARCADIA_SECOND_FACTOR_REQUIRED", default=PRODUCTION)
ARCADIA_SINGLE_SIGN_ON = read_single_sign_on(env, production=PRODUCTION)
vars().update(sign_in_settings(ARCADIA_SINGLE_SIGN_ON))
# So long the console keeps who logged in and who failed to; never less than the lock-out.
ARCADIA_LOGIN_HISTORY_DAYS = env.number("ARCADIA_LOGIN_HISTORY_DAYS", 90, at_least=1)
# How many proxies stand in front of the web server: so many entries of X-Forwarded-For are theirs.
ARCADIA_TRUSTED_PROXIES = env.number("ARCADIA_TRUSTED_PROXIES", 0)

CORS_ALLOWED_ORIGINS = env.items("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "if-match", "if-none-match"]
CORS_EXPOSE_HEADERS = [
    "etag", "idempotent-replayed", "location", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset",
    "retry-after", "x-request-id",
]  # fmt: skip
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = env.flag("ARCADIA_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^api/health", r"^metrics$"]
    if ARCADIA_TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Console ---------------------------------------------------------------------------------------
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # the theme's form carries no `next` of its own
FORMAT_MODULE_PATH = "arcadia_cloud.console.formats"
UNFOLD = theme_settings.unfold_settings(production=PRODUCTION)

# --- API -------------------------------------------------------------------------------------------
ARCADIA_API_REQUESTS_PER_MINUTE = env.number("ARCADIA_API_REQUESTS_PER_MINUTE", 600, at_least=1)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["arcadia_cloud.kernel.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["arcadia_cloud.kernel.api.permissions.TenantOrOperator"],
    "DEFAULT_THROTTLE_CLASSES": ["arcadia_cloud.kernel.api.throttles.TenantThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["arcadia_cloud.kernel.api.parsers.BoundedJSONParser"],
    "DEFAULT_METADATA_CLASS": "arcadia_cloud.kernel.api.metadata.EndpointMetadata",
    "DEFAULT_PAGINATION_CLASS": "arcadia_cloud.kernel.api.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "arcadia_cloud.kernel.api.schema.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "arcadia_cloud.kernel.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is a parameter like any other
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "arcadia-cloud",
    "VERSION": "1",
    "DESCRIPTION": API_DESCRIPTION,
    "TAGS": API_GROUPS,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},  # no call to the internet
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api(/v[0-9]+)?",
    "ENUM_NAME_OVERRIDES": {
        "SagaStatusEnum": "provisioning.states.SagaStatus",
        "SagaStepStatusEnum": "provisioning.states.StepStatus",
        "DriftStatusEnum": "drift.states.DriftStatus",
        "AnomalyStatusEnum": "billing.states.AnomalyStatus",
        "AnomalyDirectionEnum": "billing.values.AnomalyDirection",
        "DirectionEnum": "provisioning.states.Direction",
        "DeploymentStateEnum": "deployments.states.DeploymentState",
        "SubscriptionStatusEnum": "deployments.states.SubscriptionStatus",
        "SimulationStatusEnum": "billing.states.SimulationStatus",
        "BillingKindEnum": "catalog.values.kinds.BillingKind",
        "KindEnum": "inventory.values.Kind",
        "GranularityEnum": "metering.values.Granularity",
        "PriceModelEnum": "catalog.values.kinds.PriceModelName",
        "QuoteLineTypeEnum": "catalog.values.lines.LineType",
        "QuoteWarningEnum": "catalog.values.lines.WarningCode",
    },
}

# --- DigitalOcean ----------------------------------------------------------------------------------
# Tokens are read at each use, by purpose (arcadia_cloud.digitalocean.credentials): rotation needs no restart.
DO_API_URL = env.url("DO_API_URL", "https://api.digitalocean.com", schemes=("https", "http"))
if PRODUCTION and not any(env.is_set(name) for name in TOKEN_VARIABLES):
    env.problems.append("DO_API_TOKEN (or DO_API_TOKEN_FILE, or one per purpose) is not set")
for _name in (*TOKEN_VARIABLES, "SPACES_KEY", "SPACES_SECRET"):
    # A file that can't be read, or holds something else, is a problem now and not at the first call.
    if (_secret := env.text(_name, "")) and not is_well_formed(_secret.strip()):
        env.problems.append(f"{_name} holds characters that no token has")
DO_TIMEOUT_SECONDS = env.number("DO_TIMEOUT_SECONDS", 30, at_least=1)
# The keys of Spaces (SPACES_KEY, SPACES_SECRET) are read at each use too.
SPACES_ENDPOINT_URL = env.url(
    "SPACES_ENDPOINT_URL", "https://{region}.digitaloceanspaces.com", schemes=("https", "http")
)
# A sync that died keeps its kind for so long.
ARCADIA_SYNC_LEASE_SECONDS = env.number("ARCADIA_SYNC_LEASE_SECONDS", 60, at_least=1)
# An ingest or a push that died keeps its invoice for so long.
ARCADIA_BILLING_LEASE_SECONDS = env.number("ARCADIA_BILLING_LEASE_SECONDS", 60, at_least=1)

# --- Provisioning ----------------------------------------------------------------------------------
# A saga whose worker died is taken over after so long.
ARCADIA_SAGA_LEASE_SECONDS = env.number("ARCADIA_SAGA_LEASE_SECONDS", 60, at_least=1)
# How many droplets and snapshots sagas may create within an hour, together and for one tenant; others wait.
ARCADIA_CREATES_PER_HOUR = env.number("ARCADIA_CREATES_PER_HOUR", 100)
ARCADIA_CREATES_PER_TENANT_PER_HOUR = env.number("ARCADIA_CREATES_PER_TENANT_PER_HOUR", 20)
# Within this time, lists of resources by tag may lack what was just made.
ARCADIA_SAGA_TAG_LAG_SECONDS = env.number("ARCADIA_SAGA_TAG_LAG_SECONDS", 60)
ARCADIA_SAGA_POLL_SECONDS = env.number("ARCADIA_SAGA_POLL_SECONDS", 5)
# What has a saga's mark and is older than its step by more than the clocks may differ is somebody else's.
ARCADIA_SAGA_CLOCK_SLACK_SECONDS = env.number("ARCADIA_SAGA_CLOCK_SLACK_SECONDS", 600)

# --- Costs -----------------------------------------------------------------------------------------
# A day's cost counts as an anomaly where it is off by both.
COST_ANOMALY_MIN_DOLLARS = env.number("COST_ANOMALY_MIN_DOLLARS", 5, at_least=1)
COST_ANOMALY_MIN_PERCENT = env.number("COST_ANOMALY_MIN_PERCENT", 30, at_least=1)

# --- Finance ---------------------------------------------------------------------------------------
SKYAI_FINANCE_URL = env.url("SKYAI_FINANCE_URL", "http://localhost:4010", schemes=("https", "http"))
SKYAI_FINANCE_ENABLED = env.flag(
    "SKYAI_FINANCE_ENABLED", default=not PRODUCTION or env.is_set("SKYAI_FINANCE_URL")
)
SKYAI_FINANCE_JWT_SECRET = env.text("SKYAI_FINANCE_JWT_SECRET", ARCADIA_JWT_SECRET)
SKYAI_FINANCE_JWT_AUDIENCE = env.text("SKYAI_FINANCE_JWT_AUDIENCE", "finance")
if SKYAI_FINANCE_JWT_AUDIENCE == ARCADIA_JWT_AUDIENCE:
    env.problems.append("SKYAI_FINANCE_JWT_AUDIENCE is ARCADIA_JWT_AUDIENCE: its tokens would open our API")
SKYAI_FINANCE_TENANT_ID = env.text("SKYAI_FINANCE_TENANT_ID", "platform-admin")
SKYAI_FINANCE_ROLES = env.items("SKYAI_FINANCE_ROLES", "admin")
SKYAI_FINANCE_TIMEOUT_SECONDS = env.number("SKYAI_FINANCE_TIMEOUT_SECONDS", 30, at_least=1)

# --- Alerts ----------------------------------------------------------------------------------------
# Each severity has receivers of its own; where none is named, the alert stands in the console alone.
ARCADIA_ALERT_EMAILS = {
    severity: env.items(f"ARCADIA_ALERT_EMAILS_{severity.upper()}") for severity in ("warning", "critical")
}
ARCADIA_ALERT_WEBHOOKS = {
    severity: env.url(f"ARCADIA_ALERT_WEBHOOK_{severity.upper()}", "", schemes=("https", "http"))
    for severity in ("warning", "critical")
}
# The console's own address, for the links in messages: https://cloud.example.org
ARCADIA_CONSOLE_URL = env.url("ARCADIA_CONSOLE_URL", "", schemes=("https", "http"))
vars().update(env.mail_server("ARCADIA_EMAIL_URL"))
DEFAULT_FROM_EMAIL = env.text("ARCADIA_EMAIL_FROM", "arcadia-cloud@localhost")
EMAIL_TIMEOUT = 10
if any(ARCADIA_ALERT_EMAILS.values()) and not env.is_set("ARCADIA_EMAIL_URL"):
    env.problems.append("ARCADIA_EMAIL_URL is not set, but ARCADIA_ALERT_EMAILS_… names receivers")

# --- Monitoring ------------------------------------------------------------------------------------
# What Prometheus sends as its bearer token; without one, /metrics answers in development alone.
ARCADIA_METRICS_TOKEN = env.text("ARCADIA_METRICS_TOKEN", "")
if 0 < len(ARCADIA_METRICS_TOKEN) < 20:  # noqa: PLR2004 - the endpoint has no lock-out
    env.problems.append("ARCADIA_METRICS_TOKEN is shorter than 20 characters")
# So long the events of GET /api/v1/events are kept.
ARCADIA_EVENT_FEED_DAYS = env.number("ARCADIA_EVENT_FEED_DAYS", 30, at_least=1)

LOG_LEVEL = env.choice("ARCADIA_LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL"))
DJANGO_STRUCTLOG_CELERY_ENABLED = True

env.finish()
LOGGING = logging_settings(production=PRODUCTION, level=LOG_LEVEL)
