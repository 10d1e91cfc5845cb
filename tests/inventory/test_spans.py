"""Spans: what metering counts, for every moment of a resource's life once."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.models import Deployment
from inventory.attribution.assign import assign, clear_assignment
from inventory.models import Project, Resource, ResourceEvent, ResourceSpan
from inventory.values import Kind
from tests.inventory.observations import (
    a_project,
    history,
    last_changes,
    minute,
    observed,
    seen,
    the_resource,
    tombstone,
)

pytestmark = pytest.mark.django_db

OFF: dict[str, Any] = {"status": "off", "active": False}


def spans(provider_id: str = "1") -> list[tuple[datetime, datetime | None, dict[str, Any]]]:
    """From, to, and what was true then."""
    found = []
    for row in ResourceSpan.objects.filter(resource__provider_id=provider_id).order_by("during"):
        facts: dict[str, Any] = {"active": row.active, "tenant": row.tenant_id}
        facts |= {"size": row.size_gb, "deployment": row.deployment_id, "sku": row.sku}
        found.append((row.during.lower, row.during.upper, facts))
    return found


def stretches(provider_id: str = "1") -> list[tuple[datetime, datetime | None, bool]]:
    """From, to, and whether it was active."""
    return [(start, end, facts["active"]) for start, end, facts in spans(provider_id)]


def test_a_life_begins_when_the_provider_made_the_resource() -> None:
    observed(seen(created_at=minute(-60)))
    assert stretches() == [(minute(-60), None, True)]


def test_a_life_without_a_known_beginning_begins_at_first_sight() -> None:
    observed(seen(created_at=None))
    assert stretches() == [(minute(0), None, True)]


def test_a_creation_in_the_future_counts_as_now() -> None:
    observed(seen(created_at=minute(60)))
    assert stretches() == [(minute(0), None, True)]


def test_an_unchanged_resource_goes_on_in_its_span() -> None:
    observed(seen())
    observed(seen(name="renamed", tags=[]), at=minute(5))
    assert stretches() == [(minute(-60), None, True)]


def test_being_switched_off_ends_a_span_and_begins_one() -> None:
    observed(seen())
    observed(seen(**OFF), at=minute(5))
    observed(seen(**OFF), at=minute(6))
    observed(seen(), at=minute(7))
    assert stretches() == [
        (minute(-60), minute(5), True),
        (minute(5), minute(7), False),
        (minute(7), None, True),
    ]


def test_a_fast_run_writes_a_switch_too() -> None:
    observed(seen())
    observed(seen(**OFF), at=minute(5), bump_unchanged=False)
    assert stretches() == [(minute(-60), minute(5), True), (minute(5), None, False)]


def test_a_size_that_grows_by_itself_begins_a_span_and_makes_no_event() -> None:
    observed(seen(size_gb=Decimal("10.5")))
    observed(seen(size_gb=Decimal("10.5")), at=minute(4))
    observed(seen(size_gb=Decimal("12.25")), at=minute(5))
    assert [(start, end, facts["size"]) for start, end, facts in spans()] == [
        (minute(-60), minute(5), Decimal("10.5")),
        (minute(5), None, Decimal("12.25")),
    ]
    assert ResourceEvent.objects.count() == 1


def test_a_new_owner_begins_a_span() -> None:
    ours, project = a_project("Ours"), a_project("Acme", "acme")
    shop = Deployment.objects.create(tenant_id="acme", slug="shop")
    observed(seen(project_id=ours.pk))
    observed(seen(project_id=project.pk), at=minute(5))
    observed(seen(tenant_id="acme", deployment_id=shop.pk), at=minute(6))
    assert [(start, facts["tenant"], facts["deployment"]) for start, _, facts in spans()] == [
        (minute(-60), None, None),
        (minute(5), "acme", None),
        (minute(6), "acme", shop.pk),
    ]


@pytest.mark.parametrize(("tags", "is_of_deployment"), [(["deployment:shop"], True), ([], False)])
def test_the_first_owner_that_is_found_was_it_all_along(tags: list[str], is_of_deployment: bool) -> None:
    """A fast run reads no projects: what it meets first is unattributed until a full run has read them."""
    shop = Deployment.objects.create(tenant_id="acme", slug="shop")
    project = a_project("Acme", "acme")
    observed(seen(tags=tags, status="new", active=False), bump_unchanged=False)
    observed(seen(tags=tags), at=minute(5), bump_unchanged=False)
    observed(seen(tags=tags, project_id=project.pk, **OFF), at=minute(20))
    assert stretches() == [
        (minute(-60), minute(5), False),
        (minute(5), minute(20), True),
        (minute(20), None, False),
    ]
    owner = ("acme", shop.pk if is_of_deployment else None)
    assert {(facts["tenant"], facts["deployment"]) for _, _, facts in spans()} == {owner}
    assert history() == ["discovered", "updated", "updated"]
    assert last_changes()["tenant_id"] == [None, "acme"]


def test_what_a_saga_made_and_a_fast_run_met_first_was_the_sagas_all_along() -> None:
    shop = Deployment.objects.create(tenant_id="acme", slug="shop")
    observed(seen(), bump_unchanged=False)
    observed(seen(tenant_id="acme", deployment_id=shop.pk), at=minute(1))
    assert [(start, facts["tenant"], facts["deployment"]) for start, _, facts in spans()] == [
        (minute(-60), "acme", shop.pk)
    ]


def test_what_was_decided_to_be_nobodys_was_so_until_it_is_given() -> None:
    project = a_project("Unclassified")
    observed(seen(project_id=project.pk))
    Project.objects.update(tenant_id="acme")
    observed(seen(project_id=project.pk), at=minute(5))
    follower = {"tags": [], "can_attribute": True, "parent_kind": "droplet", "parent_id": "1"}
    observed(seen("2", **{**follower, "parent_id": "3"}), kind=Kind.SNAPSHOT)
    observed(seen("2", **follower), kind=Kind.SNAPSHOT, at=minute(6))
    for provider_id, given_at in (("1", minute(5)), ("2", minute(6))):
        assert [(start, facts["tenant"]) for start, _, facts in spans(provider_id)] == [
            (minute(-60), None),
            (given_at, "acme"),
        ]


def test_what_an_operator_gave_before_it_was_decided_keeps_what_was_until_then() -> None:
    observed(seen(tags=[]), bump_unchanged=False)
    pk = the_resource().pk
    assign(resource_pks=[pk], tenant_id="initech", deployment_pk=None, actor="a test", source="test")
    clear_assignment(resource_pks=[pk], actor="a test", source="test")
    observed(seen(tags=[], project_id=a_project("Acme", "acme").pk), at=timezone.now())
    assert [facts["tenant"] for _, _, facts in spans()] == [None, "initech", None, "acme"]


def test_two_looks_at_one_instant_leave_the_later_ones_facts() -> None:
    observed(seen())
    observed(seen(**OFF), at=minute(5))
    observed(seen(), at=minute(5))
    assert stretches() == [(minute(-60), minute(5), True), (minute(5), None, True)]


def test_an_older_look_moves_no_span() -> None:
    observed(seen(), at=minute(10))
    observed(seen(**OFF), at=minute(5))
    assert stretches() == [(minute(-60), None, True)]


def test_a_life_ends_when_the_resource_was_last_seen() -> None:
    observed(seen())
    observed(seen(), at=minute(5))
    tombstone(["1"], at=minute(200))
    assert stretches() == [(minute(-60), minute(5), True)]


def test_an_assignment_after_the_last_sight_lengthens_nobodys_life() -> None:
    observed(seen())
    assign(
        resource_pks=[the_resource().pk], tenant_id="acme", deployment_pk=None, actor="a test", source="test"
    )
    tombstone(["1"], at=minute(200))
    assert [(start, end, facts["tenant"]) for start, end, facts in spans()] == [
        (minute(-60), minute(0), None)
    ]


def test_a_life_of_one_sight_and_no_known_beginning_has_no_length() -> None:
    observed(seen(created_at=None))
    tombstone(["1"], at=minute(200))
    assert stretches() == []


def test_one_restored_that_was_made_before_its_tombstone_lived_all_along() -> None:
    observed(seen())
    tombstone(["1"], at=minute(10))
    observed(seen(), at=minute(20))
    assert stretches() == [(minute(-60), minute(0), True), (minute(0), None, True)]


def test_one_restored_that_was_made_after_its_tombstone_begins_there() -> None:
    observed(seen())
    tombstone(["1"], at=minute(10))
    observed(seen(created_at=minute(15)), at=minute(20))
    assert stretches() == [(minute(-60), minute(0), True), (minute(15), None, True)]


def test_one_restored_of_unknown_creation_begins_at_this_sight() -> None:
    observed(seen(created_at=None), at=minute(0))
    observed(seen(created_at=None), at=minute(5))
    tombstone(["1"], at=minute(10))
    observed(seen(created_at=None), at=minute(20))
    assert stretches() == [(minute(0), minute(5), True), (minute(20), None, True)]


@pytest.mark.parametrize("was_assigned_while_gone", [True, False])
def test_the_gap_after_a_wrong_tombstone_stays_the_former_owners(was_assigned_while_gone: bool) -> None:
    acme, globex = a_project("Acme", "acme"), a_project("Globex", "globex")
    observed(seen(tags=[], project_id=acme.pk))
    tombstone(["1"], at=minute(10))
    project = globex
    if was_assigned_while_gone:
        pk, project = the_resource().pk, acme
        assign(resource_pks=[pk], tenant_id="globex", deployment_pk=None, actor="a", source="s")
    observed(seen(tags=[], project_id=project.pk), at=minute(20))
    assert [(start, end, facts["tenant"]) for start, end, facts in spans()] == [
        (minute(-60), minute(0), "acme"),
        (minute(0), minute(20), "acme"),
        (minute(20), None, "globex"),
    ]


def test_one_restored_as_something_else_has_its_new_facts() -> None:
    observed(seen())
    tombstone(["1"], at=minute(10))
    observed(seen(**OFF), at=minute(20))
    assert stretches() == [(minute(-60), minute(0), True), (minute(0), None, False)]


def test_the_database_refuses_spans_that_overlap() -> None:
    observed(seen())
    with pytest.raises(IntegrityError, match="span_overlaps_none"), transaction.atomic():
        ResourceSpan.objects.create(resource=the_resource(), during=(minute(-30), minute(-20)), active=True)
    with pytest.raises(IntegrityError, match="span_not_empty"), transaction.atomic():
        ResourceSpan.objects.create(resource=the_resource(), during=(minute(-90), minute(-90)), active=True)


# --- Any history ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    active: bool = True
    tenant: str | None = None
    size: Decimal | None = None
    deployment: int | None = None
    sku: str | None = None


@dataclass
class Model:
    """Spans as the specification has them, in plain Python."""

    created: datetime | None
    spans: list[tuple[datetime, datetime | None, Facts]] = field(default_factory=list)
    last_seen: datetime | None = None
    tombstoned: bool = False

    def see(self, at: datetime, facts: Facts) -> None:
        if self.last_seen is None:
            self.spans.append((min(self.created or at, at), None, facts))
        elif self.tombstoned:
            start = self._back(at)
            if self.spans and start < at and start == self.spans[-1][1] and self._is_anothers(facts):
                self.spans.append((start, at, self.spans[-1][2]))
                start = at
            self.spans.append((start, None, facts))
        elif (open_span := self.spans[-1])[2] != facts:
            if open_span[0] < at:
                self.spans[-1] = (open_span[0], at, open_span[2])
                self.spans.append((at, None, facts))
            else:
                self.spans[-1] = (open_span[0], None, facts)
        self.last_seen, self.tombstoned = at, False

    def _is_anothers(self, facts: Facts) -> bool:
        former = self.spans[-1][2]
        return (former.tenant, former.deployment) != (facts.tenant, facts.deployment)

    def _back(self, at: datetime) -> datetime:
        if not self.spans:
            return min(self.created or at, at)
        ended = self.spans[-1][1]
        assert ended is not None
        return at if self.created is None else min(max(self.created, ended), at)

    def tombstone(self) -> None:
        if self.last_seen is None or self.tombstoned:
            return
        start, _, facts = self.spans.pop()
        if start < self.last_seen:
            self.spans.append((start, self.last_seen, facts))
        self.tombstoned = True


steps = st.lists(
    st.tuples(
        st.integers(0, 3),  # minutes since the step before
        st.sampled_from(["see", "see", "see", "bury"]),
        st.booleans(),
        st.sampled_from([None, "acme", "globex"]),
        st.sampled_from([Decimal(1), Decimal("2.5")]),
        st.sampled_from([None, 0, 1]),
        st.sampled_from(["s-1vcpu-1gb", "s-2vcpu-4gb"]),
    ),
    min_size=1,
    max_size=14,
)
creations = st.one_of(st.none(), st.integers(-30, 30).map(minute))


@settings(max_examples=60, deadline=None)
@given(created=creations, story=steps, has_size=st.booleans())
def test_every_history_has_one_span_for_each_moment_of_life(
    created: datetime | None,
    story: list[tuple[int, str, bool, str | None, Decimal, int | None, str]],
    has_size: bool,
) -> None:
    with transaction.atomic():
        deployments = [
            Deployment.objects.create(tenant_id="acme", slug="one").pk,
            Deployment.objects.create(tenant_id="globex", slug="two").pk,
        ]
        projects = {tenant: a_project(tenant or "ours", tenant).pk for tenant in (None, "acme", "globex")}
        model, now, of_saga = Model(created), 0, Facts()
        for gap, step, active, tenant, size, deployment, sku in story:
            now += gap
            if step == "bury":
                now += 1
                tombstone(["1"], at=minute(now))
                model.tombstone()
                now += 1
                continue
            facts = Facts(active, tenant, size if has_size else None, sku=sku)
            saga: dict[str, Any] = {}
            if deployment is not None:
                of_saga = Facts(tenant=("acme", "globex")[deployment], deployment=deployments[deployment])
                saga = {"tenant_id": of_saga.tenant, "deployment_id": of_saga.deployment}
            if of_saga.deployment is not None:
                facts = replace(facts, tenant=of_saga.tenant, deployment=of_saga.deployment)
            observed(
                seen(
                    status="active" if active else "off",
                    active=active,
                    size_gb=facts.size,
                    sku=sku,
                    attrs={"size_slug": sku},
                    created_at=created,
                    project_id=projects[tenant],
                    **saga,
                ),
                at=minute(now),
            )
            model.see(minute(now), facts)
        found = [(start, end, Facts(**facts)) for start, end, facts in spans()]
        assert found == model.spans
        assert all(left[1] is not None and left[1] <= right[0] for left, right in pairwise(found))
        alive = Resource.objects.filter(deleted_at=None).exists()
        assert [span[1] for span in found].count(None) == int(alive)
        transaction.set_rollback(True)
