"""The log lines of requests: each carries its own ids, and no line those of another request."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from tests.access import bearer, token_of

pytestmark = pytest.mark.django_db
Line = MutableMapping[str, Any]


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    """The lines, with what is bound when each is logged."""
    with capture_logs(processors=[merge_contextvars]) as entries:
        yield entries
    clear_contextvars()


def test_two_requests_of_one_thread_have_each_its_own_ids(lines: list[Line]) -> None:
    for tenant in ("acme", "globex"):
        Client().get("/api/v1/inventory", headers=bearer(token_of(tenant=tenant, subject=f"of {tenant}")))
        structlog.get_logger("between").info("between")
    Client().get("/api/v1/inventory")  # of no tenant: refused
    finished = [line for line in lines if line["event"] == "request_finished"]
    assert [(line.get("tenant"), line.get("user_id")) for line in finished] == [
        ("acme", "of acme"),
        ("globex", "of globex"),
        (None, None),
    ]
    assert len({line["request_id"] for line in finished}) == 3
    between = [line for line in lines if line["event"] == "between"]
    assert between == [{"event": "between", "log_level": "info"}] * 2


def test_a_request_begins_without_what_somebody_left_bound(lines: list[Line]) -> None:
    bind_contextvars(saga=812, tenant="acme", task_id="t1")
    Client().get("/api/health")
    of_request = [line for line in lines if "request" in line]
    assert [line["event"] for line in of_request] == ["request_started", "request_finished"]
    assert not any({"saga", "tenant", "task_id"} & set(line) for line in of_request)


def test_a_request_that_ends_in_an_error_leaves_nothing_bound(lines: list[Line]) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create(username="jo", is_staff=True, is_superuser=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", refuse)
        assert client.get("/admin/").status_code == 503
        assert get_contextvars() == {}
    client.get("/api/health")
    (last,) = [line for line in lines if line["event"] == "request_finished"][-1:]
    assert last.get("user_id") is None


@pytest.mark.parametrize("raised", [RuntimeError("ours"), KeyboardInterrupt()])
def test_nothing_stays_bound_whatever_is_raised(raised: BaseException, lines: list[Line]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("arcadia_cloud.kernel.api.authentication.TenantToken.user", refuse_with(raised))
        with pytest.raises(type(raised)):
            Client().get("/api/v1/inventory", headers=bearer(token_of(tenant="acme")))
    assert get_contextvars() == {}


def refuse(*_arguments: object) -> None:
    raise OperationalError("connection to server at 10.1.2.3 failed")


def refuse_with(error: BaseException) -> Any:
    def raise_it(*_arguments: object) -> None:
        raise error

    return raise_it
