"""Secrets in files that are replaced while the process runs."""

from pathlib import Path

import jwt
import pytest
import requests
from django.db import connection
from pytest_django.fixtures import Settings
from rest_framework_simplejwt.exceptions import TokenError
from structlog.testing import capture_logs

from arcadia_cloud.digitalocean.credentials import api_token, spaces_keys
from arcadia_cloud.finance.tokens import FinanceAuth
from arcadia_cloud.kernel.tokens import TenantToken
from arcadia_cloud.live_secret import LiveSecret
from tests.access import forged

OLD, NEW, SHORT = "old" * 30, "new" * 30, "short" * 12


def replaced(path: Path, content: str) -> None:
    """Put a new file in the place of this one by a rename, as mounted secrets are rotated."""
    fresh = path.with_suffix(".new")
    fresh.write_text(content)
    fresh.rename(path)


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of ARCADIA_JWT_SECRET."""
    path = tmp_path / "jwt_secret"
    path.write_text(OLD)
    monkeypatch.delenv("ARCADIA_JWT_SECRET", raising=False)
    monkeypatch.setenv("ARCADIA_JWT_SECRET_FILE", str(path))
    return path


def test_a_token_signed_with_the_secret_that_was_put_in_place_is_accepted_at_once(
    secret: Path, settings: Settings
) -> None:
    settings.ARCADIA_JWT_SECRET = OLD
    assert (token_counts(OLD), token_counts(NEW)) == (True, False)
    replaced(secret, NEW)
    assert (token_counts(OLD), token_counts(NEW)) == (False, True)


@pytest.mark.parametrize("spoiled", ["", SHORT, None])
def test_a_rotation_that_went_wrong_leaves_the_secret_of_before(
    secret: Path, settings: Settings, spoiled: str | None
) -> None:
    settings.ARCADIA_JWT_SECRET, settings.PRODUCTION = "at the start" * 9, True
    assert token_counts(OLD)
    with capture_logs() as lines:
        if spoiled is None:
            secret.unlink()
        else:
            replaced(secret, spoiled)
        assert [token_counts(key) for key in (OLD, SHORT)] == [True, False]
    told = [line["name"] for line in lines if line["event"] == "secret_file_unusable"]
    assert told == ["ARCADIA_JWT_SECRET_FILE"], "once, and by name"
    assert OLD not in repr(lines)


def test_a_variable_comes_before_its_file(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCADIA_JWT_SECRET", "x")
    assert LiveSecret("ARCADIA_JWT_SECRET").value("as the settings have it") == "as the settings have it"


def test_finance_is_signed_for_with_the_present_secret(secret: Path, settings: Settings) -> None:
    settings.ARCADIA_JWT_SECRET = settings.SKYAI_FINANCE_JWT_SECRET = OLD
    replaced(secret, NEW)
    request = FinanceAuth()(requests.Request("POST", "http://x/").prepare())
    token = request.headers["Authorization"].removeprefix("Bearer ")
    jwt.decode(token, NEW, algorithms=["HS512"], audience=settings.SKYAI_FINANCE_JWT_AUDIENCE)


@pytest.mark.parametrize("way", ["a rename", "a folder swapped by a link, as Kubernetes does"])
def test_a_token_of_digitalocean_is_the_present_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name in ("DO_API_TOKEN", "SPACES_KEY", "SPACES_SECRET"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "data" / name))
    for version in ("first", "second"):
        folder = tmp_path / version
        folder.mkdir()
        for name in ("DO_API_TOKEN", "SPACES_KEY", "SPACES_SECRET"):
            (folder / name).write_text(f"{version}-{name}\n")
    (tmp_path / "data").symlink_to("first")
    assert (api_token("SYNC"), spaces_keys().key) == ("first-DO_API_TOKEN", "first-SPACES_KEY")
    if way == "a rename":
        for name in ("DO_API_TOKEN", "SPACES_KEY"):
            (tmp_path / "second" / name).replace(tmp_path / "data" / name)
    else:
        (tmp_path / "new").symlink_to("second")
        (tmp_path / "new").rename(tmp_path / "data")
    assert (api_token("SYNC"), spaces_keys().key) == ("second-DO_API_TOKEN", "second-SPACES_KEY")


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_has_the_password_that_the_file_has_by_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = connection.get_connection_params()
    path = tmp_path / "database_url"
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(path))
    path.write_text("postgresql://someone:first@nowhere/other")
    replaced(path, "postgresql://someone:s%40cond@nowhere/other")
    changed = connection.get_connection_params()
    assert (changed["user"], changed["password"]) == ("someone", "s@cond")
    rest = {name for name in present if name not in {"user", "password"}}
    assert {name: changed[name] for name in rest if name != "context"} == {
        name: present[name] for name in rest if name != "context"
    }


def token_counts(key: str) -> bool:
    """Whether a token that is signed with this key is accepted."""
    try:
        TenantToken(forged(key=key))
    except TokenError:
        return False
    return True
