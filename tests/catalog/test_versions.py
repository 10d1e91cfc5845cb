"""Versions of plans: published by one at a time, and never changed after."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import pytest
from django.db import IntegrityError, connection, transaction

from arcadia_cloud.kernel.errors import DomainError, NotFound
from catalog.errors import InvalidTerms, VersionPublished, VersionReplaced
from catalog.models import PlanItem, PlanVersion
from catalog.services import create_draft_from, publish_version
from catalog.states import LIFECYCLE
from catalog.values.terms import GraduatedPrice
from tests.catalog.build import tiers
from tests.catalog.rows import AT, active, draft, published, stored_plan
from tests.kernel.lifecycles import walk_every_pair
from tests.kernel.threads import at_once, in_thread

pytestmark = pytest.mark.django_db

NEVER_CHANGES: Final = "published and"


def publish(version: PlanVersion, replaces: PlanVersion | None = None) -> PlanVersion:
    return publish_version(
        version_pk=version.pk,
        replaces=replaces.pk if replaces else None,
        actor="a test",
        at=AT,
        note="of a test",
    )


def statuses(version: PlanVersion) -> list[tuple[int, str]]:
    return list(version.plan.versions.order_by("number").values_list("number", "status"))


def test_a_version_makes_the_moves_of_its_lifecycle_and_no_other() -> None:
    plan = stored_plan()
    walk_every_pair(
        LIFECYCLE,
        lambda status: PlanVersion.objects.create(
            plan=plan,
            number=1,
            base_price_cents=1,
            status=status,
            published_at=None if status == "draft" else AT,
        ),
        changes=lambda status: {"published_at": AT} if status == "active" else {},
    )


def test_publishing_retires_the_version_before() -> None:
    first = published(stored_plan(), 5000)
    second = draft(first.plan, 6000)
    found = publish(second, replaces=first)
    assert (found.status, found.published_at) == ("active", AT)
    assert statuses(first) == [(1, "retired"), (2, "active")]


def test_publishing_over_a_version_that_the_caller_did_not_see_is_refused() -> None:
    first = published(stored_plan())
    second, third = draft(first.plan), draft(first.plan)
    publish(second, replaces=first)
    with pytest.raises(VersionReplaced, match="studio/2"):
        publish(third, replaces=first)
    with pytest.raises(VersionReplaced):
        publish(third)
    assert statuses(first) == [(1, "retired"), (2, "active"), (3, "draft")]


def test_publishing_twice_is_refused() -> None:
    first = published(stored_plan())
    with pytest.raises(VersionPublished):
        publish(first, replaces=first)


def test_publishing_what_is_not_there_is_refused() -> None:
    with pytest.raises(NotFound):
        publish_version(version_pk=0, replaces=None, actor="a test", at=AT)


@pytest.mark.parametrize(
    "rows",
    [
        [{"unit_price_cents": "1", "up_to": "10"}],
        [{"unit_price_cents": "1", "up_to": "10"}, {"unit_price_cents": "1", "up_to": "5"}],
        [{"unit_price_cents": 1.5}],
        [{"unit_price_cents": "much"}],
        [{"unit_price_cents": "-1"}],
        [{"unit_price_cents": "1", "more": "1"}],
        [{}],
        ["1"],
        {"unit_price_cents": "1"},
    ],
)
def test_a_draft_that_makes_no_price_is_not_published(rows: object) -> None:
    first = published(stored_plan())
    second = draft(first.plan)
    PlanItem.objects.create(version=second, resource_kind="dns_zones", price_model="graduated", tiers=rows)
    with pytest.raises(InvalidTerms):
        publish(second, replaces=first)
    assert statuses(first) == [(1, "active"), (2, "draft")]


def test_a_draft_is_made_from_a_version_with_its_items() -> None:
    first = published(stored_plan(), 5000, dns_zones=5, droplet_hours=1488)
    copy = create_draft_from(version_pk=first.pk, actor="a test")
    assert (copy.number, copy.status, copy.published_at) == (2, "draft", None)
    assert copy.terms().items == first.terms().items
    assert copy.terms().base_price == first.terms().base_price
    assert first.items.count() == 2


def test_tiers_are_read_from_strings() -> None:
    version = draft(stored_plan())
    PlanItem.objects.create(
        version=version,
        resource_kind="bandwidth_gb",
        price_model="graduated",
        tiers=[
            {"up_to": "100", "unit_price_cents": "0.25", "flat_fee_cents": "100"},
            {"unit_price_cents": "0.1"},
        ],
    )
    (item,) = version.terms().items
    assert item.price == GraduatedPrice(tiers=tiers(("100", "0.0025", "1"), (None, "0.001", "0")))


CHANGES: Final[dict[str, str]] = {
    "a price": "UPDATE plan_versions SET base_price_cents = 1 WHERE id = {version}",
    "a currency too": "UPDATE plan_versions SET status = 'retired', currency = 'USD' WHERE id = {version}",
    "a status back": "UPDATE plan_versions SET status = 'draft', published_at = NULL WHERE id = {version}",
    "the version itself": "DELETE FROM plan_versions WHERE id = {version}",
    "an allowance": "UPDATE plan_items SET included_qty = 9 WHERE version_id = {version}",
    "an item less": "DELETE FROM plan_items WHERE version_id = {version}",
    "an item more": (
        "INSERT INTO plan_items (version_id, resource_kind, included_qty, overage_unit, price_model, tiers)"
        " VALUES ({version}, 'llm_tokens', 1, 1, 'per_unit', '[]')"
    ),
    "an item from a draft": "UPDATE plan_items SET version_id = {version} WHERE version_id = {draft}",
    "an item to a draft": "UPDATE plan_items SET version_id = {draft} WHERE version_id = {version}",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("retired", [False, True])
def test_the_database_refuses_to_change_what_was_published(change: str, retired: bool) -> None:
    version = published(stored_plan(), 5000, dns_zones=5)
    if retired:
        published(version.plan, 6000)
    other = draft(version.plan, 7000, bandwidth_gb=1)
    statement = CHANGES[change].format(version=version.pk, draft=other.pk)
    with (
        connection.cursor() as cursor,
        pytest.raises(IntegrityError, match=NEVER_CHANGES),
        transaction.atomic(),
    ):
        cursor.execute(statement)


def test_a_retired_version_stays_retired() -> None:
    version = published(stored_plan())
    published(version.plan)
    with pytest.raises(IntegrityError, match=NEVER_CHANGES):
        PlanVersion.objects.filter(pk=version.pk).update(status="active")


def test_the_models_refuse_to_change_what_was_published() -> None:
    version = published(stored_plan(), 5000, dns_zones=5)
    item = version.items.get()
    for change in (
        version.save,
        item.save,
        item.delete,
        PlanItem(version=version, resource_kind="llm_tokens").save,
    ):
        with pytest.raises(VersionPublished):
            change()


def test_a_draft_changes_and_goes_with_its_items() -> None:
    version = draft(stored_plan(), 5000, dns_zones=5)
    version.base_price_cents = 1
    version.save()
    item = version.items.get()
    item.included_qty = Decimal(6)
    item.save()
    version.delete()
    assert not PlanItem.objects.exists()


def test_a_plan_has_one_active_version() -> None:
    version = published(stored_plan())
    with pytest.raises(IntegrityError, match="plan_has_one_active_version"):
        PlanVersion.objects.create(
            plan=version.plan, number=2, base_price_cents=1, status="active", published_at=AT
        )


def outcome_of(work: Callable[[], object]) -> str:
    try:
        work()
    except DomainError as error:
        return error.code
    return "published"


@pytest.mark.django_db(transaction=True)
def test_of_two_publishers_of_one_draft_one_wins() -> None:
    version = draft(stored_plan())
    outcomes = at_once(2, lambda: outcome_of(lambda: publish(version)))
    assert sorted(outcomes) == ["published", "version_published"]
    assert statuses(version) == [(1, "active")]


@pytest.mark.django_db(transaction=True)
def test_of_two_publishers_of_two_drafts_one_wins() -> None:
    first = published(stored_plan())
    drafts = [draft(first.plan), draft(first.plan)]
    outcomes = at_once(2, lambda: outcome_of(lambda: publish(drafts.pop(), replaces=first)))
    assert sorted(outcomes) == ["published", "version_replaced"]
    assert sorted(status for _, status in statuses(first)) == ["active", "draft", "retired"]


@pytest.mark.django_db(transaction=True)
def test_drafts_made_at_once_have_numbers_of_their_own() -> None:
    first = published(stored_plan())
    made = at_once(3, lambda: create_draft_from(version_pk=first.pk, actor="a test").number)
    assert sorted(made) == [2, 3, 4]


@pytest.mark.django_db(transaction=True)
def test_an_item_that_is_written_while_its_version_is_published_is_refused() -> None:
    version = draft(stored_plan(), 5000, dns_zones=5)
    refused: list[str] = []

    def write_item() -> None:
        try:
            PlanItem.objects.filter(version=version).update(included_qty=9)
        except IntegrityError as error:
            refused.append(str(error))

    with transaction.atomic():
        publish(version)
        writer = in_thread(write_item)
        writer.join(timeout=1)
        assert writer.is_alive()  # it waits for the version's lock
    writer.join()
    assert NEVER_CHANGES in refused[0]
    assert version.items.get().included_qty == Decimal(5)


@pytest.mark.django_db(transaction=True)
def test_a_version_is_not_published_over_an_item_that_is_being_written() -> None:
    version = draft(stored_plan(), 5000, dns_zones=5)
    with transaction.atomic():
        PlanItem.objects.filter(version=version).update(included_qty=9)
        publisher = in_thread(lambda: publish(version))
        publisher.join(timeout=1)
        assert publisher.is_alive()
    publisher.join()
    found = active(version.plan)
    assert found is not None
    assert found.items.get().included_qty == Decimal(9)
    assert found.published_at == AT
