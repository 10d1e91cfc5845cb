"""Requests per tenant and minute, and what counting may cost when Redis is away."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from arcadia_cloud.kernel.api.throttles import breaker
from tests.access import bearer, token_of
from tests.kernel import brokers

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.kernel.probes")]
ECHO = "/api/v1/probe/echo"


@pytest.fixture(autouse=True)
def closed_breaker() -> Iterator[None]:
    breaker.reset()
    yield
    breaker.reset()


@pytest.fixture
def counted(tmp_path: Path, settings: Any) -> Iterator[None]:
    with brokers.answering(tmp_path) as valkey:
        settings.REDIS_URL = valkey.url
        settings.ARCADIA_API_REQUESTS_PER_MINUTE = 3
        if time.time() % 60 > 55:
            time.sleep(6)  # not across the minute
        yield


def asked(tenant: str | None = "acme", subject: str = "user-1", role: str = "member") -> Any:
    return Client(headers=bearer(token_of(role, tenant=tenant, subject=subject))).get(ECHO)


def test_a_tenant_beyond_its_share_is_told_when_to_come_back(counted: None) -> None:
    assert [asked(subject=f"user-{number}").status_code for number in range(5)] == [200, 200, 200, 429, 429]
    refused = asked()
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["type"].endswith(":throttled")
    assert 1 <= int(refused.headers["Retry-After"]) <= 61


def test_tenants_do_not_take_from_each_other(counted: None) -> None:
    for _ in range(4):
        asked()
    assert asked().status_code == 429
    assert asked(tenant="other").status_code == 200
    assert asked(tenant=None, subject="acme", role="platform_admin").status_code == 200


def test_operators_without_a_tenant_are_counted_by_subject(counted: None) -> None:
    codes = [asked(tenant=None, subject="op", role="platform_admin").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert asked(tenant=None, subject="op-2", role="platform_admin").status_code == 200


def test_health_is_never_refused(counted: None) -> None:
    assert {Client().get("/api/health").status_code for _ in range(5)} == {200}


@pytest.mark.parametrize("way", ["refusing", "silent", "full", "stopped"])
def test_without_redis_requests_pass_and_hardly_wait(
    way: str, tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asked()  # what is imported and opened once is not measured
    took = []
    with brokers.away(way, tmp_path) as url:
        settings.REDIS_URL = url
        for _ in range(3):  # the quickest counts: this machine may be busy with other tests
            breaker.reset()
            began = time.monotonic()
            assert asked().status_code == 200
            took.append(time.monotonic() - began)
        caplog.clear()
        assert [asked().status_code for _ in range(4)] == [200] * 4
    assert min(took) < 0.4
    assert "throttle_open" not in caplog.text, "the broken counter isn't asked again at once"


def test_redis_is_asked_again_after_a_while(counted: None, settings: Any) -> None:
    good = settings.REDIS_URL
    settings.REDIS_URL = brokers.refusing()
    asked()
    settings.REDIS_URL = good
    assert [asked().status_code for _ in range(5)] == [200] * 5
    breaker.reset()
    assert [asked().status_code for _ in range(4)] == [200, 200, 200, 429]
