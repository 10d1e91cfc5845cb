from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from arcadia_cloud.digitalocean import transport
from arcadia_cloud.digitalocean.account_check import account_checks
from arcadia_cloud.digitalocean.client import DigitalOcean
from arcadia_cloud.digitalocean.rate_limit.budget import UnlimitedBudget
from tests.digitalocean.provider import Provider, Script, provider

TOKEN = "dop_v1_" + "c0ffee" * 10 + "beef"

Connect = Callable[..., tuple[DigitalOcean, Provider]]


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DO_API_TOKEN_SYNC", "DO_API_TOKEN_BILLING", "DO_API_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DO_API_TOKEN", TOKEN)


@pytest.fixture(autouse=True)
def _no_account_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is an app's; the tests of this folder ask the client alone, but for those of the check."""
    monkeypatch.setattr(account_checks, "check", None)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off in milliseconds: how long it waits is a test of its own."""
    monkeypatch.setattr(transport, "FIRST_BACKOFF_SECONDS", 0.001)


@pytest.fixture
def connect() -> Iterator[Connect]:
    """A client of a provider that answers by a script."""
    with ExitStack() as open_:

        def make(script: Script, **options: Any) -> tuple[DigitalOcean, Provider]:
            server = open_.enter_context(provider(script))
            options = {"budget": UnlimitedBudget(), "timeout": 5.0, **options}
            return open_.enter_context(DigitalOcean(base_url=server.url, **options)), server

        yield make
