"""An operator's answers to drift: accept, ignore, adopt, singly and in bulk."""

from datetime import timedelta
from typing import Any

import pytest

from arcadia_cloud.kernel.errors import Conflict, InvalidInput, NotFound
from drift.errors import AlreadyResolved, NotAdoptable, ResourceBusy, ValueMoved
from drift.models import Drift, DriftIgnoreRule
from drift.queries import list_causes, list_coverage, summarize_drift, uncovered_resources
from drift.services import (
    accept_drift,
    act_on_many,
    adopt_many,
    adopt_resource,
    create_ignore_rule,
    end_ignore_rule,
    ignore_drift,
)
from drift.states import DriftStatus
from drift.values import DriftAction, DriftCounts, KindCoverage
from inventory.models import Resource, ResourceEvent
from provisioning.models import Provisioned, SagaRun
from provisioning.states import SagaStatus
from tests.drift.fleet import (
    OTHER_SIZE,
    SIZE,
    change,
    desire,
    drifted,
    hour,
    make_resource,
    only_drift,
    saga_on,
    sweep,
)

pytestmark = pytest.mark.django_db


def accept(drift: Drift, **arguments: str) -> Drift:
    return accept_drift(drift_pk=drift.pk, actor="ada", at=hour(2), **arguments)


def test_the_reference_case() -> None:
    """A wrong size and a right region: the size alone is opened, accepted, and found no more."""
    resource = drifted()
    drift = only_drift()
    assert (drift.field, ResourceEvent.objects.get().event_type) == ("size_slug", "drift_detected")
    accepted = accept(drift, cause=drift.cause, note="on purpose")
    desired = Provisioned.objects.get(resource=resource)
    assert (desired.spec, desired.spec_version) == ({"size_slug": OTHER_SIZE, "region": "fra1"}, 2)
    assert (accepted.status, accepted.resolved_by, accepted.resolved_at, accepted.note) == (
        DriftStatus.ACCEPTED,
        "ada",
        hour(2),
        "on purpose",
    )
    assert sweep(3) == DriftCounts(checked=1)
    assert ResourceEvent.objects.count() == 1


def test_an_accept_is_refused_once_the_live_value_moved_and_the_row_shows_it() -> None:
    resource = drifted()
    drift = only_drift()
    change(resource, size_slug="s-4vcpu-8gb")
    with pytest.raises(ValueMoved, match='is "s-4vcpu-8gb" by now, no longer "s-2vcpu-4gb"'):
        accept(drift)
    assert Provisioned.objects.get().spec_version == 1
    drift.refresh_from_db()
    assert (drift.status, drift.actual) == (DriftStatus.OPEN, "s-4vcpu-8gb")
    assert accept(drift).status == DriftStatus.ACCEPTED


def test_an_accept_is_refused_once_the_desired_value_moved() -> None:
    drifted()
    drift = only_drift()
    desired = Provisioned.objects.get()
    desired.spec["size_slug"] = "s-8vcpu-16gb"
    desired.save(update_fields=["spec"])
    with pytest.raises(ValueMoved, match='the desired size_slug is "s-8vcpu-16gb" by now'):
        accept(drift)
    assert Provisioned.objects.get().spec["size_slug"] == "s-8vcpu-16gb"


def test_an_accept_is_refused_when_a_sweep_changed_the_row_since_it_was_seen() -> None:
    resource = drifted()
    seen = only_drift()
    change(resource, size_slug="s-4vcpu-8gb")
    sweep(2)
    with pytest.raises(ValueMoved, match="has other values by now"):
        accept(seen, cause=seen.cause)
    assert Drift.objects.get().status == DriftStatus.OPEN


def test_a_value_that_is_only_written_otherwise_has_not_moved() -> None:
    resource = make_resource(tags=["a", "b"])
    desire(resource, tags=["a"])
    drift = only_drift()
    Resource.objects.filter(pk=resource.pk).update(tags=["b", "A"])
    assert accept(drift).status == DriftStatus.ACCEPTED
    assert Provisioned.objects.get().spec["tags"] == ["b", "A"]


def test_a_row_that_was_resolved_names_who_did_it() -> None:
    drifted()
    drift = only_drift()
    accept(drift)
    with pytest.raises(AlreadyResolved, match="was accepted by ada at 2026-03-01 14:00"):
        accept(drift)
    with pytest.raises(NotFound, match="there is no drift 0"):
        accept_drift(drift_pk=0, actor="ada", at=hour(2))


def test_an_accepted_absence_drops_the_desired_state() -> None:
    resource = drifted()
    Resource.objects.filter(pk=resource.pk).update(deleted_at=hour(0.5))
    accept(only_drift())
    assert not Provisioned.objects.exists()
    assert sweep(3) == DriftCounts()


