"""A database that is a standby for a while: writes are refused with a 503, and not with a 500."""

import pytest
from django.contrib.auth.models import User
from django.db import InternalError, connection
from django.test import Client

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.api.problems import problem_of
from tests.access import bearer, token_of


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/sagas"])
def test_a_request_that_writes_is_a_503_wherever_it_comes_in(path: str) -> None:
    User.objects.create_superuser("jo", password="a long enough word")
    client = Client(raise_request_exception=False)
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        try:
            if path.startswith("/api"):
                headers = {**bearer(token_of("platform_admin")), "Idempotency-Key": "k"}
                body = {"kind": "echo", "inputs": {"message": "hello"}}
                answer = client.post(path, body, content_type="application/json", headers=headers)
            else:
                answer = client.post(path, {"username": "jo", "password": "a long enough word"})
        finally:
            cursor.execute("SET default_transaction_read_only = off")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.django_db(transaction=True)
def test_a_write_to_a_read_only_database_may_be_tried_again() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        try:
            with pytest.raises(InternalError) as refused:
                raise_alert(code="x", subject="x:1", message="x")
        finally:
            cursor.execute("SET default_transaction_read_only = off")
    problem = problem_of(refused.value)
    assert problem is not None
    assert (problem.status, problem.headers["Retry-After"]) == (503, "5")
