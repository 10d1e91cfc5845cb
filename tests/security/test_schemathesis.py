"""Requests made up from the schema: no server error, and no answer that the schema doesn't describe."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.access import bearer, token_of
from tests.security.made_up_requests import check, schema, something_to_find

__all__ = ["something_to_find"]  # the fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("something_to_find")]


@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_to_an_operator_is_one_that_the_schema_describes(case: Any) -> None:
    check(case, bearer(token_of("platform_admin")))
