"""Settings of production: a clean deployment check, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from arcadia_cloud.embedded.state import PROJECT
from arcadia_cloud.environment import with_certificate_check

PRODUCTION = {
    "ARCADIA_ENV": "production",
    "SECRET_KEY": "aZ3-" * 20 + "unlike-anything",
    "DATABASE_URL": "postgresql://arcadia:secret@db.internal:5432/arcadia",
    "REDIS_URL": "redis://redis.internal:6379/0",
    "ARCADIA_JWT_SECRET": "x7_" * 30,
    "ARCADIA_JWT_ISSUER": "arcadia",
    "ARCADIA_JWT_AUDIENCE": "arcadia-cloud",
    "ALLOWED_HOSTS": "cloud.example.com",
    "DO_API_TOKEN": "dop_v1_" + "0" * 64,
    "ARCADIA_METRICS_TOKEN": "scrape-" + "m" * 24,
}
OPTIONAL = {"ARCADIA_METRICS_TOKEN"}
KEPT = {"PATH", "HOME", "LANG", "PYTHONPYCACHEPREFIX"}  # of this process's environment


def manage(
    *arguments: str, without: Collection[str] = (), **changed: str
) -> subprocess.CompletedProcess[str]:
    return python("manage.py", *arguments, without=without, **changed)


def python(
    *arguments: str, without: Collection[str] = (), **changed: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    production = {name: value for name, value in PRODUCTION.items() if name not in without}
    environment = {**kept, **production, **changed}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def test_the_deployment_check_is_clean() -> None:
    result = manage("check", "--deploy", "--fail-level", "INFO")
    assert result.returncode == 0, result.stderr
    assert "no issues (0 silenced)" in result.stdout


def test_the_deployment_check_warns_where_nobody_can_scrape() -> None:
    result = manage("check", "--deploy", "--fail-level", "WARNING", without={"ARCADIA_METRICS_TOKEN"})
    assert result.returncode != 0
    assert "(arcadia_cloud.W001) ARCADIA_METRICS_TOKEN is not set" in result.stderr


def test_the_deployment_check_warns_where_a_password_alone_opens_the_console() -> None:
    result = manage("check", "--deploy", "--fail-level", "WARNING", ARCADIA_SECOND_FACTOR_REQUIRED="false")
    assert result.returncode != 0
    assert "(arcadia_cloud.W002) ARCADIA_SECOND_FACTOR_REQUIRED is false" in result.stderr


def test_half_an_identity_provider_is_refused_at_the_start_and_a_whole_one_taken(tmp_path: Path) -> None:
    provider = {
        "ARCADIA_OIDC_ISSUER": "https://id.example.org",
        "ARCADIA_OIDC_CLIENT_ID": "console",
        "ARCADIA_OIDC_AUTHORIZATION_URL": "https://id.example.org/authorize",
        "ARCADIA_OIDC_TOKEN_URL": "https://id.example.org/token",
        "ARCADIA_OIDC_JWKS_URL": "https://id.example.org/keys",
        "ARCADIA_OIDC_GROUPS": "cloud-ops=operator",
    }
    result = manage("check", **provider)
    assert result.returncode != 0
    told = [line for line in result.stderr.splitlines() if line.startswith("  - ")]
    assert told == ["  - ARCADIA_OIDC_CLIENT_SECRET is not set, but other variables ARCADIA_OIDC_… are"]

    secret = tmp_path / "secret"
    secret.write_text("of-the-console\n")
    whole = {**provider, "ARCADIA_OIDC_CLIENT_SECRET_FILE": str(secret)}
    result = manage("check", "--deploy", "--fail-level", "INFO", **whole)
    assert result.returncode == 0, result.stderr


CONSOLE = (
    "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'arcadia_cloud.settings';"
    "from django.conf import settings as s;"
    "print(s.ARCADIA_SECOND_FACTOR_REQUIRED, s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY,"
    " s.SESSION_COOKIE_SAMESITE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS, s.ARCADIA_SINGLE_SIGN_ON)"
)


def test_the_consoles_sign_in_is_strict_in_production() -> None:
    result = python("-c", CONSOLE)
    assert result.stdout.strip() == "True True True Lax True 31536000 None", result.stderr


def test_a_short_metrics_token_is_refused_at_the_start() -> None:
    result = manage("check", ARCADIA_METRICS_TOKEN="guess-me")
    assert result.returncode != 0
    assert "  - ARCADIA_METRICS_TOKEN is shorter than 20 characters" in result.stderr


def test_production_names_everything_that_is_missing_at_once() -> None:
    needed = set(PRODUCTION) - {"ARCADIA_ENV"} - OPTIONAL
    result = manage("check", without=needed)
    assert result.returncode != 0
    assert [name for name in sorted(needed) if name not in result.stderr] == []
    assert "Traceback" not in result.stderr or "ImproperlyConfigured" in result.stderr


def test_production_names_everything_that_is_wrong_at_once_and_quotes_no_address(tmp_path: Path) -> None:
    garbled = tmp_path / "secret_key"
    garbled.write_bytes(b"\xff\xfe")
    result = manage(
        "check",
        without={"SECRET_KEY"},
        SECRET_KEY_FILE=str(garbled),
        DATABASE_URL="postgresql://arcadia:hunter2@db.internal:port/arcadia",
        REDIS_URL="redis.internal/hunter2",
        DO_API_URL="ftp://hunter2.internal",
        ARCADIA_LOG_LEVEL="LOUD",
    )
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    told = [line.split()[1] for line in result.stderr.splitlines() if line.startswith("  - ")]
    assert told == ["SECRET_KEY_FILE", "DATABASE_URL", "REDIS_URL", "DO_API_URL", "ARCADIA_LOG_LEVEL"]
    assert "hunter2" not in result.stderr


def test_the_secret_that_is_being_rotated_out_must_be_as_long_as_the_new_one() -> None:
    result = manage("check", ARCADIA_JWT_SECRET_PREVIOUS="short")
    assert result.returncode != 0
    assert "ARCADIA_JWT_SECRET_PREVIOUS is shorter than 64 bytes" in result.stderr


def test_production_named_by_a_file_is_production_too(tmp_path: Path) -> None:
    name = tmp_path / "environment"
    name.write_text("production\n")
    result = manage("check", without={"ARCADIA_ENV", "SECRET_KEY"}, ARCADIA_ENV_FILE=str(name))
    assert result.returncode != 0
    assert "SECRET_KEY is not set" in result.stderr


def test_no_token_is_minted_in_production() -> None:
    result = manage("issue_token", "--tenant", "acme")
    assert result.returncode != 0
    assert result.stdout == ""
    assert "development" in result.stderr


FINANCE = (
    "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'arcadia_cloud.settings';"
    "from django.conf import settings;"
    "print(settings.SKYAI_FINANCE_ENABLED, settings.SKYAI_FINANCE_URL, settings.SKYAI_FINANCE_ROLES,"
    " settings.SKYAI_FINANCE_JWT_SECRET == settings.ARCADIA_JWT_SECRET)"
)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, "False http://localhost:4010 ['admin'] True"),
        ({"SKYAI_FINANCE_URL": "https://f.internal"}, "True https://f.internal ['admin'] True"),
        (
            {"SKYAI_FINANCE_URL": "https://f.internal", "SKYAI_FINANCE_ENABLED": "false"},
            "False https://f.internal ['admin'] True",
        ),
        ({"SKYAI_FINANCE_ENABLED": "true"}, "True http://localhost:4010 ['admin'] True"),
        (
            {"SKYAI_FINANCE_JWT_SECRET": "theirs", "SKYAI_FINANCE_ROLES": "admin, accountant"},
            "False http://localhost:4010 ['admin', 'accountant'] False",
        ),
    ],
)
def test_finance_is_pushed_to_where_it_is_named(changed: dict[str, str], told: str) -> None:
    result = python("-c", FINANCE, **changed)
    assert result.stdout.strip() == told, result.stderr


def test_a_wrong_finance_is_refused_at_the_start() -> None:
    result = manage("check", SKYAI_FINANCE_URL="finance:4010", SKYAI_FINANCE_JWT_AUDIENCE="arcadia-cloud")
    assert result.returncode != 0
    told = [line.split()[1] for line in result.stderr.splitlines() if line.startswith("  - ")]
    assert told == ["SKYAI_FINANCE_URL", "SKYAI_FINANCE_JWT_AUDIENCE"]


@pytest.mark.parametrize("key", ["x", "a" * 49, "abc" * 40])
def test_a_secret_key_that_can_be_guessed_is_refused_at_the_start(key: str) -> None:
    result = manage("check", SECRET_KEY=key)
    assert result.returncode != 0
    assert "  - SECRET_KEY " in result.stderr


@pytest.mark.parametrize("name", ["DO_API_TOKEN", "DO_API_TOKEN_BILLING", "SPACES_SECRET"])
def test_a_secret_in_a_file_that_cannot_be_read_is_named_at_the_start(tmp_path: Path, name: str) -> None:
    result = manage("check", without={name}, **{f"{name}_FILE": str(tmp_path / "none")})
    assert result.returncode != 0
    assert f"{name}_FILE names {tmp_path / 'none'}, which can't be read" in result.stderr


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("redis://r:6379/0", "redis://r:6379/0"),
        ("rediss://r:6379/0", "rediss://r:6379/0?ssl_cert_reqs=required"),
        ("rediss://r:6379/0?health=1", "rediss://r:6379/0?health=1&ssl_cert_reqs=required"),
        ("rediss://r/0?ssl_cert_reqs=none", "rediss://r/0?ssl_cert_reqs=none"),
    ],
)
def test_a_certificate_is_checked_unless_the_address_says_otherwise(url: str, used: str) -> None:
    assert with_certificate_check(url) == used


def test_every_secret_file_without_a_secret_is_named_at_the_start(tmp_path: Path) -> None:
    contents = {
        "SECRET_KEY": (b"", "which is empty"),
        "DATABASE_URL": (b" \n", "which is empty"),
        "ARCADIA_JWT_SECRET": (b"\xff\xfe", "which is not UTF-8 text"),
        "DO_API_TOKEN_SYNC": (b"\n", "which is empty"),
        "SPACES_KEY": (b"", "which is empty"),
    }
    for name, (content, _) in contents.items():
        (tmp_path / name).write_bytes(content)
    files = {f"{name}_FILE": str(tmp_path / name) for name in contents}
    result = manage("check", without=contents, **files)
    assert result.returncode != 0
    told = [line.removeprefix("  - ") for line in result.stderr.splitlines() if line.startswith("  - ")]
    assert set(told) == {
        f"{name}_FILE names {tmp_path / name}, {words}" for name, (_, words) in contents.items()
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that another user can't read")
def test_a_secret_that_is_roots_own_is_named_with_the_user_who_cannot_read_it() -> None:
    script = (
        "import os, sys; from arcadia_cloud.environment import Environment; os.seteuid(65534);"
        "found = Environment({'DO_API_TOKEN_FILE': sys.argv[1]}); found.text('DO_API_TOKEN', '');"
        "print(found.problems)"
    )
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "do_api_token")
        path.write_text("dop_v1_" + "0" * 64)
        path.chmod(0o600)
        result = python("-c", script, str(path))
    assert "which can't be read (by user 65534): Permission denied" in result.stdout, result.stderr


def test_a_token_that_no_header_can_carry_is_named_at_the_start_and_not_quoted() -> None:
    tokens = {
        "DO_API_TOKEN": "dop_v1_x7q w9z",
        "DO_API_TOKEN_SYNC": "dop_v1_x7q\nw9z",
        "DO_API_TOKEN_BILLING": "Bearer w9z",
        "SPACES_SECRET": "w9z\u00e9",
    }
    result = manage("check", **tokens)
    assert result.returncode != 0
    rule = "holds characters that no token has"
    assert [name for name in tokens if f"{name} {rule}" not in result.stderr] == []
    assert "w9z" not in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["gunicorn", "arcadia_cloud.wsgi:application", "--bind", "127.0.0.1:0", "--no-control-socket"],
        ["celery", "-A", "arcadia_cloud", "worker"],
        ["celery", "-A", "arcadia_cloud", "beat", "--pidfile="],
    ],
    ids=["web", "worker", "beat"],
)
def test_every_service_that_stops_for_a_secret_says_which(tmp_path: Path, command: list[str]) -> None:
    result = python("-m", *command, without={"DO_API_TOKEN"}, DO_API_TOKEN_FILE=str(tmp_path / "none"))
    assert result.returncode != 0
    assert (
        f"DO_API_TOKEN_FILE names {tmp_path / 'none'}, which can't be read" in result.stdout + result.stderr
    )
