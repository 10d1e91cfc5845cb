"""Alerts find the tenant that they are about, whatever names it: a saga, a deployment, a cost, a resource."""

import re
from datetime import date

import pytest
from pytest_django import DjangoAssertNumQueries

from arcadia_cloud.kernel import subject_links
from arcadia_cloud.kernel.alerts import raise_alert, resolve_alert
from arcadia_cloud.kernel.models import Alert
from billing.models import CostAnomaly
from billing.queries import open_alerts_by_tenant
from billing.tenant_alerts import _KINDS, _ROWS
from deployments.models import Deployment
from inventory.models import Resource
from inventory.values import Kind
from tests.console.conftest import Login, login
from tests.console.rows import a_saga
from tests.inventory.observations import a_project, minute, observed, seen

DAY = date(2026, 6, 1)
__all__ = ["login"]  # the fixture of the console's tests

TENANT = "/admin/billing/dailycost/tenants/one/?tenant="
# Subjects with a page of the console that belong to no tenant: the operator's own.
OURS = {"run", "invoice"}


@pytest.fixture
def subjects(db: None) -> dict[str, str]:
    """A subject of each kind, all of them acme's."""
    acme = a_project("acme", tenant_id="acme")
    observed(seen("4711", project_id=acme.pk))
    observed(seen("media", project_id=acme.pk), kind=Kind.SPACES_BUCKET)
    shop = Deployment.objects.create(tenant_id="acme", slug="shop")
    anomaly = CostAnomaly.objects.create(
        tenant_id="acme", deployment=shop, kind="droplet", direction="up", source="accrued", began_on=DAY,
        last_day=DAY, amount=15, expected=5, cause="Cost of acme/shop +200 %.", detected_at=minute(0),
        parts=[{"cause": "rest", "text": "nothing in our history", "amount": "10"}],
    )  # fmt: skip
    return {
        "saga": f"saga:{a_saga(1, tenant_id='acme').pk}",
        "deployment": f"deployment:{shop.pk}",
        "cost_anomaly": anomaly.alert_subject,
        "resource": f"resource:{Resource.objects.get(provider_id='4711').pk}",
        "droplet": "droplet:4711",
        "bucket": "bucket:media",
    }


def test_each_is_found_with_its_tenant_the_most_severe_first(subjects: dict[str, str]) -> None:
    for subject in subjects.values():
        raise_alert(code="test", subject=subject, message=f"about {subject}")
    raise_alert(code="worse", subject=subjects["droplet"], message="off", severity=Alert.Severity.CRITICAL)

    found = open_alerts_by_tenant()

    assert list(found) == ["acme"]
    assert [alert.subject for alert in found["acme"]] == [subjects["droplet"], *subjects.values()]
    for subject in subjects.values():
        resolve_alert(code="test", subject=subject, actor="a test")
    assert [alert.code for alert in open_alerts_by_tenant()["acme"]] == ["worse"]


@pytest.mark.parametrize(
    "subject",
    [
        "droplet:9", "volume:4711", "saga:999999", "saga:x", "saga:", "saga", "saga:" + "9" * 40,
        "queue:cloud_saga", "kind:droplet", "limit:droplet", "drift:open", "",
    ],
)  # fmt: skip
def test_what_is_no_tenants_is_counted_for_none(subjects: dict[str, str], subject: str) -> None:
    raise_alert(code="test", subject=subject, message="Something is wrong")
    assert open_alerts_by_tenant() == {}


def test_every_subject_with_a_page_is_a_tenants_or_ours() -> None:
    assert set(subject_links._pages) <= _ROWS.keys() | OURS
    assert _KINDS.keys() >= set(Kind.values)


def test_the_tenants_page_and_the_list_have_them(login: Login, subjects: dict[str, str]) -> None:
    raise_alert(code="test", subject=subjects["cost_anomaly"], message="Cost of acme/shop +41 %")
    viewer = login("viewer")

    page = viewer.get(f"{TENANT}acme").content.decode()
    listed = viewer.get("/admin/billing/dailycost/tenants/").content.decode()

    alert = Alert.objects.get()
    assert f'href="/admin/kernel/alert/{alert.pk}/change/">Cost of acme/shop +41 %</a>' in page
    assert re.search(r'acme</a>.*?<td class="console-number">1</td>\s*</tr>', listed, re.DOTALL)


def test_they_take_as_many_queries_for_many_as_for_one(
    subjects: dict[str, str], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for subject in subjects.values():
        for number in range(5):
            raise_alert(code=f"test-{number}", subject=subject, message="Something is wrong")
    with django_assert_max_num_queries(6):
        assert len(open_alerts_by_tenant()["acme"]) == 5 * len(subjects)
