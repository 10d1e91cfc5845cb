"""Requests made up from the schema: no server error, and no answer that the schema doesn't describe."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from arcadia_cloud.embedded.state import PROJECT
from arcadia_cloud.kernel.api.throttles import breaker
from arcadia_cloud.wsgi import application
from tests.access import bearer, token_of
from tests.security.things import deployment_of, drift_of, saga_of
from tests.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)
COPY: Final = PROJECT / "docs" / "openapi.yaml"
schema = schemathesis.openapi.from_dict(yaml.safe_load(COPY.read_text(encoding="utf-8")))
schema.app = application


@pytest.fixture(autouse=True)
def something_to_find(transactional_db: None, simulator: Simulated) -> Iterator[None]:
    breaker.trip()
    saga_of("acme")
    deployment_of("acme")
    drift_of("acme")  # with its resource
    yield
    breaker.reset()


def _check(case: Any, headers: dict[str, str]) -> None:
    """Allow a refusal of what fits the schema: no generator can make up a cursor."""
    excluded = [positive_data_acceptance]
    parts = case.meta.components if case.meta else {}
    if not any(
        name in parts and parts[name].mode.is_negative
        for name in (ParameterLocation.BODY, ParameterLocation.PATH)
    ):
        # What is wrong with a header may be the token, which is ours again by now, and with a query an empty
        # list, which isn't sent. That unknown parameters are refused, test_isolation asks everywhere.
        excluded.append(negative_data_rejection)
    # Over WSGI the library asks for compressed answers, which it doesn't unpack.
    sent = {**headers, "Host": "testserver", "Accept-Encoding": "identity"}
    case.call_and_validate(headers=sent, excluded_checks=excluded)


@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_to_an_operator_is_one_that_the_schema_describes(case: Any) -> None:
    _check(case, bearer(token_of("platform_admin")))


@pytest.mark.parametrize("who", ["tenant", "nobody", "operator"])
@schema.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_so_is_every_answer_to_anybody(case: Any, who: str, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--matrix"):
        pytest.skip("four times as long: bin/test --matrix")
    tokens = {"tenant": token_of("member", tenant="acme"), "operator": token_of("platform_admin")}
    _check(case, bearer(tokens[who]) if who in tokens else {})
