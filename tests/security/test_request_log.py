"""The request log names the parameters of a query and no value; its address can't be made up."""

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from structlog.testing import capture_logs

from arcadia_cloud.http.request_log import RequestLogMiddleware
from arcadia_cloud.logs import line_formatter
from tests.access import bearer, token_of


@pytest.mark.parametrize(
    ("query", "logged"),
    [
        ("", "GET /api/v1/inventory"),
        ("access_token=eyJhbGciOi.J9.x&kind=droplet", "GET /api/v1/inventory?access_token=…&kind=…"),
        ("token=a=b==&q=", "GET /api/v1/inventory?token=…&q="),
        ("eyJhbGciOi.J9.x", "GET /api/v1/inventory?…"),
        ("a=1;token=secret", "GET /api/v1/inventory?a=…;token=…"),
        ("q=%00%0asecret", "GET /api/v1/inventory?q=…"),
    ],
)
def test_a_query_is_logged_without_its_values(query: str, logged: str) -> None:
    request = RequestFactory().get("/api/v1/inventory", QUERY_STRING=query)
    assert RequestLogMiddleware.format_request(request) == logged


@pytest.mark.django_db
def test_a_token_in_the_query_string_is_not_in_the_log() -> None:
    token = token_of(tenant="acme")
    with capture_logs() as lines:
        Client().get("/api/v1/inventory", {"access_token": token}, headers=bearer(token))
    assert [line["event"] for line in lines if "request" in line] == ["request_started", "request_finished"]
    assert token not in repr(lines)


@pytest.mark.django_db
@pytest.mark.parametrize("production", [True, False])
@pytest.mark.parametrize(("host", "status"), [("testserver", 503), ("elsewhere.example", 400)])
def test_no_value_of_a_query_is_in_the_lines_of_django_itself(
    host: str,
    status: int,
    production: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A server's error and a host that isn't allowed: Django's loggers get the request itself.
    monkeypatch.setattr("arcadia_cloud.kernel.api.authentication.TenantToken.user", refuse)
    client = Client(raise_request_exception=False)
    headers = {**bearer(token_of(tenant="acme")), "host": host}
    answer = client.get("/api/v1/inventory", {"access_token": "eyJ-secret"}, headers=headers)
    assert answer.status_code == status
    formatter = line_formatter(production=production)
    lines = [formatter.format(record) for record in caplog.records if record.name.startswith("django.")]
    assert any("GET /api/v1/inventory" in line for line in lines)
    assert not any("eyJ-secret" in line for line in lines), lines


def refuse(*_arguments: object) -> None:
    raise OperationalError("the database is away")
