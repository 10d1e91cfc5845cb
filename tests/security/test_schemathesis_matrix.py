"""More of the made-up requests, by anybody. With `--matrix` alone: four times as long, to collect too."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.access import bearer, token_of
from tests.security.made_up_requests import check, schema, something_to_find

__all__ = ["something_to_find"]  # the fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("something_to_find")]


@pytest.mark.parametrize("who", ["tenant", "nobody", "operator"])
@schema.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_so_is_every_answer_to_anybody(case: Any, who: str) -> None:
    tokens = {"tenant": token_of("member", tenant="acme"), "operator": token_of("platform_admin")}
    check(case, bearer(tokens[who]) if who in tokens else {})
