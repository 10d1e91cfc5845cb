"""A database that is a standby for a while: writes are refused with a 503, and not with a 500."""

import pytest
from django.db import InternalError, connection

from arcadia_cloud.kernel.alerts import raise_alert
from arcadia_cloud.kernel.api.problems import problem_of


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