def test_the_absence_of_what_came_back_is_not_accepted() -> None:
    resource = drifted()
    Resource.objects.filter(pk=resource.pk).update(deleted_at=hour(0.5))
    drift = only_drift()
    Resource.objects.filter(pk=resource.pk).update(deleted_at=None)
    with pytest.raises(ValueMoved):
        accept(drift)
    assert Provisioned.objects.exists()
    assert Drift.objects.open().get().field == "size_slug"


def test_nothing_is_accepted_while_a_saga_works_on_the_resource() -> None:
    drifted()
    drift = only_drift()
    saga = saga_on("1", SagaStatus.RUNNING)
    with pytest.raises(ResourceBusy, match=f"saga {saga.pk} works on the resource"):
        accept(drift)


@pytest.mark.parametrize("status", [SagaStatus.RUNNING, SagaStatus.FAILED, SagaStatus.COMPLETED])
def test_nothing_is_accepted_while_the_row_is_being_put_back(status: SagaStatus) -> None:
    drifted()
    drift = only_drift()
    Drift.objects.update(revert_saga=saga_on("1", status, finished_at=hour(1.5)))
    with pytest.raises(Conflict, match="puts back drift"):
        accept(drift)
    # A revert that came to nothing leaves the row to the operator.
    SagaRun.objects.update(status="rolled_back", direction="backward", finished_at=hour(0))
    SagaRun.objects.get().held_subjects.all().delete()
    assert accept(drift).status == DriftStatus.ACCEPTED


def test_an_ignored_row_comes_back_when_its_snooze_is_over() -> None:
    drifted()
    drift = only_drift()
    ignored = ignore_drift(drift_pk=drift.pk, actor="ada", at=hour(2), reason="tonight", expires_at=hour(5))
    assert (ignored.status, ignored.resolved_by, ignored.ignore_rule is not None) == (
        DriftStatus.IGNORED,
        "ada",
        True,
    )
    assert sweep(4) == DriftCounts(checked=1, differing=1, unchanged=1)
    assert summarize_drift().ignored == 1
    assert sweep(6) == DriftCounts(checked=1, differing=1, opened=1)
    row = Drift.objects.get()
    assert (row.status, row.ignore_rule, row.resolved_at, row.detected_at) == (
        DriftStatus.OPEN,
        None,
        None,
        hour(1),
    )


@pytest.mark.parametrize(
    ("rule", "covered"),
    [
        ({"field": "size_slug"}, {"1", "2"}),
        ({"field": ""}, {"1", "2", "3"}),
        ({"field": "size_slug", "tag": "Batch"}, {"2"}),
        ({"field": "name"}, {"3"}),
        ({"kind": "volume", "field": ""}, set()),
    ],
)
def test_a_rule_closes_what_it_covers_and_keeps_its_like_from_opening(
    rule: dict[str, Any], covered: set[str]
) -> None:
    drifted("1")
    drifted("2", tags=["batch"])
    desire(make_resource("3"), name="shop")
    sweep(1)
    given: dict[str, Any] = {"kind": "droplet", "reason": "known", "actor": "ada", "at": hour(2), **rule}
    create_ignore_rule(**given)
    ignored = Drift.objects.filter(status=DriftStatus.IGNORED)
    assert set(ignored.values_list("resource__provider_id", flat=True)) == covered
    Drift.objects.all().delete()
    counts = sweep(3)
    assert (counts.ignored, counts.opened) == (len(covered), 3 - len(covered))
    assert set(ignored.values_list("resource__provider_id", flat=True)) == covered


def test_a_rule_that_is_ended_opens_what_no_other_covers() -> None:
    drifted("1")
    drifted("2", tags=["batch"])
    sweep(1)
    both = create_ignore_rule(kind="droplet", reason="known", actor="ada", at=hour(2))
    create_ignore_rule(kind="droplet", tag="batch", reason="known", actor="bob", at=hour(2))
    end_ignore_rule(rule_pk=both.pk, actor="eve", at=hour(3))
    assert Drift.objects.open().get().resource.provider_id == "1"
    assert Drift.objects.get(status=DriftStatus.IGNORED).resolved_by == "bob"
    assert DriftIgnoreRule.objects.get(pk=both.pk).ended_by == "eve"
    assert ResourceEvent.objects.count() == 3
    with pytest.raises(Conflict, match="is over since"):
        end_ignore_rule(rule_pk=both.pk, actor="eve", at=hour(3))


