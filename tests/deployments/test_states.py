"""The lifecycle of a deployment, pair by pair."""

import pytest

from deployments.models import Deployment
from deployments.states import LIFECYCLE
from tests.kernel.lifecycles import walk_every_pair

pytestmark = pytest.mark.django_db


def test_a_deployment_makes_the_moves_of_its_lifecycle_and_no_other() -> None:
    walk_every_pair(
        LIFECYCLE, lambda state: Deployment.objects.create(tenant_id="acme", slug="shop", state=state)
    )


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("trial", ["active", "suspended", "cancelled"]),
        ("active", ["past_due", "paused", "suspended", "cancelled"]),
        ("past_due", ["active", "suspended", "cancelled"]),
        ("paused", ["active", "cancelled"]),
        ("suspended", ["active", "cancelled"]),
        ("cancelled", ["archived"]),
        ("archived", []),
    ],
)
def test_the_moves_from_a_state(state: str, allowed: list[str]) -> None:
    assert LIFECYCLE.allowed_from(state) == allowed
