"""The digest: which observations count as the same."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from inventory.observation.digest import digest_of
from inventory.values import Observation
from tests.inventory.observations import minute, seen

PROVIDER_FIELDS: Mapping[str, Any] = {
    "provider_id": "2",
    "name": "db-1",
    "urn": "do:droplet:one",
    "region": "ams3",
    "status": "off",
    "tags": ["env:live"],
    "attrs": {"size_slug": "s-1vcpu-1gb", "locked": True},
    "monthly_price_cents": 700,
    "created_at": minute(1),
    "active": False,
    "size_gb": Decimal("1.5"),
    "parent_kind": "droplet",
    "parent_id": "7",
}
ATTRIBUTION_FIELDS: Mapping[str, Any] = {
    "project_id": 7,
    "can_attribute": True,
    "tag_tenant": "acme",
    "tag_slug": "shop",
    "tag_conflict": "several",
    "digest": "\\x00",
}
# It is made of other fields, which count: a row that is stored without one isn't written for it alone.
DERIVED_FIELDS: Mapping[str, Any] = {"sku": "s-2vcpu-4gb"}
SAGA_FIELDS: Mapping[str, Any] = {"deployment_id": 7, "tenant_id": "acme"}


def altered(**fields: Any) -> Observation:
    return msgspec.structs.replace(seen(), **fields)


def test_every_field_is_of_the_provider_or_of_the_attribution() -> None:
    known = {*PROVIDER_FIELDS, *ATTRIBUTION_FIELDS, *DERIVED_FIELDS, *SAGA_FIELDS}
    assert known == set(Observation.__struct_fields__)


@pytest.mark.parametrize("field", PROVIDER_FIELDS)
def test_another_value_of_the_provider_has_another_digest(field: str) -> None:
    assert digest_of(altered(**{field: PROVIDER_FIELDS[field]})) != digest_of(seen())


@pytest.mark.parametrize("field", ATTRIBUTION_FIELDS)
def test_the_fields_of_the_attribution_leave_the_digest_alone(field: str) -> None:
    assert digest_of(altered(**{field: ATTRIBUTION_FIELDS[field]})) == digest_of(seen())


@pytest.mark.parametrize("field", DERIVED_FIELDS)
def test_a_field_made_of_others_leaves_the_digest_alone(field: str) -> None:
    assert digest_of(altered(**{field: DERIVED_FIELDS[field]})) == digest_of(seen())


@pytest.mark.parametrize("field", SAGA_FIELDS)
def test_what_a_saga_decided_has_no_digest(field: str) -> None:
    assert digest_of(altered(**{field: SAGA_FIELDS[field]})) is None


def test_a_value_in_the_next_field_is_another_value() -> None:
    assert digest_of(altered(region="a", status="")) != digest_of(altered(region="", status="a"))


def test_it_is_sixteen_bytes_as_postgresql_reads_them() -> None:
    digest = digest_of(seen())
    assert digest is not None
    assert digest.startswith("\\x")
    assert len(bytes.fromhex(digest[2:])) == 16