def test_what_is_ignored_and_no_longer_differs_is_stale() -> None:
    resource = drifted()
    sweep(1)
    create_ignore_rule(kind="droplet", reason="known", actor="ada", at=hour(2))
    change(resource, size_slug=SIZE)
    assert sweep(3).stale == 1


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"kind": "planet"}, "kind"),
        ({"reason": " "}, "reason"),
        ({"expires_at": hour(1)}, "expires_at"),
        ({"tag": "a", "resource_pk": 1}, "tag"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_field(rule: dict[str, Any], field: str) -> None:
    given: dict[str, Any] = {"kind": "droplet", "reason": "known", "actor": "a", "at": hour(2), **rule}
    with pytest.raises(InvalidInput) as refusal:
        create_ignore_rule(**given)
    assert list(refusal.value.errors) == [field]
    assert not DriftIgnoreRule.objects.exists()


def test_a_rule_names_the_kind_of_its_resource() -> None:
    resource = make_resource()
    with pytest.raises(InvalidInput, match="kind must be droplet"):
        create_ignore_rule(kind="volume", resource_pk=resource.pk, reason="r", actor="a", at=hour(1))
    with pytest.raises(NotFound):
        create_ignore_rule(kind="volume", resource_pk=0, reason="r", actor="a", at=hour(1))


def test_a_bulk_action_answers_for_each_id() -> None:
    drifted("1")
    moved = drifted("2")
    sweep(1)
    rows = {row.resource.provider_id: row for row in Drift.objects.select_related("resource")}
    change(moved, size_slug="s-4vcpu-8gb")
    pks = [rows["1"].pk, rows["2"].pk, 0, rows["1"].pk]
    results = act_on_many(action=DriftAction.ACCEPT, drift_pks=pks, actor="ada", at=hour(2))
    assert [(result.pk, result.status, result.code) for result in results] == [
        (rows["1"].pk, 200, ""),
        (rows["2"].pk, 409, "drift_moved"),
        (0, 404, "not_found"),
    ]
    results = act_on_many(
        action=DriftAction.IGNORE,
        drift_pks=[rows["2"].pk],
        actor="ada",
        at=hour(2),
        reason="later",
        expires_at=hour(2) + timedelta(days=1),
    )
    assert [result.status for result in results] == [200]
    with pytest.raises(InvalidInput, match="a reason must be given"):
        act_on_many(action=DriftAction.IGNORE, drift_pks=pks, actor="ada", at=hour(2))


def test_adopted_resources_are_as_desired_and_then_watched() -> None:
    resource = make_resource()
    snapshot = make_resource("s", kind="certificate", attrs={"type": "custom"})
    gone = make_resource("g", deleted_at=hour(0))
    assert list(uncovered_resources().order_by("pk")) == [resource, snapshot]
    assert list_coverage() == [KindCoverage("certificate", 1, 0), KindCoverage("droplet", 1, 0)]
    results = adopt_many(resource_pks=[resource.pk, snapshot.pk, gone.pk, 0], actor="ada", at=hour(1))
    assert [result.adopted for result in results] == [True, True, False, False]
    assert [result.detail for result in results[2:]] == [
        f"resource {gone.pk} is gone since 2026-03-01 12:00:00+00:00",
        "there is no resource 0",
    ]
    assert resource.provisioned.spec == {
        "name": "web-1",
        "size_slug": SIZE,
        "status": "active",
        "tags": ["env:test"],
    }
    assert snapshot.provisioned.spec == {}
    assert [coverage.percent for coverage in list_coverage()] == [100, 100]
    assert sweep(1) == DriftCounts(checked=2)
    change(resource, size_slug=OTHER_SIZE)
    Resource.objects.filter(pk=snapshot.pk).update(deleted_at=hour(1))
    sweep(2)
    assert set(Drift.objects.open().values_list("field", flat=True)) == {"size_slug", "exists"}


def test_what_has_a_desired_state_is_not_adopted() -> None:
    resource = drifted()
    with pytest.raises(NotAdoptable, match="has a desired state already"):
        adopt_resource(resource_pk=resource.pk, actor="ada", at=hour(1))
    with pytest.raises(NotFound):
        adopt_resource(resource_pk=0, actor="ada", at=hour(1))
    assert Provisioned.objects.get().spec["size_slug"] == SIZE


def test_the_inbox_groups_by_cause_and_counts() -> None:
    for number in range(3):
        drifted(str(number))
    desire(make_resource("9"), name="shop")
    sweep(1)
    large, small = list_causes()
    assert (large.kind, large.field, large.expected, large.actual, large.count, large.oldest_at) == (
        "droplet",
        "size_slug",
        SIZE,
        OTHER_SIZE,
        3,
        hour(1),
    )
    assert (small.field, small.count) == ("name", 1)
    assert list_causes(limit=1, offset=1) == [small]
    summary = summarize_drift()
    assert (summary.open, summary.ignored, summary.reverting, summary.oldest_at) == (4, 0, 0, hour(1))
    assert (summary.by_kind, summary.by_field) == ({"droplet": 4}, {"name": 1, "size_slug": 3})
