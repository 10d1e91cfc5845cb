"""The gate of publications: a draft in another's place is simulated first, or a note is the reason."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from billing.services import request_plan_simulation
from catalog.errors import NoteRequired
from catalog.models import PlanItem, PlanVersion
from catalog.services import publish_version
from tests.billing.simulations import JULY_2, MAY_1, cheaper, simulated
from tests.catalog.rows import draft, stored_plan
from tests.deployments.rows import BY, on_sale, subscribed

pytestmark = pytest.mark.django_db(transaction=True)  # a lease is committed by itself


class TestPublishing:
    """The gate: a draft that takes another's place is simulated first, or a note is the reason why not."""

    @pytest.fixture
    def first(self) -> PlanVersion:
        version = on_sale("studio", 5000)
        subscribed("studio", at=MAY_1)
        return version

    @pytest.fixture
    def publish(self, first: PlanVersion) -> Callable[..., PlanVersion]:
        def call(version: PlanVersion, **more: object) -> PlanVersion:
            return publish_version(
                version_pk=version.pk,
                replaces=first.pk,
                actor=BY,
                **{"at": timezone.now(), **more},  # type: ignore[arg-type] # by name
            )

        return call

    def refusal(self, publish: Callable[..., PlanVersion], version: PlanVersion, **more: object) -> str:
        with pytest.raises(NoteRequired) as refused:
            publish(version, **more)
        version.refresh_from_db()
        assert version.status == "draft"
        return str(refused.value.detail)

    def test_without_a_simulation_it_is_refused_by_name(
        self, first: PlanVersion, publish: Callable[..., PlanVersion]
    ) -> None:
        version = cheaper(first)
        assert self.refusal(publish, version, note="  ").startswith("the draft was never simulated: a note")
        request_plan_simulation(version_pk=version.pk, months=1, actor=BY, at=JULY_2)
        assert "never simulated" in self.refusal(publish, version), "one that is queued says nothing"

    def test_with_a_note_it_passes_and_the_note_is_kept(
        self, first: PlanVersion, publish: Callable[..., PlanVersion]
    ) -> None:
        done = publish(cheaper(first), note=" agreed with all five ")
        assert (done.status, done.publish_note) == ("active", "agreed with all five")

    def test_after_a_simulation_of_the_same_draft_it_passes_without_one(
        self, first: PlanVersion, publish: Callable[..., PlanVersion]
    ) -> None:
        version = cheaper(first)
        simulated(version)
        done = publish(version)
        assert (done.status, done.publish_note) == ("active", "")

    def test_a_simulation_is_of_its_draft_only(
        self, first: PlanVersion, publish: Callable[..., PlanVersion]
    ) -> None:
        version = cheaper(first)
        simulated(version)
        item = PlanItem.objects.create(version=version, resource_kind="dns_zones", included_qty=1)
        assert self.refusal(publish, version).startswith("the draft has changed since it was simulated")
        item.delete()
        assert publish(version).status == "active", "the same bytes again"

    def test_one_older_than_seven_days_is_refused(
        self, first: PlanVersion, publish: Callable[..., PlanVersion]
    ) -> None:
        version = cheaper(first)
        finished = simulated(version).finished_at
        assert finished is not None
        later = finished + timedelta(days=7, seconds=1)
        assert "older than seven days" in self.refusal(publish, version, at=later)
        assert publish(version, at=finished + timedelta(days=7)).status == "active"

    def test_a_plans_first_version_needs_none(self) -> None:
        version = draft(stored_plan("new"))
        assert (
            publish_version(version_pk=version.pk, replaces=None, actor=BY, at=timezone.now()).publish_note
            == ""
        )
