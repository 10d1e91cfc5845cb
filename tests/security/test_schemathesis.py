"""Requests made up from the schema: no server error, and no answer that the schema doesn't describe."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from arcadia_cloud.embedded.state import PROJECT
from arcadia_cloud.kernel.api.throttles import breaker
from arcadia_cloud.wsgi import application
from tests.access import bearer, token_of
from tests.security.things import deployment_of, resource_of, saga_of

pytestmark = pytest.mark.django_db(transaction=True)
COPY: Final = PROJECT / "docs" / "openapi.yaml"
schema = schemathesis.openapi.from_dict(yaml.safe_load(COPY.read_text(encoding="utf-8")))
schema.app = application


@pytest.fixture(autouse=True)
def something_to_find(transactional_db: None) -> Iterator[None]:
    breaker.trip()
    resource_of("acme")
    saga_of("acme")
    deployment_of("acme")
    yield
    breaker.reset()


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_the_schema_tells_of(case: Any) -> None:
    """Allow a refusal of what fits the schema: no generator can make up a cursor."""
    case.call_and_validate(
        headers={**bearer(token_of("platform_admin")), "Host": "testserver"},
        excluded_checks=[positive_data_acceptance],
    )
